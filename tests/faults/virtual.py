"""Virtual time: a loop whose clock jumps to its next timer, and a database without a thread.

Everything that waits in the engine waits on this loop, so a day passes as fast as its work can be
done, and the same seed takes the same steps. What other threads would do (the database, exports)
is done on the loop, in order, after a virtual delay.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import sqlite3
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

from engine.domain.ids import SECOND, Nanos

EPOCH: Final = 1_767_571_200 * SECOND
"""Monday, 5 January 2026, 00:00 UTC."""
GRID_S: Final = 0.25
"""What sleeps for so long or longer wakes together with others: a day has fewer turns."""


class _Jump(selectors.DefaultSelector):
    """Waits for no file: what would be waited for is over at once, in virtual time."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout != 0 and not self.loop.wake(timeout):
            if timeout is None:
                raise RuntimeError("nothing is left that could ever happen")
            self.loop.at += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` stands still while anything can run, then jumps."""

    at = 0.0

    def __init__(self) -> None:
        selector = _Jump()
        selector.loop = self
        super().__init__(selector)

        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def time(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Sleep, cheaper than with a timer; longer sleeps end together, on a grid of GRID_S."""
        when = self.at + max(0.0, seconds)
        if seconds >= GRID_S:
            when = math.ceil(when / GRID_S - 1e-6) * GRID_S
        future: asyncio.Future[None] = self.create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (when, self._count, future))
        await future

    def wake(self, timeout: float | None) -> bool:
        """Jump to whoever wakes next, if that is within `timeout`; return whether anybody does."""
        sleepers = self._sleepers
        while sleepers and sleepers[0][2].done():  # cancelled
            heapq.heappop(sleepers)
        if not sleepers or (timeout is not None and sleepers[0][0] > self.at + timeout):
            return False
        self.at = max(self.at, sleepers[0][0])
        while sleepers and sleepers[0][0] <= self.at:
            future = heapq.heappop(sleepers)[2]
            if not future.done():
                future.set_result(None)
        return True


class VirtualClock:
    """The engine's clock on a virtual loop; its wall time can be made to step."""

    def __init__(self, loop: VirtualLoop, epoch: int = EPOCH) -> None:
        self._loop = loop
        self._epoch = epoch
        self.stepped_s = 0.0
        """How far the wall clock is off."""

    @property
    def true_now(self) -> Nanos:
        """The time of the world, which no step of our clock moves."""
        return Nanos(self._epoch + int(self._loop.at * SECOND))

    def now(self) -> Nanos:
        return Nanos(self.true_now + int(self.stepped_s * SECOND))

    def monotonic(self) -> Nanos:
        return Nanos(int(self._loop.at * SECOND))

    async def sleep(self, seconds: float) -> None:
        await self._loop.sleep(seconds)


class Storage:
    """The database thread of one process: takes work in order, takes its time, fails when told."""

    def __init__(self, loop: asyncio.AbstractEventLoop, delay: Callable[[], float]) -> None:
        self._loop = loop
        self._delay = delay
        self._waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self.fault = ""
        """locked, full, eio-before, eio-after; empty: none."""
        self.is_dead = False
        self.works = 0
        self.dies_at: tuple[int, bool] | None = None
        """Number of the work that the process dies at, and whether after having done it."""
        self.die: Callable[[], None] = lambda: None

    def put_nowait(self, item: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        """Take work as aiosqlite's queue does."""
        self._waiting.append(item)
        if len(self._waiting) == 1:
            self._loop.call_later(self._delay(), self._next)

    def _next(self) -> None:
        future, work = self._waiting[0]
        self.works += 1
        number, after = self.dies_at or (0, False)
        if number == self.works and not after:
            self.die()
        if self.is_dead:
            self._fail_all()
            return
        try:
            result = work()
        except Exception as error:
            self._answer(future, error)
        else:
            if number == self.works:
                self.die()  # done, and nobody is told
                self._fail_all()
                return
            self._answer(future, None, result)
        self._waiting.popleft()
        if self._waiting:
            self._loop.call_later(self._delay(), self._next)

    def _answer(
        self, future: asyncio.Future[Any], error: Exception | None, result: object = None
    ) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def _fail_all(self) -> None:
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(sqlite3.OperationalError("the process is dead"))
                future.exception()  # nobody is left to ask for it


class FaultyConnection:
    """A sqlite3 connection whose transactions fail as its storage is told."""

    def __init__(self, real: sqlite3.Connection, storage: Storage) -> None:
        self._real = real
        self._storage = storage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        match self._storage.fault, sql:
            case "locked", "BEGIN IMMEDIATE":
                raise _failure("database is locked", "SQLITE_BUSY")
            case "full", "COMMIT":
                self._real.execute("ROLLBACK")
                raise _failure("database or disk is full", "SQLITE_FULL")
            case "eio-before", "COMMIT":
                self._real.execute("ROLLBACK")
                raise _failure("disk I/O error", "SQLITE_IOERR_FSYNC")
            case "eio-after", "COMMIT":
                self._real.execute("COMMIT")
                raise _failure("disk I/O error", "SQLITE_IOERR_FSYNC")
            case _:
                return self._real.execute(sql, *more)


def _failure(text: str, name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name
    return error


class InlineConnection:
    """Stands where aiosqlite.Connection does; its work is done by a `Storage`."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], storage: Storage) -> None:
        self._connector = connector
        self._tx = storage
        self._thread = SimpleNamespace(daemon=False)
        self._conn: Any = None

    def __await__(self) -> Generator[Any, None, InlineConnection]:
        yield from asyncio.sleep(0).__await__()
        if self._tx.is_dead:
            raise sqlite3.OperationalError("the process is dead")
        self._conn = FaultyConnection(self._connector(), self._tx)
        return self

    async def close(self) -> None:
        if self._conn is not None:
            self._conn.close()


async def at_once(work: Callable[..., Any], *args: Any) -> Any:
    """Stand in for `asyncio.to_thread`."""
    return work(*args)


@contextmanager
def instead(*what: tuple[object, str, object]) -> Iterator[None]:
    """Let names of modules or classes mean something else for a while."""
    before = [(where, name, getattr(where, name)) for where, name, _ in what]
    for where, name, value in what:
        setattr(where, name, value)
    try:
        yield
    finally:
        for where, name, value in reversed(before):
            setattr(where, name, value)
