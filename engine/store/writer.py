"""The one connection that writes. Everything here runs on the database thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from engine.domain.event import Entry
from engine.domain.ids import Nanos, Seq
from engine.ports.journal import JournalConflict, JournalError, NotWritten, OutcomeUnknown
from engine.store import watermark
from engine.store.bulk import Bulk
from engine.store.chain import COLUMNS, Head, RowTuple
from engine.store.checkpoint import Checkpoint, Recovered, recover
from engine.store.opening import BUSY_S, verified
from engine.store.projections import Changes
from engine.store.rows import entry_of
from engine.store.stamp import Stamp

T = TypeVar("T")
EVENTS: Final = Bulk("events", COLUMNS.split(", "))
_STORED: Final = """
SELECT seq, at_ns, type, version, payload FROM events WHERE seq >= ? ORDER BY seq LIMIT ?
"""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the store's file, which exists, in explicit-transaction mode."""
    uri = f"{path.absolute().as_uri()}?mode=rw"  # rw, not rwc: sqlite never creates it
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)


class Writer:
    """Appends rows and projections, a transaction at a time."""

    def __init__(self, db: sqlite3.Connection, path: Path, stamp: Stamp, now: Nanos) -> None:
        checked = verified(db, path, stamp, now)
        self.head: Head = checked.head
        """The last durable row."""
        self.recovered: Recovered = recover(db)
        self._db, self._path = db, path
        stat = path.stat()
        self._file = (stat.st_dev, stat.st_ino)
        self._watermark = watermark.Watermark(watermark.beside(path), self.head)
        self._unsynced: OSError | None = None

    def append(self, rows: Sequence[RowTuple], changes: Changes, previous: Head) -> None:
        """Commit `rows`, which were chained to `previous`, with `changes`.

        Raises JournalConflict, NotWritten (nothing was committed) or OutcomeUnknown. The caller
        lets `sync_watermark` run after it, before the next one.
        """
        if self._unsynced is not None:
            raise OutcomeUnknown(f"{self._path}: watermark: {self._unsynced}") from self._unsynced
        if previous != self.head:
            raise JournalConflict(f"entry {rows[0][0]} does not follow {self.head.seq}")

        def write(db: sqlite3.Connection) -> None:
            try:
                EVENTS.write(db, rows)
            except sqlite3.IntegrityError as error:
                raise JournalConflict(f"entry {rows[0][0]} is taken: {error}") from error
            changes.write(db)

        self._in_transaction(write)
        self.head = Head(Seq(rows[-1][0]), rows[-1][-1])
        try:
            self._watermark.write(self.head)
        except OSError as error:
            raise OutcomeUnknown(f"{self._path}: watermark: {error}") from error

    def sync_watermark(self) -> None:
        """Put the watermark on the disk; an error is raised by the next `append`."""
        try:
            self._watermark.sync()
        except OSError as error:
            self._unsynced = error

    def stored(self, seq: int, count: int) -> list[Entry]:
        """Return at most `count` entries from `seq` on; -1: all. Raises CodecError."""
        return [entry_of(*row) for row in self._db.execute(_STORED, (seq, count))]

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Commit a checkpoint. Raises NotWritten or OutcomeUnknown."""
        self._in_transaction(checkpoint.write)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what `work` makes of the connection; it ends the transactions it begins."""
        return work(self._db)

    def close(self) -> None:
        """Put everything into the database file and close the watermark."""
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._watermark.close()

    def _in_transaction(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Run `write` in one immediate transaction; what raises says whether it can have landed."""
        db = self._db
        self._require_same_file()
        try:
            # IMMEDIATE: a deferred one would fail with BUSY_SNAPSHOT half-way, at once
            db.execute("BEGIN IMMEDIATE")
            write(db)
        except JournalError:
            self._roll_back()
            raise
        except sqlite3.Error as error:
            self._roll_back()
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise NotWritten(f"{self._path}: {error} ({name})") from error
        except BaseException:
            self._roll_back()
            raise
        try:
            db.execute("COMMIT")
        except sqlite3.Error as error:
            # Measured: after EIO in fdatasync the row was there when the file was opened again.
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            raise OutcomeUnknown(f"{self._path}: commit: {error} ({name})") from error

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _require_same_file(self) -> None:
        """A database renamed or deleted under us would take writes into nowhere, and say yes."""
        try:
            stat = self._path.stat()
        except OSError as error:
            raise NotWritten(f"{self._path}: {error.strerror}: the file is gone") from error
        if (stat.st_dev, stat.st_ino) != self._file:
            raise NotWritten(f"{self._path}: another file was put in its place")
