"""The paper venue: orders in, reports out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.event import OrderAccepted, OrderCancelled, OrderFilled
from engine.domain.gap import GAP_SOURCE
from engine.domain.ids import InstrumentId, Nanos, OrderId
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import price
from engine.domain.order import Order, OrderType, Side
from engine.ports.venue import VenueReport
from engine.runtime.clock import ManualClock
from engine.venues.paper.settings import Fees
from engine.venues.paper.venue import PaperVenue
from tests.builders import INR, NIFTY, SECOND
from tests.floor import CASH, INDIAN, INSIDE, Floor, closing, entry, rejected


def test_a_market_order_fills_at_once_at_the_price_of_the_tick_being_processed() -> None:
    floor = Floor()
    floor.tick("30.00", oi="1000")
    (report,) = floor.place(entry())
    assert isinstance(report, OrderFilled)
    assert (report.fill.price, report.oi) == (Decimal(30), Decimal(1000))
    assert report.fill.at == INSIDE
    assert floor.cash == 100_000 - 2250
    assert floor.venue.positions() == {NIFTY: Decimal(75)}


def test_a_round_trip_books_the_profit() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.tick("29.85", after=1)
    floor.place(closing())
    assert floor.cash == Decimal("99988.75")
    assert floor.venue.positions() == {}


def test_an_exit_booked_in_a_gap_fills_there_at_the_gaps_time() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.tick("25.00", after=600)
    then = Nanos(INSIDE + 90 * SECOND)
    booked = replace(
        closing(), reference=price("28.40"), reference_at=then, reference_source=GAP_SOURCE
    )
    (report,) = floor.place(booked)
    assert isinstance(report, OrderFilled)
    assert (report.fill.price, report.fill.at) == (Decimal("28.40"), then)
    assert floor.venue.positions() == {}
    assert floor.cash == 100_000 - 75 * Decimal("1.60")


def test_a_short_round_trip_books_the_profit() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry(side=Side.SELL))
    assert floor.venue.positions() == {NIFTY: Decimal(-75)}
    floor.tick("29.00", after=1)
    floor.place(closing(side=Side.BUY))
    assert floor.cash == 100_075


def test_without_a_price_an_order_waits_for_the_first_tick_of_its_instrument() -> None:
    floor = Floor()
    (report,) = floor.place(entry())
    assert isinstance(report, OrderAccepted)
    floor.venue.on_tick(Tick(InstrumentId("OTHER"), price("1"), INSIDE))
    assert floor.fills == []
    floor.tick("31.00", after=1)
    assert floor.fills == [("o1-f1", "31.00", "75")]


def test_a_stale_price_fills_nothing_and_the_next_tick_does() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.clock.set(Nanos(INSIDE + 61 * SECOND))
    (report,) = floor.place(closing())
    assert isinstance(report, OrderAccepted)
    floor.tick("20.00", after=5)
    assert floor.fills[-1] == ("x1-f1", "20.00", "75")


def test_a_price_of_exactly_the_limit_of_age_is_still_fresh() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.clock.set(Nanos(INSIDE + 60 * SECOND))
    floor.place(entry())
    assert floor.fills == [("o1-f1", "30.00", "75")]


def test_a_late_tick_does_not_fill_what_waits() -> None:
    floor = Floor()
    floor.place(entry())
    floor.venue.on_tick(Tick(NIFTY, price("30"), Nanos(INSIDE - 61 * SECOND)))
    assert floor.fills == []


def test_a_decision_inside_a_bar_fills_at_its_own_price() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.place(replace(closing(), reference=price("22.50"), reference_source="bar"))
    assert floor.fills[-1] == ("x1-f1", "22.50", "75")


def test_the_same_order_id_executes_once_and_repeats_what_was_said() -> None:
    floor = Floor()
    floor.tick("30.00")
    first = floor.place(entry())
    floor.tick("40.00", after=1)
    assert floor.place(entry()) == first
    assert floor.venue.positions() == {NIFTY: Decimal(75)}


async def test_look_up_tells_all_of_a_known_order_and_none_of_an_unknown_one() -> None:
    floor = Floor()
    floor.place(entry())
    floor.tick("30.00")
    known = await floor.venue.look_up(OrderId("o1"))
    assert known == tuple(floor.said)
    assert [type(report) for report in floor.said] == [OrderAccepted, OrderFilled]
    assert await floor.venue.look_up(OrderId("never")) is None


async def test_a_cancelled_order_never_fills() -> None:
    floor = Floor()
    floor.place(replace(entry(), type=OrderType.LIMIT, price=price("25")))
    await floor.venue.cancel(OrderId("o1"))
    assert floor.said[-1] == OrderCancelled(OrderId("o1"), "cancelled")
    floor.tick("20.00", after=1)
    assert floor.fills == []
    assert floor.venue.open_orders() == ()


async def test_cancelling_what_is_done_or_unknown_says_how_it_stands() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    await floor.venue.cancel(OrderId("o1"))
    assert isinstance(floor.said[-1], OrderFilled)
    await floor.venue.cancel(OrderId("never"))
    assert floor.said[2:] == [OrderCancelled(OrderId("never"), "not_found")]


def test_a_resting_stop_fills_beyond_itself_in_a_gap() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.place(replace(closing(), type=OrderType.STOP, price=price("22.50")))
    floor.tick("22.55", after=1)
    assert len(floor.fills) == 1
    floor.tick("19.00", after=1)
    assert floor.fills[-1] == ("x1-f1", "19.00", "75")


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (entry(size="70"), "lot_size"),
        (entry(size="750000"), "insufficient_funds"),
        (replace(entry(), type=OrderType.LIMIT, price=price("30.02")), "tick_size"),
        (replace(entry(), type=OrderType.STOP), "price_missing"),
        (replace(entry(), instrument=InstrumentId("OTHER")), "unknown_instrument"),
    ],
)
def test_an_order_that_a_venue_would_refuse_is_rejected_with_its_kind_of_reason(
    order: Order, reason: str
) -> None:
    floor = Floor()
    floor.tick("30.00")
    assert rejected(floor.place(order)) == reason
    assert floor.cash == 100_000


def test_an_index_is_not_tradable() -> None:
    floor = Floor(instrument=Instrument(NIFTY, Kind.INDEX, INR))
    floor.tick("30.00")
    assert rejected(floor.place(entry(size="1"))) == "not_tradable"


def test_what_is_not_listed_is_unknown() -> None:
    venue = PaperVenue(ManualClock(INSIDE), CASH, listed={})
    said: list[VenueReport] = []
    venue.report = said.append
    venue.place(entry(), INDIAN)
    assert rejected(said) == "unknown_instrument"


def test_outside_the_session_entries_are_refused_and_exits_fill() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(entry())
    floor.tick("31.00", after=6.5 * 3600)
    assert rejected(floor.place(entry("o2"))) == "market_closed"
    floor.place(closing())
    assert floor.fills[-1] == ("x1-f1", "31.00", "75")


def test_an_entry_that_waited_beyond_the_close_is_cancelled() -> None:
    floor = Floor()
    floor.place(entry())
    floor.tick("31.00", after=6.5 * 3600)
    assert floor.said[-1] == OrderCancelled(OrderId("o1"), "market_closed")


def test_an_exit_of_all_that_is_held_need_not_be_whole_lots() -> None:
    floor = Floor(instrument=replace(INDIAN, lot_size=Decimal(1)))
    floor.tick("30.00")
    floor.place(entry(size="70"))
    floor.instrument = INDIAN
    assert rejected(floor.place(closing("x0", size="10"))) == "lot_size"
    floor.place(closing(size="70"))
    assert floor.venue.positions() == {}


def test_too_many_orders_within_a_second_are_rate_limited() -> None:
    floor = Floor(replace(CASH, orders_per_second=2))
    floor.tick("30.00")
    floor.place(entry("o1"))
    floor.place(entry("o2"))
    assert rejected(floor.place(entry("o3"))) == "rate_limited"
    floor.tick("30.00", after=1)
    floor.place(entry("o4"))
    assert floor.fills[-1][0] == "o4-f1"


def test_a_waiting_entry_that_became_too_dear_is_rejected() -> None:
    floor = Floor()
    floor.place(entry(size="750"))
    floor.tick("200", after=1)
    assert rejected(floor.said[1:]) == "insufficient_funds"
    assert floor.cash == 100_000


def test_partial_fills_take_what_each_tick_shows() -> None:
    floor = Floor(replace(CASH, is_partial=True, fees=Fees(taker=Decimal("0.01"), cap=Decimal(30))))
    floor.tick("30.00", ask="30.00", ask_size="100", bid="29.95", bid_size="500")
    floor.place(entry(size="225"))
    assert floor.fills == [("o1-f1", "30.00", "75")]
    assert [order.qty for order in floor.venue.open_orders()] == [150]
    floor.tick("31.00", after=1, ask="31.00", ask_size="1000")
    assert floor.fills[1:] == [("o1-f2", "31.00", "150")]
    fees = [r.fill.fee.amount for r in floor.said if isinstance(r, OrderFilled)]
    assert fees == [Decimal("22.5"), Decimal("7.5")]


def test_two_orders_share_the_size_of_one_tick() -> None:
    floor = Floor(replace(CASH, is_partial=True))
    floor.tick("30.00", ask="30.00", ask_size="150")
    floor.place(entry("o1", size="75"))
    floor.place(entry("o2", size="150"))
    assert floor.fills == [("o1-f1", "30.00", "75"), ("o2-f1", "30.00", "75")]
