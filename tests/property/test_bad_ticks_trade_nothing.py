"""A hundred thousand bad ticks lead to no order, and the one true gap among them does (S-23)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.domain.event import StopFired
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.domain.quality import REFUSING
from engine.domain.quality_book import QualityBook
from engine.runtime.clock import ManualClock
from engine.runtime.engine import Engine
from engine.runtime.host import Host
from engine.runtime.monitor import Monitor
from engine.store.memory import MemoryJournal
from tests.builders import BTC, CATALOG, SECOND, Desk, session, tick

START = Nanos(1_769_753_527 * SECOND)
COUNT = 100_000
THROUGH_THE_STOP = Price(Decimal(40_000))

Spoil = Callable[[Tick, random.Random], Tick]


def with_(**change: Any) -> Spoil:
    return lambda good, _: replace(good, **change)


def price(value: object) -> Spoil:
    return with_(price=value)


ODD: tuple[object, ...] = ("40000", 40_000.0, 40_000, True, None, b"40000", [])
SPOILT: tuple[Spoil, ...] = (
    *(
        price(Decimal(text))
        for text in ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "1E+16")
    ),
    *map(price, ODD),
    *(with_(volume=Decimal(text)) for text in ("NaN", "-1", "Infinity")),
    *(with_(oi=Decimal(text)) for text in ("NaN", "-1", "-Infinity")),
    *(with_(bid=Decimal(text)) for text in ("sNaN", "-1")),
    with_(ask="40000"),
    with_(instrument=InstrumentId("BTC_USDC-PERPETUA1")),
    lambda good, chance: replace(good, at=Nanos(good.at + chance.randint(6, 10**6) * SECOND)),
    lambda good, chance: replace(good, at=Nanos(good.at - chance.randint(1, 10**9))),
    lambda good, chance: replace(good, price=Price(Decimal(-chance.random()))),
)


class Door:
    """A position over its stop, behind the door that a live feed passes."""

    def __init__(self, directory: Path) -> None:
        self.desk = Desk()
        self.desk.now = START
        self.desk.start(session())
        self.desk.tick(tick("60000", START, BTC))
        self.desk.open("a", BTC, size="0.001")
        engine = Engine(self.desk.core, MemoryJournal(), ManualClock(START))
        self.monitor = Monitor(engine, engine.clock, QualityBook(CATALOG), Host(directory))
        self.monitor.accept(tick("60000", START, BTC), START)

    def give(self, given: Tick) -> bool:
        is_accepted = self.monitor.accept(given, START)
        if is_accepted:
            self.desk.tick(given)
        return is_accepted


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


def test_bad_ticks_lead_to_no_order_and_the_gap_among_them_to_its_exit(door: Door) -> None:
    chance = random.Random(7)
    before = door.desk.state
    good = replace(tick("40000", START, BTC), price=THROUGH_THE_STOP)
    kinds: Counter[int] = Counter()
    for _ in range(COUNT):
        kind = chance.randrange(len(SPOILT))
        kinds[kind] += 1
        assert not door.give(SPOILT[kind](good, chance))
    assert len(kinds) == len(SPOILT)
    assert door.desk.state == before
    report = door.monitor.book.report(START)
    assert sum(count for _, count in report.refused) == COUNT
    assert {reason for reason, _ in report.refused} <= REFUSING | {"unknown_instrument"}
    assert door.give(good)
    assert any(isinstance(entry.event, StopFired) for entry in door.desk.entries)
    assert door.desk.state.positions == {}


@pytest.mark.parametrize("gap", ["59000", "45000.5", "45000", "44999.5", "1", "0.5"])
def test_a_fall_of_any_size_passes_the_door(door: Door, gap: str) -> None:
    for n in range(100):  # calm enough that any move is a jump
        at = Nanos(START + n)
        assert door.give(tick("60000" if n % 2 else "60000.5", at, BTC))
    assert door.give(tick(gap, START + 100, BTC))
    is_through = Decimal(gap) <= 45_000
    assert (door.desk.state.positions == {}) is is_through
