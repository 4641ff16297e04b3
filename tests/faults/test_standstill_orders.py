"""P08: an intent that became durable before a standstill is not sent before the venue was asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.bootstrap.waking import SOURCE
from engine.domain.command import ClosePosition, SubmitSignal
from engine.domain.event import Entry, OrderCancelled, OrderRequested
from engine.domain.ids import CommandId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.money import Qty
from engine.domain.order import Order, Side
from engine.domain.risk import Limits
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.truth import VenueTruth
from engine.runtime import standstill
from engine.runtime.clock import SystemClock
from tests.faults.test_standstill import BTC, Market, Record, until_so


class Asleep:
    """An engine that stands still while the intent of its next order is made durable."""

    def __init__(self, live: LiveEngine, patch: pytest.MonkeyPatch, seconds: float = 0.7) -> None:
        self.live, self.said, self.seconds = live, list[str](), seconds
        self.market = Market(live)
        self.is_tired = False
        self._append, self._ask = live.journal.append, live.venue.account_truth
        self._submit = live.venue.submit
        patch.setattr(live.source, "ticks", self.market.ticks)
        patch.setattr(live.journal, "append", self.append)
        patch.setattr(live.venue, "account_truth", self.account_truth)
        patch.setattr(live.venue, "submit", self.submit)

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        await self._append(entries, after)
        if self.is_tired and any(isinstance(e.event, OrderRequested) for e in entries):
            self.is_tired = False
            self.said.append("durable")
            self.market.price = Decimal(58_000)
            time.sleep(self.seconds)  # the whole process stands still

    async def account_truth(self, since: Nanos) -> VenueTruth:
        await asyncio.sleep(0.1)  # everything else would have time to be sent
        self.said.append("asked")
        return await self._ask(since)

    async def submit(self, order: Order, instrument: Instrument) -> None:
        self.said.append("exit" if order.exit else "entry")
        await self._submit(order, instrument)

    def buy(self, id_: str) -> None:
        wish = Signal(id_, BTC, Side.BUY, self.live.clock.now(), qty=Qty(Decimal("0.1")))
        self.live.submit(SubmitSignal(CommandId(id_), wish, "test"))

    def since_durable(self) -> list[str]:
        return self.said[self.said.index("durable") :]


def make_short(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(standstill, "GAP_S", 0.5)
    patch.setattr(standstill, "LATE_S", 0.4)


async def test_an_exit_is_sent_once_after_the_venue_was_asked_and_gets_the_price_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    make_short(monkeypatch)
    async with live_engine(LiveOptions(tmp_path), SystemClock()) as live, asyncio.TaskGroup() as t:
        made = Asleep(live, monkeypatch)
        t.create_task(live.run())
        await until_so(lambda: BTC in live.core.quotes)
        made.buy("a")
        await until_so(lambda: bool(live.core.state.positions))
        (id_,) = live.core.state.positions
        made.is_tired = True
        live.submit(ClosePosition(CommandId("x"), id_, "test"))
        await until_so(lambda: bool(live.core.state.closed))
        await until_so(lambda: SOURCE not in live.core.state.blocks)
        (trade,) = live.core.state.closed
        live.stop("test")
    assert made.since_durable()[:3] == ["durable", "asked", "exit"]
    assert made.said.count("exit") == 1
    assert abs(trade.exit - 58_000) < 100, "the price of now, not that of the decision"
    record_property("figure", "exits sent before the venue was asked: 0; after it: 1")


async def test_an_entry_on_a_price_from_before_is_cancelled_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_short(monkeypatch)
    entries: list[Entry] = []
    options = LiveOptions(tmp_path, limits=Limits(price_age_max_s=1))
    async with live_engine(options, SystemClock()) as live, asyncio.TaskGroup() as t:
        made = Asleep(live, monkeypatch, seconds=2.1)
        live.engine.subscribe(lambda entry, _state: entries.append(entry))
        t.create_task(live.run())
        await until_so(lambda: BTC in live.core.quotes)
        made.is_tired = True
        made.buy("a")
        await until_so(lambda: any(isinstance(e.event, OrderCancelled) for e in entries))
        assert not live.core.state.orders
        assert not live.core.state.positions
        live.stop("test")
    (why,) = [e.event.reason for e in entries if isinstance(e.event, OrderCancelled)]
    assert "the engine stood still" in why
    assert "entry" not in made.said
