"""A journal in one SQLite file: one writer, any number of readers (engine.store.reader).

A batch is encoded and chained in the caller's task, then committed in one hop to the database
thread: the thread never waits for the event loop in the middle of a transaction, and a cancelled
caller cannot leave one half open. Appends may overlap; they are committed in the order of calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import aiosqlite

from engine.domain import event as ev
from engine.domain.ids import Nanos, Seq
from engine.domain.state import State
from engine.ports.journal import (
    START,
    JournalConflict,
    JournalError,
    JournalRefused,
    OutcomeUnknown,
)
from engine.store import audit
from engine.store.chain import Head, Row
from engine.store.checkpoint import Recovered, checkpoint_of
from engine.store.opening import prepare_file
from engine.store.projections import project
from engine.store.rows import entry_of, rows_of
from engine.store.stamp import Stamp
from engine.store.writer import Writer, connect

T = TypeVar("T")
CLOSE_S: Final = 5.0
"""Longest wait for the database thread when closing; after it the process goes on without."""


class SqliteJournal:
    """Entries in table `events`, projections beside them; durable once `append` returns."""

    def __init__(self, path: Path, stamp: Stamp, now: Nanos) -> None:
        self._path, self._stamp, self._now = path, stamp, now
        self._db: aiosqlite.Connection
        self._writer: Writer
        self._tail: Head
        self._before: State
        self._is_open = False
        self._unknown = False
        self._reopening = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, stamp: Stamp, now: Nanos) -> AsyncIterator[SqliteJournal]:
        """Open the store at `path`, creating it where none was before; close it on exit.

        Raises JournalRefused if it is damaged, of another mode, venue or account, or newer.
        """
        journal = cls(path, stamp, now)
        await journal._connect()
        try:
            yield journal
        finally:
            await journal.close()

    @property
    def head(self) -> Seq:
        """The last durable entry."""
        return self._writer.head.seq

    @property
    def recovered(self) -> Recovered:
        """The state that was found when the store was opened."""
        return self._writer.recovered

    async def append(self, entries: Sequence[ev.Entry], after: State) -> None:
        """Add `entries` and the projections of `after`; see engine.ports.journal.Journal.

        After OutcomeUnknown the store is opened and checked anew first, so that trying the same
        append again until it returns is right: what did survive is not written twice.
        """
        if not entries:
            return
        await self._settle_outcome()
        if entries[0].seq <= self._tail.seq:
            await self._require_already_written(entries)
            return
        last = self._tail
        if [e.seq for e in entries] != list(range(last.seq + 1, last.seq + 1 + len(entries))):
            raise JournalConflict(
                f"entry {entries[0].seq} does not follow {last.seq} without a gap"
            )
        if after.seq != entries[-1].seq:
            raise JournalConflict(f"state is of entry {after.seq}, last was {entries[-1].seq}")
        before = self._before
        session = before.session.id if before.session else ""
        rows = rows_of(entries, last, session)
        changes = project(before, entries, after)
        self._tail, self._before = Head(after.seq, rows[-1].hash), after
        writer = self._writer
        try:
            # Shielded: what was handed over is committed, whatever becomes of the caller.
            await asyncio.shield(self._hop(lambda: writer.append(rows, changes, last)))
        except OutcomeUnknown:
            self._unknown = True
            raise
        except JournalError:
            if writer.head == last:  # not one that fails because an overlapping one before it did
                self._tail, self._before = last, before
            raise

    async def read(self, after: Seq = START) -> list[ev.Entry]:
        """Return the entries with `seq` greater than `after`, in order."""
        rows = await self._hop(lambda: self._writer.stored(after + 1, -1))
        return [entry_of(r.seq, r.at_ns, r.kind, r.version, r.payload) for r in rows]

    async def checkpoint(self, state: State, at: Nanos) -> None:
        """Keep `state`, which is durable, so that recovery starts from it. Raises JournalError."""
        await self._settle_outcome()
        made, writer = checkpoint_of(state, at), self._writer
        try:
            await asyncio.shield(self._hop(lambda: writer.write_checkpoint(made)))
        except OutcomeUnknown:
            self._unknown = True
            raise

    async def differences(self) -> list[audit.Difference]:
        """Return what the tables say and the journal does not. Reads all of it: seconds, in a
        connection and a thread of its own.
        """
        return await asyncio.to_thread(_read_only, self._path, audit.differences)

    async def repair(self) -> list[audit.Difference]:
        """Rebuild the tables from the journal, on a person's request; return what was wrong."""
        return await asyncio.shield(self._hop(lambda: self._writer.run(audit.repair)))

    async def reopen(self) -> Recovered:
        """After OutcomeUnknown: close, check everything again, and say what is durable."""
        await self.close()
        await self._connect()
        return self.recovered

    async def close(self) -> None:
        """Finish what was handed over and close; gives up after CLOSE_S."""
        if not self._is_open:
            return
        self._is_open, writer = False, self._writer
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._hop(writer.close)
        except TimeoutError:
            return  # the thread hangs in the disk; it is a daemon and dies with the process
        except sqlite3.Error:
            pass  # the WAL stays; the next opening takes it in
        await self._db.close()

    async def _connect(self) -> None:
        path, stamp, now = self._path, self._stamp, self._now
        db = aiosqlite.Connection(lambda: connect(path), iter_chunk_size=64)
        # aiosqlite's thread is not a daemon: a crash before close() would hang the process.
        db._thread.daemon = True  # noqa: SLF001 -- no public way; version pinned, tested
        try:
            prepare_file(path)
            self._db = await db
        except (OSError, sqlite3.Error) as error:
            raise JournalRefused(f"{path}: cannot be opened: {error}") from error
        try:
            self._writer = await self._hop(lambda: Writer(db._conn, path, stamp, now))  # noqa: SLF001
        except BaseException:
            await db.close()
            raise
        self._tail, self._before = self._writer.head, self.recovered.state
        self._is_open, self._unknown = True, False

    async def _hop(self, work: Callable[[], T]) -> T:
        """Run `work` on the database thread.

        aiosqlite's public calls are one hop per statement; a transaction made of several lets a
        cancellation in between leave it open (measured). Its own queue is the only way to run
        all of it at once. The version is pinned and a test holds it.
        """
        result: T = await self._db._execute(work)  # type: ignore[no-untyped-call]  # noqa: SLF001
        return result

    async def _settle_outcome(self) -> None:
        if self._unknown:
            async with self._reopening:
                if self._unknown:
                    await self.reopen()

    async def _require_already_written(self, entries: Sequence[ev.Entry]) -> None:
        """Accept an exact repetition of entries that are in the journal; refuse anything else."""
        first, writer = entries[0].seq, self._writer
        rows: list[Row] = await self._hop(lambda: writer.stored(first, len(entries)))
        stored = [entry_of(r.seq, r.at_ns, r.kind, r.version, r.payload) for r in rows]
        if stored != list(entries):
            raise JournalConflict(f"entry {first} is taken; the journal is at {self._tail.seq}")


def _read_only(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("BEGIN")  # one snapshot for everything that is compared
        return work(db)
    finally:
        db.close()
