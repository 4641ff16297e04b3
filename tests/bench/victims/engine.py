"""An engine in a process of its own, fed by a socket, that notes how long everything took.

`python -m tests.bench.victims.engine PLAN` with a `Plan` as JSON. It writes `ready` into its
directory once all positions are open, and `result.json` when SIGTERM ends it. Latencies are from
the sender's clock reading in each record (CLOCK_MONOTONIC is one clock for all processes).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import struct
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from engine.domain.command import Command, SubmitSignal
from engine.domain.event import Entry, OrderRejected, OrderRequested
from engine.domain.ids import CommandId, InstrumentId, Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.market import Quote, Tick
from engine.domain.money import Price, qty
from engine.domain.order import Order, Side
from engine.domain.session import Mode
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.link.hub import Hub
from engine.link.protocol import PROTOCOL, Lease, Pulse, Welcome
from engine.link.server import serving
from engine.link.source import EntryListener, Report, TickListener
from engine.ports.journal import START, Journal
from engine.runtime.clock import SystemClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.bench.arena import CASH, MOVING, USD, started
from tests.bench.streams import listed

RECORD = struct.Struct("<Iqd")
"""Instrument index, the sender's monotonic nanoseconds, price."""
OPENING = "100"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine is to be like."""

    folder: str
    positions: int = 100
    is_venue_busy: bool = False
    """The venue answers all but every 20th order with "too many requests"."""
    stall_s: float = 0.0
    """How long the disk stalls, once in `stall_every_s`."""
    stall_every_s: float = 10.0


class StallingJournal:
    """A journal on a disk that stalls now and then."""

    def __init__(self, inner: Journal, plan: Plan) -> None:
        self._inner, self._plan = inner, plan
        self._next = time.monotonic() + plan.stall_every_s / 2

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        if self._plan.stall_s and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._plan.stall_every_s
            await asyncio.sleep(self._plan.stall_s)
        await self._inner.append(entries, after)

    async def read(self, after: Seq = START) -> list[Entry]:
        return await self._inner.read(after)


class BusyVenue(PaperVenue):
    """A venue at 429."""

    is_busy = False
    _asked = 0

    def place(self, order: Order, instrument: Instrument) -> None:
        self._asked += 1
        if self.is_busy and self._asked % 20:
            self.report(OrderRejected(order.id, "rate_limited", "too many requests"))
        else:
            super().place(order, instrument)


class Source:
    """The engine as its link sees it."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        self._engine, self._plan = engine, plan
        self._reports: list[Callable[[Report], None]] = []

    @property
    def quotes(self) -> Mapping[InstrumentId, Quote]:
        return self._engine.core.quotes

    def welcome(self) -> Welcome:
        engine = self._engine
        return Welcome(
            PROTOCOL, os.getpid(), engine.clock.now(), self._plan.folder, "paper", "bench", "UTC",
            engine.state, tuple(self.quotes.values()), tuple(engine.core.catalog.values()),
            None, None, self.pulse(), (), Lease("", is_mine=False),
        )  # fmt: skip

    def submit(self, command: Command) -> None:
        self._engine.submit(command)

    def subscribe(self, on_entry: EntryListener, on_tick: TickListener) -> None:
        self._engine.subscribe(on_entry, on_tick)

    def watch(self, on_report: Callable[[Report], None]) -> None:
        self._reports.append(on_report)

    def pulse(self) -> Pulse:
        engine = self._engine
        return Pulse(
            engine.clock.now(), engine.state.seq, engine.core.ticks, 0.0, Nanos(0),
            is_feed_up=True, is_persisted=engine.is_persisted,
        )  # fmt: skip

    async def beat(self) -> None:
        """Tell the pulse twice a second."""
        while True:
            await asyncio.sleep(0.5)
            for report in self._reports:
                report(self.pulse())


class Meter:
    """Notes when ticks were decided and when exit intents were durable."""

    def __init__(self) -> None:
        self.decided = array("d")
        self.durable = array("d")
        self.sent: deque[int] = deque()
        self._crossed: dict[InstrumentId, int] = {}

    def on_tick(self, tick: Tick, _: Quote) -> None:
        if self.sent:
            sent = self.sent.popleft()
            self._crossed[tick.instrument] = sent
            self.decided.append((time.monotonic_ns() - sent) / 1e6)

    def on_entry(self, entry: Entry, _: State) -> None:
        event = entry.event
        if isinstance(event, OrderRequested) and event.order.exit is not None:
            sent = self._crossed.pop(event.order.instrument, None)
            if sent is not None:  # the first exit of the position; what is tried again is older
                self.durable.append((time.monotonic_ns() - sent) / 1e6)


class Intake(asyncio.Protocol):
    """Takes records from the socket straight into the inbox."""

    def __init__(self, engine: Engine, meter: Meter, ids: Sequence[InstrumentId]) -> None:
        self._engine, self._meter, self._ids = engine, meter, ids
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // RECORD.size * RECORD.size
        self._rest = data[whole:]
        now = self._engine.clock.now()
        for index, sent, price in RECORD.iter_unpack(data[:whole]):
            self._meter.sent.append(sent)
            self._engine.submit(Tick(self._ids[index], Price(Decimal(repr(price))), now))


async def open_positions(engine: Engine, executor: Executor, terms: list[Instrument]) -> None:
    """Price every instrument and hold one long position on each."""
    engine.submit(started(MOVING))
    now = engine.clock.now()
    for item in terms:
        engine.submit(Tick(item.id, Price(Decimal(OPENING)), now))
        wish = Signal(f"s-{item.id}", item.id, Side.BUY, now, qty=qty("1"))
        engine.submit(SubmitSignal(CommandId(f"c-{item.id}"), wish))
    while engine.waiting or executor.waiting or len(engine.state.positions) < len(terms):
        await asyncio.sleep(0.01)


async def main(plan: Plan) -> None:
    folder, clock, terms = Path(plan.folder), SystemClock(), listed(plan.positions)
    stamp = Stamp(Mode.PAPER, "paper")
    async with SqliteJournal.open(folder / "holdfast.db", stamp, clock.now()) as store:
        core = Core({item.id: item for item in terms})
        engine = Engine(core, StallingJournal(store, plan), clock)
        venue = BusyVenue(clock, PaperSettings(cash={USD: CASH}))
        executor = Executor(venue, engine.submit, clock)
        engine.subscribe(executor.on_entry, lambda tick, _: venue.on_tick(tick))
        meter, source = Meter(), Source(engine, plan)
        hub = Hub(source, clock)
        engine.subscribe(meter.on_entry, meter.on_tick)
        works = (engine.run(), engine.run_timer(), executor.run(), hub.run(), source.beat())
        async with serving(hub, folder / "link"), asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in works]
            await open_positions(engine, executor, terms)
            venue.is_busy = plan.is_venue_busy
            await serve_ticks(engine, meter, terms, folder)
            for task in running:
                task.cancel()


async def serve_ticks(engine: Engine, meter: Meter, terms: list[Instrument], folder: Path) -> None:
    """Take ticks until SIGTERM; then write down what was noted."""
    ids = [item.id for item in terms]
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await loop.create_unix_server(lambda: Intake(engine, meter, ids), folder / "feed")
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    (folder / "ready").touch()
    await ended.wait()
    result = {
        "decided_ms": list(meter.decided),
        "durable_ms": list(meter.durable),
        "held": len(engine.state.positions),
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="ascii")


if __name__ == "__main__":
    asyncio.run(main(Plan(**json.loads(sys.argv[1]))))
