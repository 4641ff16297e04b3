"""A stale, zero or endless price is none, and a clock that steps back leaves nothing unwatched."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition
from engine.domain.event import OrderFilled, OrderRequested, StopFired
from engine.domain.ids import CommandId, FillId, Nanos
from engine.domain.market import Tick
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.order import Fill, Order, Side
from engine.domain.quality_book import QualityBook
from engine.domain.silence import FeedClock, Hearing
from tests.builders import CATALOG, INR, NIFTY, SECOND, Desk, session, tick
from tests.floor import INSIDE, Floor, closing, entry

HOUR = 3600 * SECOND


def fired(desk: Desk) -> list[str]:
    return [e.reason.code for e in desk.events if isinstance(e, StopFired)]


def opened(at: int = 10 * HOUR) -> Desk:
    desk = Desk().start(session())
    desk.tick(tick("30.00", at))
    desk.open("a")
    return desk


def test_a_stale_price_moves_no_peak() -> None:
    desk = opened()
    desk.tick(tick("60.00", desk.now - 2 * HOUR))  # a late snapshot, from before the entry
    desk.tick(tick("31.00", desk.now + SECOND))
    desk.pass_time(1)
    assert fired(desk) == []
    (position,) = desk.state.positions.values()
    assert desk.state.peak(position) < Decimal(60)


@pytest.mark.parametrize("side", Side)
def test_a_quote_of_zero_is_nobodys_price(side: Side) -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry(side=side))
    floor.tick("29.00", after=1, bid="0", ask="0")
    floor.place(closing(side=side.opposite))
    assert [p for _, p, _ in floor.fills] == ["30.00", "29.00"]


def test_a_price_from_after_now_is_not_fresh() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    ahead = Tick(NIFTY, Price(Decimal(60)), Nanos(INSIDE + HOUR))
    floor.venue.on_tick(ahead)  # then the clock was set right
    floor.place(closing())
    assert [p for _, p, _ in floor.fills] == ["30.00"]
    floor.tick("29.00", after=1)
    assert [p for _, p, _ in floor.fills] == ["30.00", "29.00"]


def test_a_position_waits_a_second_at_most_for_its_guard_whatever_the_clock_does() -> None:
    desk = opened()
    desk.holds = True
    desk.tick(tick("20.00", desk.now + SECOND))
    assert fired(desk) == ["stop_loss_hit"]
    desk.answer(desk.reject)
    desk.now = Nanos(desk.now - HOUR)  # the clock was an hour ahead
    desk.tick(replace(tick("19.00"), at=desk.now))
    desk.pass_time(0.25)
    assert fired(desk) == ["stop_loss_hit"] * 2


def test_ticks_go_on_when_the_clock_steps_back() -> None:
    book = QualityBook(CATALOG)
    now = Nanos(10 * HOUR)
    assert book.accept(tick("30.00", now), now) is None
    assert book.accept(tick("30.05", now - SECOND), now) == "out_of_order"
    back = Nanos(now - HOUR)
    assert book.accept(tick("30.05", back), back) is None
    assert book.accept(tick("30.10", back + SECOND), Nanos(back + SECOND)) is None
    assert book.accept(tick("30.10", back), Nanos(back + SECOND)) == "out_of_order"


def test_a_feed_that_says_nothing_is_silent_though_the_clock_stepped_back() -> None:
    feed = FeedClock()
    for second in range(30):
        feed.hear(Nanos(10 * HOUR + second * SECOND))
    assert feed.look(Nanos(9 * HOUR), is_open=True) is Hearing.LIVE
    assert feed.look(Nanos(9 * HOUR + 10 * SECOND), is_open=True) is Hearing.SILENT


@pytest.mark.parametrize("name", ["price", "volume", "oi", "bid", "ask"])
def test_a_number_without_end_does_not_come_in(name: str) -> None:
    endless = Decimal("30." + "1" * 80)
    sample = replace(tick("30.00", 1), **{name: endless})  # type: ignore[arg-type]
    assert QualityBook(CATALOG).accept(sample, Nanos(1)) is not None


def test_a_price_that_a_float_cannot_hold_does_not_come_in() -> None:
    book = QualityBook(CATALOG)
    assert book.accept(tick("95051.123456789012345", 1), Nanos(1)) == "price_invalid"
    for plain in ("95051.1234567891", "0.00000001", "999999999.95", "0.30000000000000004"):
        assert book.accept(tick(plain, 2), Nanos(2)) is None


def test_a_stop_passed_while_a_part_was_being_closed_fires_when_that_is_done() -> None:
    desk = Desk().start(session())
    desk.tick(tick("30.00", 10 * HOUR))
    desk.open("a", size="150")
    desk.holds = True
    (position,) = desk.state.positions.values()
    desk.give(ClosePosition(CommandId("c"), position.id, "t", qty=Qty(Decimal(75))))
    desk.tick(tick("20.00", desk.now + SECOND))  # beyond the stop, but an exit is in flight
    assert fired(desk) == []
    desk.answer(lambda order: _filled(order, desk))
    assert fired(desk) == ["stop_loss_hit"]
    exits = [e.order for e in desk.events if isinstance(e, OrderRequested) and e.order.exit]
    assert [o.qty for o in exits] == [75, 75]


def _filled(order: Order, desk: Desk) -> OrderFilled:
    fee = Money(ZERO, INR)
    fill = Fill(FillId("f"), order.id, Price(Decimal(20)), order.qty, fee, desk.now)
    return OrderFilled(fill)
