"""Bringing an older database to this program's version: a backup first, then one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from engine.ports.journal import JournalRefused
from engine.store.amounts import stored
from engine.store.schema import (
    AMOUNTS,
    DECISIONS,
    FILLS,
    INDEXES,
    OPERATOR_REPORT_VIEW,
    ORDERS,
    POSITIONS,
    SCHEMA_VERSION,
    SESSIONS,
    SHADOWS,
    STRATEGIES,
    VIEWS,
)

Migration: TypeAlias = Callable[[sqlite3.Connection], None]
"""Changes the tables of version N into those of N + 1; runs inside a transaction it never ends.

`events` is never rewritten: an old payload keeps its version and is understood when it is read.
"""


def _amounts_as_numbers(db: sqlite3.Connection) -> None:
    """1 -> 2: amounts that a REAL holds exactly are REALs, so that they sort and compare."""
    views = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]
    for view in views:
        db.execute(f"DROP VIEW {view}")
    kept = {name: _rows(db, name) for name in _VERSION_1}
    for name in reversed(_VERSION_1):  # children before parents
        db.execute(f"DROP TABLE {name}")
    for statement in _VERSION_2:
        db.execute(statement)
    for name, (columns, rows) in kept.items():
        into = f"INSERT INTO {name} ({', '.join(columns)}) VALUES "  # noqa: S608 -- constants
        db.executemany(f"{into} ({', '.join('?' * len(columns))})", rows)


def _rows(
    db: sqlite3.Connection, table: str
) -> tuple[list[str], list[tuple[str | int | float | None, ...]]]:
    cursor = db.execute(f"SELECT * FROM {table}")  # noqa: S608 -- a constant
    columns = [column[0] for column in cursor.description]
    amounts = {place for place, name in enumerate(columns) if name in AMOUNTS}
    return columns, [
        tuple(
            stored(Decimal(value)) if place in amounts and value is not None else value
            for place, value in enumerate(row)
        )
        for row in cursor
    ]


_VERSION_1: Final = ("trading_sessions", "strategies", "orders", "fills", "positions")
"""Parents before children."""
_VERSION_2: Final = (SESSIONS, STRATEGIES, ORDERS, FILLS, POSITIONS, *INDEXES, *VIEWS)


def _shadows(db: sqlite3.Connection) -> None:
    """2 -> 3: what a person did to positions has a table; older journals say nothing of it."""
    db.execute(SHADOWS)
    db.execute(OPERATOR_REPORT_VIEW)


def _decisions(db: sqlite3.Connection) -> None:
    """3 -> 4: what was asked and answered has a table; older journals asked nothing."""
    db.execute(DECISIONS)


MIGRATIONS: Final[dict[int, Migration]] = {1: _amounts_as_numbers, 2: _shadows, 3: _decisions}
"""By the version that a migration starts from. Version 1 is the first one released."""


def version_of(db: sqlite3.Connection) -> int:
    """Return the version of the tables in `db`."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    db: sqlite3.Connection,
    path: Path,
    *,
    target: int = SCHEMA_VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Path | None:
    """Bring `db` to version `target`; return where its backup is, None if nothing was to do.

    Raises JournalRefused for a newer database, or one that no migration leads from. A migration
    that fails leaves the database as it was.
    """
    version = version_of(db)
    if version > target:
        raise JournalRefused(
            f"{path}: written by a newer program (tables version {version}, this one has {target})"
        )
    missing = [v for v in range(version, target) if v not in migrations]
    if missing:
        raise JournalRefused(f"{path}: no migration from version {missing[0]}")
    if version == target:
        return None
    backup = back_up(db, path.with_name(f"{path.name}.v{version}.backup"))
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in range(version, target):
            migrations[step](db)
        db.execute(f"PRAGMA user_version = {target}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return backup


def back_up(db: sqlite3.Connection, target: Path) -> Path:
    """Copy `db` to `target`, complete and synced, replacing what was there; return `target`."""
    unfinished = target.with_name(f"{target.name}.tmp")
    os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    copy = sqlite3.connect(unfinished, isolation_level=None)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete without a WAL
    finally:
        copy.close()
    sync(unfinished)
    unfinished.replace(target)
    sync(target.parent)
    return target


def sync(path: Path) -> None:
    """Make a file, or the names in a directory, survive a power cut."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
