"""B-1 c: ticks per CPU second through the live inbox: engine task, executor, paper venue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

from engine.domain.command import SubmitSignal
from engine.domain.ids import CommandId, Nanos
from engine.domain.market import Tick
from engine.domain.money import qty
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.runtime.clock import SystemClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from engine.venues.replay.tape import TapeReader
from tests.bench import arena
from tests.bench.arena import CASH, CHURN, SETUP, USD
from tests.bench.figures import Figure
from tests.bench.scale import Scale
from tests.bench.streams import Stream

BATCH = 100
"""Ticks that a feed hands over at once."""
POSITIONS = 1000


async def rate(ticks: list[Tick], catalog: TapeReader) -> tuple[float, int]:
    """Return (ticks per CPU second, exits) of a live engine with 1 000 positions."""
    clock = SystemClock()
    terms = {instrument.id: instrument for instrument in catalog.instruments}
    venue = PaperVenue(clock, PaperSettings(cash={USD: CASH}))
    journal = MemoryJournal()
    engine = Engine(Core(terms), journal, clock)
    executor = Executor(venue, engine.submit, clock)
    engine.subscribe(executor.on_entry, lambda tick, _: venue.on_tick(tick))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(engine.run())
        sending = tasks.create_task(executor.run())
        engine.submit(arena.started(CHURN))
        await engine.offer(stamped(ticks[:SETUP], clock.now()))
        await drained(engine, executor)
        ids = tuple(terms)
        for number in range(POSITIONS):
            side = Side.SELL if number % 2 else Side.BUY
            wish = Signal(f"s{number}", ids[number % len(ids)], side, clock.now(), qty=qty("1"))
            engine.submit(SubmitSignal(CommandId(f"c{number}"), wish))
        await drained(engine, executor)
        if len(engine.state.positions) != POSITIONS:
            raise RuntimeError(f"opened {len(engine.state.positions)} of {POSITIONS} positions")
        work = stamped(ticks[SETUP:], clock.now())
        began = time.process_time()
        for start in range(0, len(work), BATCH):
            await engine.offer(work[start : start + BATCH])
        await drained(engine, executor)
        took = time.process_time() - began
        engine.stop()
        await running
        sending.cancel()
    return len(work) / took, sum(account.trades for account in engine.state.accounts.values())


def stamped(ticks: list[Tick], now: Nanos) -> list[Tick]:
    """Return `ticks` as of now, one nanosecond apart, so that none is stale."""
    return [replace(tick, at=Nanos(now + place)) for place, tick in enumerate(ticks)]


async def drained(engine: Engine, executor: Executor) -> None:
    """Return when nothing is queued and no order is waiting for its answer."""
    while engine.waiting or executor.waiting or engine.state.orders:
        await asyncio.sleep(0)
    await asyncio.sleep(0)


def run(scale: Scale) -> Iterator[Figure]:
    """Yield B-1c."""
    tape = arena.tape(Stream("churn", 100, SETUP + scale.pick(400_000, 100_000)))
    ticks = list(tape.ticks())
    rates, exits = [], 0
    for _ in range(scale.rounds):
        measured, exits = asyncio.run(rate(ticks, tape))
        rates.append(measured)
    least = scale.pick(300e3, 100e3)
    yield Figure(
        "B-1c",
        "live inbox: engine task, executor and paper venue, 1 000 positions churning",
        "ticks per CPU second",
        (len(ticks) - SETUP) * scale.rounds,
        median(rates),
        ">= 300 k",
        median(rates) >= least,
        note=f"{exits} exits a run",
    )
