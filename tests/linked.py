"""A real engine behind a hub, with a console on either kind of link: for tests of the link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from engine.domain.command import Command
from engine.domain.ids import InstrumentId, Nanos, Seq
from engine.domain.log import LogRecord
from engine.domain.market import Quote
from engine.link.address import socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.hub import Hub
from engine.link.local import LocalLink
from engine.link.protocol import PROTOCOL, EngineLink, Lease, Pulse, Update, Welcome
from engine.link.server import Server, serving
from engine.link.source import EntryListener, Report, TickListener
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.store.memory import MemoryJournal
from tests.builders import CATALOG, session, tick

PATIENCE = 20.0
T = TypeVar("T")


def pulse(now: int = 0) -> Pulse:
    return Pulse(Nanos(now), Seq(0), 0, 0.0, Nanos(0), is_feed_up=True, is_persisted=True)


class Source:
    """The smallest engine that is one: core, journal in memory, no venue."""

    def __init__(self, clock: ManualClock, database: Path | None = None) -> None:
        self.database = database
        self.engine = Engine(Core(CATALOG), MemoryJournal(), clock)
        self.watchers: list[Callable[[Report], None]] = []

    @property
    def quotes(self) -> dict[InstrumentId, Quote]:
        return self.engine.core.quotes

    def welcome(self) -> Welcome:
        return Welcome(
            protocol=PROTOCOL,
            engine_pid=1,
            started_at=Nanos(0),
            data_dir="/nowhere",
            venue="paper",
            feed="test",
            time_zone="UTC",
            state=self.engine.state,
            quotes=tuple(self.quotes.values()),
            instruments=tuple(CATALOG.values()),
            health=None,
            quality=None,
            pulse=pulse(),
            logs=(),
            lease=Lease("", is_mine=False),
        )

    def submit(self, command: Command) -> None:
        self.engine.submit(command)

    def subscribe(self, on_entry: EntryListener, on_tick: TickListener) -> None:
        self.engine.subscribe(on_entry, on_tick)

    def watch(self, on_report: Callable[[Report], None]) -> None:
        self.watchers.append(on_report)

    def report(self, report: Report) -> None:
        for watcher in self.watchers:
            watcher(report)

    def log(self, text: str) -> None:
        self.report(LogRecord(Nanos(0), "info", "test", text))


class Ear:
    """Collects what a link says, and waits for what must be said."""

    def __init__(self) -> None:
        self.heard: list[Update] = []
        self._news = asyncio.Event()

    def __call__(self, update: Update) -> None:
        self.heard.append(update)
        self._news.set()

    def all_of(self, kind: type[T]) -> list[T]:
        return [update for update in self.heard if isinstance(update, kind)]

    async def until(self, is_said: Callable[[], bool]) -> None:
        """Return once `is_said`; fail after a patience that no machine needs."""
        async with asyncio.timeout(PATIENCE):
            while not is_said():
                self._news.clear()
                await self._news.wait()

    async def hears(self, kind: type[T], count: int = 1) -> list[T]:
        """Return the updates of `kind` once there are `count`."""
        await self.until(lambda: len(self.all_of(kind)) >= count)
        return self.all_of(kind)


class Room:
    """An engine, its hub and its server, running."""

    def __init__(self, source: Source, clock: ManualClock, hub: Hub, server: Server, path: Path):
        self.source, self.clock, self.hub, self.server, self.path = source, clock, hub, server, path

    def link(self, how: str, who: str = "one", *, is_read_only: bool = False) -> EngineLink:
        """Return a console's link, `socket` or `local`."""
        hello = Hello(who, f"client-{who}", is_read_only=is_read_only)
        return SocketLink(self.path, hello) if how == "socket" else LocalLink(self.hub, hello)

    def tick(self, last: str, at: int = 0) -> None:
        self.source.engine.submit(tick(last, at))


@asynccontextmanager
async def room(tmp_path: Path, database: Path | None = None) -> AsyncIterator[Room]:
    """Yield a running engine whose session has begun; the hub's timer is left to the test.

    Its journal is in memory; of the past it tells what the store at `database` holds.
    """
    clock = ManualClock()
    source = Source(clock, database)
    await source.engine.settle(session())
    hub = Hub(source, clock)
    path = socket_path(tmp_path)
    async with asyncio.TaskGroup() as tasks, serving(hub, path) as server:
        running = tasks.create_task(source.engine.run())
        yield Room(source, clock, hub, server, path)
        running.cancel()
