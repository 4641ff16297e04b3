"""Looking back shares the loop with the engine that watches: no exit waits for the past."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from engine.domain.ids import SECOND, Nanos
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.domain.risk import Limits
from engine.runtime.clock import ManualClock
from engine.runtime.hindsight import Hindsight
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import BTC, CATALOG
from tests.property.test_hindsight_equals_living import BEGIN, CASH, Life

AWAY = 3_000
"""Seconds that the gap lasts."""


def priced(at: int) -> Tick:
    return Tick(BTC, Price(Decimal(90_000)), Nanos(at))


async def turns_of_others(ticks: list[Tick]) -> int:
    """Return how often something else had its turn while a gap was looked back at."""
    life = Life()
    life.begin(Limits())
    life.take(priced(BEGIN + SECOND))
    life.buy(2)
    then, since = life.core.state, life.clock.now()
    assert then.positions
    clock = ManualClock()
    venue = PaperVenue(clock, PaperSettings(cash=CASH, leverage=Decimal(1)))
    for position in then.positions.values():
        venue.hold(position)
    hindsight = Hindsight(CATALOG, then, venue, clock, since)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count())
        await hindsight.take(ticks)
        await hindsight.seen(Nanos(since + (AWAY + 2) * SECOND))
        counting.cancel()
    return turns


async def test_a_busy_gap_holds_up_nobody() -> None:
    ticks = [priced(BEGIN + 2 * SECOND + number * 1_000_000) for number in range(3_000)]
    assert await turns_of_others(ticks) > len(ticks) // 50


async def test_a_gap_of_many_seconds_holds_up_nobody() -> None:
    ticks = [priced(BEGIN + (2 + number) * SECOND) for number in range(AWAY)]
    assert await turns_of_others(ticks) > AWAY // 20
