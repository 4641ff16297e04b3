"""Opening a store: everything that has to be true before a program may append to it (E-55).

Runs on the database thread. Whatever is wrong raises JournalRefused and changes nothing: a store
is never created over a known data directory, never repaired in silence.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.domain.ids import Nanos
from engine.ports.journal import JournalRefused
from engine.store import watermark
from engine.store.chain import COLUMNS, Head, genesis
from engine.store.checkpoint import newest_head
from engine.store.migrations import migrate, sync
from engine.store.rows import broken_at
from engine.store.schema import APPLICATION_ID, SCHEMA_VERSION, TABLES
from engine.store.stamp import Stamp
from engine.store.times import iso

FULL_CHECK_MAX: Final = 200_000
"""A longer journal is followed from its newest checkpoint on; `verify_all` follows all of it."""
BUSY_S: Final = 5.0
"""How long another process may hold the database before opening or writing gives up."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A journal whose end is known to be the one that was written."""

    head: Head
    start: Head
    """What the first entry follows."""


def prepare_file(path: Path) -> None:
    """Create an empty private file for a new store; refuse to do so where there was a store."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > 0:
        return
    state = "is empty" if path.exists() else "is missing"
    wal = path.with_name(f"{path.name}-wal")
    known = _known(path)
    if known is None and wal.exists() and wal.stat().st_size > 0:
        known = f"{wal.name} of it is there"
    if known is not None:
        raise JournalRefused(f"{path} {state}, but {known}; restore a backup")
    watermark.beside(path).unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # its -wal and -shm get the same mode
    sync(path.parent)


def _known(path: Path) -> str | None:
    """Say how a missing database is known to have existed; None: it never held an entry."""
    try:
        mark = watermark.read(watermark.beside(path))
    except watermark.WatermarkLost:
        return "its watermark is there (and damaged)"
    return f"its journal was at entry {mark.seq}" if mark is not None and mark.seq else None


def configure(db: sqlite3.Connection) -> None:
    """Set what every writing connection needs: WAL and FULL, or acknowledged entries get lost."""
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA mmap_size = 0")
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    db.execute("PRAGMA synchronous = FULL")
    if mode != "wal" or db.execute("PRAGMA synchronous").fetchone()[0] != 2:
        raise JournalRefused(f"WAL with synchronous=FULL is not to be had here, was {mode}")


def verified(db: sqlite3.Connection, path: Path, stamp: Stamp, now: Nanos) -> Verified:
    """Return the head of the store in `db`, created if it is new, migrated if it is old."""
    try:
        _require_ours(db, path)
        configure(db)
        if _is_blank(db):
            if (known := _known(path)) is not None:
                raise JournalRefused(f"{path} holds nothing, but {known}; restore a backup")
            _create(db, stamp, now)
        migrate(db, path)
        start = _stamped(db, path, stamp)
        _require_intact(db, path)
        head = _followed(db, path, start)
        _require_watermark(db, path, start, head)
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise JournalRefused(f"{path}: {error} ({name})") from error
    return Verified(head, start)


def _is_blank(db: sqlite3.Connection) -> bool:
    return int(db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]) == 0


def _require_ours(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID and not (found == 0 and _is_blank(db)):
        raise JournalRefused(f"{path}: not a Holdfast store (application id was {found:#x})")


def _create(db: sqlite3.Connection, stamp: Stamp, now: Nanos) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        db.execute(statement)
    db.execute(
        "INSERT INTO store VALUES (1, ?, ?, ?, ?)",
        (stamp.mode.value, stamp.venue, stamp.account, iso(now)),
    )
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _stamped(db: sqlite3.Connection, path: Path, stamp: Stamp) -> Head:
    row = db.execute("SELECT mode, venue, account, created_at FROM store").fetchone()
    if row is None:
        raise JournalRefused(f"{path}: its stamp is gone")
    if tuple(row[:3]) != (stamp.mode.value, stamp.venue, stamp.account):
        was = f"{row[0]} on {row[1]}" + (f", account {row[2]}" if row[2] else "")
        raise JournalRefused(f"{path} is a store of {was}; it was opened as {stamp}")
    return genesis(*row)


def _require_intact(db: sqlite3.Connection, path: Path) -> None:
    findings = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
    if findings != ["ok"]:
        raise JournalRefused(f"{path} is damaged: {'; '.join(findings)}")


def _followed(db: sqlite3.Connection, path: Path, start: Head) -> Head:
    count = db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0
    if count > FULL_CHECK_MAX:
        start = newest_head(db) or start
    return follow(db, path, start)


def follow(db: sqlite3.Connection, path: Path, start: Head) -> Head:
    """Return the end of the hash chain from `start` on; a broken link raises JournalRefused."""
    query = f"SELECT {COLUMNS} FROM events WHERE seq > ? ORDER BY seq"  # noqa: S608 -- a constant
    head, wrong = broken_at(db.execute(query, (start.seq,)), start)
    if wrong is not None:
        raise JournalRefused(f"{path}: {wrong}; everything up to entry {head.seq} is good")
    return head


def _require_watermark(db: sqlite3.Connection, path: Path, start: Head, head: Head) -> None:
    """Compare the end of the journal with what is known of it outside of the database."""
    where = watermark.beside(path)
    try:
        mark = watermark.read(where)
    except watermark.WatermarkLost:
        mark = None
    if mark is None:
        if head.seq:
            raise JournalRefused(
                f"{path}: {where.name} is gone or damaged, so a loss of entries after {head.seq} "
                "could not be seen"
            )
        return
    if mark.seq > head.seq:
        raise JournalRefused(
            f"{path}: the journal was at entry {mark.seq}, the file ends at {head.seq}"
        )
    row = db.execute("SELECT hash FROM events WHERE seq = ?", (mark.seq,)).fetchone()
    found = start.hash if mark.seq == 0 else row[0]
    if found != mark.hash:
        raise JournalRefused(f"{path}: entry {mark.seq} is not the one that was written here")
