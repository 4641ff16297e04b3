"""Backups of a store and their return (E-57): verified when made, rehearsed before they replace.

A backup is a complete database, made online by SQLite's own backup while the engine writes, then
opened and re-derived: chain, integrity, and the state that the journal leads to. A restore moves
what it replaces aside and deletes nothing; the watermark goes last, so that a restore that is
killed half-way leaves a store that refuses to open rather than one that forgot something.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.domain.ids import Nanos, Seq
from engine.domain.state import State
from engine.ports.journal import JournalRefused
from engine.store import audit, watermark
from engine.store.chain import Head
from engine.store.checkpoint import recover
from engine.store.lock import held
from engine.store.migrations import back_up, sync
from engine.store.reader import StoreReader
from engine.store.times import iso

PREFIX: Final = "holdfast-"
REPLACED: Final = "replaced"
"""Folder of the data directory where restores put what they replace."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was opened and found good."""

    path: Path
    head: Head
    state: State
    """What its journal leads to."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a restore would do."""

    backup: Backup
    known: Seq
    """Last entry that the data directory is known to have had."""

    @property
    def lost(self) -> int:
        """Entries that the backup does not have."""
        return max(0, self.known - self.backup.head.seq)


def make(database: Path, directory: Path, now: Nanos, keep: int = 24) -> Backup:
    """Back `database` up into `directory`, verify the copy, and thin to the `keep` newest.

    Safe beside a running engine: it only reads. Raises JournalRefused if the copy is not good
    (it is then left with the ending `.bad`), OSError or sqlite3.Error if it cannot be made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = iso(now).replace(":", "").replace("-", "").split(".")[0].rstrip("Z")
    target = directory / f"{PREFIX}{stamp}Z.db"
    source = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        back_up(source, target)
    finally:
        source.close()
    try:
        made = verified(target)
    except JournalRefused:
        target.rename(target.with_suffix(".bad"))
        raise
    for old in listed(directory)[max(1, keep) :]:
        old.unlink()
    return made


def listed(directory: Path) -> list[Path]:
    """Return the backups in `directory`, newest first."""
    return sorted(directory.glob(f"{PREFIX}*.db"), reverse=True)


def verified(path: Path) -> Backup:
    """Open a backup, follow its chain and fold its journal. Raises JournalRefused."""
    with StoreReader.open(path) as reader:
        head = reader.verify_chain()
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        findings = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
        if findings != ["ok"]:
            raise JournalRefused(f"{path} is damaged: {'; '.join(findings)}")
        state = recover(db).state
        wrong = audit.open_differences(db, state)
    except sqlite3.DatabaseError as error:
        raise JournalRefused(f"{path}: {error}") from error
    finally:
        db.close()
    if wrong or state.seq != head.seq:
        raise JournalRefused(f"{path}: its tables do not follow from its journal: {wrong[:1]}")
    return Backup(path, head, state)


def newest_good(directory: Path) -> Backup | None:
    """Return the newest backup that verifies; None if there is none."""
    for path in listed(directory):
        try:
            return verified(path)
        except JournalRefused:
            continue
    return None


def rehearse(path: Path, database: Path) -> Rehearsal:
    """Return what restoring `path` over `database` would do. Raises JournalRefused."""
    backup = verified(path)
    try:
        mark = watermark.read(watermark.beside(database))
    except watermark.WatermarkLost:
        mark = None
    return Rehearsal(backup, mark.seq if mark is not None else backup.head.seq)


def restore(path: Path, database: Path, now: Nanos, *, accept_loss: bool = False) -> Rehearsal:
    """Put a verified backup in the place of `database`, with no engine running.

    Raises JournalRefused if entries would be lost and `accept_loss` is not set, DirectoryHeld if
    an engine has the directory. What was there is kept under `replaced/`.
    """
    with held(database.parent, now):
        plan = rehearse(path, database)
        if plan.lost and not accept_loss:
            raise JournalRefused(
                f"{path} ends at entry {plan.backup.head.seq}, the journal was at {plan.known}: "
                f"{plan.lost} entries would be lost (--accept-loss takes that)"
            )
        incoming = database.with_name(f"{database.name}.incoming")
        shutil.copyfile(path, incoming)
        incoming.chmod(0o600)
        sync(incoming)
        aside = database.parent / REPLACED / iso(now).replace(":", "")
        aside.mkdir(mode=0o700, parents=True)
        for suffix in ("", "-wal", "-shm"):
            old = database.with_name(database.name + suffix)
            if old.exists():
                old.rename(aside / old.name)
        incoming.rename(database)
        _put_watermark(database, plan.backup.head, aside)
        sync(database.parent)
        return plan


def _put_watermark(database: Path, head: Head, aside: Path) -> None:
    """Replace the watermark in one step, keeping a copy of the old one."""
    place = watermark.beside(database)
    fresh = place.with_name(f"{place.name}.incoming")
    fresh.unlink(missing_ok=True)
    watermark.Watermark(fresh, head).close()
    if place.exists():
        shutil.copyfile(place, aside / place.name)
    fresh.replace(place)
