"""The product's live engine in a process of its own, fed by a socket; it notes how late it was.

`python -m tests.bench.victims.engine PLAN` with a `Plan` as JSON. It writes `ready` into its
directory once all positions are open, and `result.json` when SIGTERM ends it. A record's time is
when it was sent, by the clock of this machine.
"""

from __future__ import annotations

import asyncio
import json
import signal
import struct
import sys
import time
from array import array
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine import venues
from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.command import SubmitSignal
from engine.domain.event import Entry, OrderRejected, OrderRequested
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId
from engine.domain.instrument import Instrument
from engine.domain.market import Quote, Tick
from engine.domain.money import Price, qty
from engine.domain.order import Order, Side
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.link.hub import Hub
from engine.link.server import serving
from engine.ports.clock import Clock
from engine.ports.venue import FeedItem, Venue, VenueReport
from engine.runtime.clock import SystemClock
from engine.store.resilient import ResilientJournal
from engine.store.writer import Writer
from tests.bench.arena import CASH
from tests.bench.streams import listed

RECORD = struct.Struct("<Iqd")
"""Instrument index, UTC nanoseconds when it was sent, price."""
OPENING = "100"
RULES = {
    "initial": {"pct": Decimal("0.02")},
    "trailing": {"activation_pct": Decimal("0.0002"), "pct": Decimal("0.02")},
    "take_profit": {"pct": Decimal("0.5")},
}


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


class StallingDisk:
    """A disk that answers nobody for a while, now and then, whoever writes and whenever.

    It stands below the store: what the store hands to the disk meanwhile waits for the rest of it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._began = time.monotonic() - plan.stall_every_s / 2

    def under(self, writer: Writer) -> None:
        """Put this disk under what writes the store."""
        for name in ("append", "sync_watermark", "write_checkpoint"):
            setattr(writer, name, self._slow(getattr(writer, name)))

    def _slow(self, write: Callable[..., None]) -> Callable[..., None]:
        def slow(*given: Any) -> None:
            self._wait()
            write(*given)

        return slow

    def _wait(self) -> None:
        into = (time.monotonic() - self._began) % self._plan.stall_every_s
        if into < self._plan.stall_s:
            time.sleep(self._plan.stall_s - into)  # on the database thread, as a disk would


class BusyVenue:
    """A venue at 429."""

    def __init__(self, inner: Venue) -> None:
        self._inner, self.report = inner, inner.report
        self._asked = 0

    async def submit(self, order: Order, instrument: Instrument) -> None:
        self._asked += 1
        if self._asked % 20:
            self.report(OrderRejected(order.id, "rate_limited", "too many requests"))
        else:
            await self._inner.submit(order, instrument)

    async def cancel(self, order: OrderId) -> None:
        await self._inner.cancel(order)

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        return await self._inner.look_up(order)


class Meter:
    """Notes when ticks were decided and when exit intents were durable."""

    def __init__(self) -> None:
        self.decided = array("d")
        self.durable = array("d")
        self._newest: dict[InstrumentId, Nanos] = {}

    def on_tick(self, tick: Tick, _: Quote) -> None:
        self._newest[tick.instrument] = tick.at
        self.decided.append((time.time_ns() - tick.at) / 1e6)

    def on_entry(self, entry: Entry, _: State) -> None:
        event = entry.event
        if isinstance(event, OrderRequested) and event.order.exit is not None:
            sent = self._newest.pop(event.order.instrument, None)
            if sent is not None:  # the first exit of the position; what is tried again is older
                self.durable.append((time.time_ns() - sent) / 1e6)


class SocketFeed:
    """Implements engine.ports.venue.Feed: records from a socket, as they come."""

    name = "bench"
    plan: Plan
    terms: list[Instrument]

    def __init__(self, clock: Clock, **_: object) -> None:
        self._batches: asyncio.Queue[list[FeedItem]] = asyncio.Queue()

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return {item.id: item for item in self.terms}

    async def items(self) -> AsyncIterator[list[FeedItem]]:
        ids = [item.id for item in self.terms]
        path = Path(self.plan.folder) / "feed"
        loop = asyncio.get_running_loop()
        await loop.create_unix_server(lambda: Intake(self._batches, ids), path)
        while True:
            yield await self._batches.get()


class Intake(asyncio.Protocol):
    """Cuts what arrives into ticks."""

    def __init__(self, batches: asyncio.Queue[list[FeedItem]], ids: Sequence[InstrumentId]) -> None:
        self._batches, self._ids = batches, ids
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // RECORD.size * RECORD.size
        self._rest = data[whole:]
        ids = self._ids
        self._batches.put_nowait(
            [
                Tick(ids[index], Price(Decimal(repr(price))), Nanos(sent))
                for index, sent, price in RECORD.iter_unpack(data[:whole])
            ]
        )


async def open_positions(live: LiveEngine, terms: list[Instrument]) -> None:
    """Price every instrument and hold one long position on each."""
    engine, now = live.engine, live.clock.now()
    for item in terms:
        engine.submit(Tick(item.id, Price(Decimal(OPENING)), now))
        wish = Signal(f"s-{item.id}", item.id, Side.BUY, now, qty=qty("1"))
        engine.submit(SubmitSignal(CommandId(f"c-{item.id}"), wish))
    while engine.waiting or live.executor.waiting or len(engine.state.positions) < len(terms):
        await asyncio.sleep(0.01)


async def main(plan: Plan) -> None:
    folder = Path(plan.folder)
    terms = listed(plan.positions)
    SocketFeed.plan, SocketFeed.terms = plan, terms
    venues.FEEDS["bench"] = f"{__name__}:SocketFeed"  # type: ignore[index]  # for this process
    options = LiveOptions(folder, feed="bench", rules=RULES, initial_capital=CASH, quality_gate=0.0)
    async with live_engine(options, SystemClock()) as live:
        hub, meter = Hub(live, live.clock), Meter()
        async with serving(hub, folder / "link"), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(live.run())
            telling = tasks.create_task(hub.run())
            await open_positions(live, terms)
            live.engine.subscribe(meter.on_entry, meter.on_tick)
            if plan.is_venue_busy:
                live.executor._venue = BusyVenue(live.venue)
            if plan.stall_s:
                assert isinstance(live.journal, ResilientJournal)
                StallingDisk(plan).under(live.journal.inner._writer)
            await until_ended(folder)
            write_result(folder, live, meter)
            live.stop("the bench is over")
            await running
            telling.cancel()


async def until_ended(folder: Path) -> None:
    """Say that ticks may come, and wait for SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    (folder / "ready").touch()
    await ended.wait()


def write_result(folder: Path, live: LiveEngine, meter: Meter) -> None:
    result = {
        "decided_ms": list(meter.decided),
        "durable_ms": list(meter.durable),
        "held": len(live.engine.state.positions),
    }
    (folder / "result.json").write_text(json.dumps(result), encoding="ascii")


if __name__ == "__main__":
    asyncio.run(main(Plan(**json.loads(sys.argv[1]))))
