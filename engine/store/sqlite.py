"""A journal in one SQLite file: one writer, any number of readers (engine.store.reader).

A batch is encoded and chained in the caller's task, then committed in one hop to the database
thread: the thread never waits for the event loop in the middle of a transaction, and a cancelled
caller cannot leave one half open. Appends may overlap; they are committed in the order of calls.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import aiosqlite

from engine.domain import event as ev
from engine.domain.ids import Nanos, Seq
from engine.domain.state import State
from engine.ports.journal import (
    START,
    JournalConflict,
    JournalRefused,
    NotWritten,
    OutcomeUnknown,
)
from engine.store import audit
from engine.store.chain import Head
from engine.store.checkpoint import Recovered, checkpoint_of
from engine.store.opening import prepare_file
from engine.store.projections import project
from engine.store.rows import rows_of
from engine.store.stamp import Stamp
from engine.store.writer import Writer, connect

T = TypeVar("T")
SWITCH_S: Final = 0.0002
"""How long the database thread waits for the interpreter's lock, at most, after each statement.

It would be 5 ms, and while a busy loop makes the next batch ready the disk would stand idle.
"""
CLOSE_S: Final = 5.0
"""Longest wait for the database thread when closing; after it the process goes on without."""


class SqliteJournal:
    """Entries in table `events`, projections beside them; durable once `append` returns."""

    def __init__(self, path: Path, stamp: Stamp, now: Nanos) -> None:
        self.path, self._stamp, self._now = path, stamp, now
        self._db: aiosqlite.Connection
        self._writer: Writer
        self._tail: Head
        self._before: State
        self._checkpointed: Seq
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

    @property
    def since_checkpoint(self) -> int:
        """Durable entries that a recovery would have to fold; a long row of them is worth one."""
        return self._writer.head.seq - self._checkpointed

    is_persisted = True
    error = ""

    def identity(self) -> tuple[int, int] | None:
        """Return which file the path names now; None: none. It changes when it is replaced."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino)

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
        self._tail, self._before = Head(after.seq, rows[-1][-1]), after
        writer = self._writer
        commit = self._submit(lambda: writer.append(rows, changes, last))
        commit.add_done_callback(lambda done: self._settle_tail(done, last, before))
        self._submit(writer.sync_watermark)  # after the acknowledgement, before the next commit
        await asyncio.shield(commit)  # what was handed over is committed, whatever comes of us

    def _settle_tail(self, done: asyncio.Future[None], last: Head, before: State) -> None:
        """After a commit that failed: say where the next append has to start."""
        error = done.exception()
        if isinstance(error, OutcomeUnknown):
            self._unknown = True
        elif error is not None and self._writer.head == last:
            # Otherwise it only failed because an overlapping one before it did.
            self._tail, self._before = last, before

    async def read(self, after: Seq = START) -> list[ev.Entry]:
        """Return the entries with `seq` greater than `after`, in order."""
        return await self._submit(lambda: self._writer.stored(after + 1, -1))

    async def checkpoint(self, state: State, at: Nanos) -> None:
        """Keep `state`, which is durable, so that recovery starts from it. Raises JournalError."""
        await self._settle_outcome()
        made, writer = checkpoint_of(state, at), self._writer
        try:
            await asyncio.shield(self._submit(lambda: writer.write_checkpoint(made)))
        except OutcomeUnknown:
            self._unknown = True
            raise
        self._checkpointed = state.seq

    async def differences(self) -> list[audit.Difference]:
        """Return what the tables say and the journal does not. Reads all of it: seconds, in a
        connection and a thread of its own.
        """
        return await asyncio.to_thread(_read_only, self.path, audit.differences)

    async def on_writer(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Have `work` run on the writing connection, after everything submitted before."""
        return await self._submit(lambda: self._writer.run(work))

    async def repair(self) -> list[audit.Difference]:
        """Rebuild the tables from the journal, on a person's request; return what was wrong."""
        return await asyncio.shield(self._submit(lambda: self._writer.run(audit.repair)))

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
                await self._queue(writer.close)
        except TimeoutError:
            return  # the thread hangs in the disk; it is a daemon and dies with the process
        except (sqlite3.Error, OSError):
            pass  # the WAL stays, and the watermark: the next opening takes them in
        with suppress(sqlite3.Error):
            await self._db.close()

    async def _connect(self) -> None:
        path, stamp, now = self.path, self._stamp, self._now
        sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
        db = aiosqlite.Connection(lambda: connect(path), iter_chunk_size=64)
        # aiosqlite's thread is not a daemon: a crash before close() would hang the process.
        db._thread.daemon = True  # noqa: SLF001 -- no public way; version pinned, tested
        try:
            prepare_file(path)
            self._db = await db
        except (OSError, sqlite3.Error) as error:
            raise JournalRefused(f"{path}: cannot be opened: {error}") from error
        try:
            self._writer = await self._queue(lambda: Writer(db._conn, path, stamp, now))  # noqa: SLF001
        except OSError as error:
            await db.close()
            raise JournalRefused(f"{path}: watermark: {error}") from error
        except BaseException:
            await db.close()
            raise
        self._tail, self._before = self._writer.head, self.recovered.state
        self._checkpointed = self.recovered.from_checkpoint
        self._is_open, self._unknown = True, False

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the database thread run `work`, after everything submitted before."""
        if not self._is_open:
            raise NotWritten(f"{self.path}: the store is closed")
        return self._queue(work)

    def _queue(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Put `work` into the queue of aiosqlite's thread.

        Its public calls are one hop per statement; a transaction made of several lets a
        cancellation in between leave it open (measured), and each hop costs two wake-ups. Its own
        queue is the only way to run all of it at once. The version is pinned; tests hold this.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._db._tx.put_nowait((future, work))  # noqa: SLF001
        return future

    async def _settle_outcome(self) -> None:
        if self._unknown:
            async with self._reopening:
                if self._unknown:
                    await self.reopen()

    async def _require_already_written(self, entries: Sequence[ev.Entry]) -> None:
        """Accept an exact repetition of entries that are in the journal; refuse anything else."""
        first, writer = entries[0].seq, self._writer
        stored = await self._submit(lambda: writer.stored(first, len(entries)))
        if stored != list(entries):
            raise JournalConflict(f"entry {first} is taken; the journal is at {self._tail.seq}")


def _read_only(path: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("BEGIN")  # one snapshot for everything that is compared
        return work(db)
    finally:
        db.close()
