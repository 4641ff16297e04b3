"""What every venue promises. A new venue is one more line in MADE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from engine.domain.event import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected
from engine.domain.ids import Nanos, OrderId, PositionId
from engine.domain.market import Tick
from engine.domain.money import price, qty
from engine.domain.order import ExitKind, ExitReason, Order, OrderType, Side
from engine.domain.truth import OpenOrder
from engine.ports.venue import Accountant, Venue, VenueReport
from engine.runtime.clock import ManualClock
from engine.venues import VENUES, adapter
from engine.venues.paper.settings import PaperSettings
from tests.builders import INR, NIFTY, PUT_25900

Show = Callable[[str], None]
"""Lets the market trade at a price."""


class Bench:
    """A venue with a market that a test moves; `books` is the same venue asked for its account."""

    def __init__(self, venue: Venue, show: Show, books: Accountant) -> None:
        self.venue = venue
        self.books = books
        self.show = show
        self.said: list[VenueReport] = []
        venue.report = self.said.append


def _paper() -> Bench:
    clock = ManualClock(Nanos(1_000_000_000))
    venue = adapter(VENUES, "paper")(clock, PaperSettings(cash={INR: Decimal(100_000)}))

    def show(last: str) -> None:
        venue.on_tick(Tick(NIFTY, price(last), clock.now()))

    return Bench(venue, show, venue)


MADE: Final[dict[str, Callable[[], Bench]]] = {"paper": _paper}

ENTRY = Order(OrderId("s1-1"), NIFTY, Side.BUY, qty(75), PositionId("s1-1"))
EXIT = replace(
    ENTRY, id=OrderId("s1-2"), side=Side.SELL, exit=ExitReason(ExitKind.MANUAL, "manual")
)


@pytest.fixture(params=sorted(MADE))
def bench(request: pytest.FixtureRequest) -> Bench:
    return MADE[str(request.param)]()


def test_every_registered_venue_is_held_to_the_contract() -> None:
    assert set(MADE) == set(VENUES)


async def test_a_market_order_ends_in_fills_that_sum_to_its_quantity(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(ENTRY, PUT_25900)
    bench.show("30")
    fills = [report.fill for report in bench.said if isinstance(report, OrderFilled)]
    assert sum(fill.qty for fill in fills) == 75
    assert {fill.order for fill in fills} == {ENTRY.id}
    assert len({fill.id for fill in fills}) == len(fills)


async def test_the_same_id_submitted_twice_trades_once(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(ENTRY, PUT_25900)
    await bench.venue.submit(ENTRY, PUT_25900)
    bench.show("31")
    ids = {report.fill.id for report in bench.said if isinstance(report, OrderFilled)}
    known = await bench.venue.look_up(ENTRY.id)
    assert known is not None
    fills = [report.fill for report in known if isinstance(report, OrderFilled)]
    assert {fill.id for fill in fills} == ids
    assert sum(fill.qty for fill in fills) == 75


async def test_an_exit_closes_what_an_entry_opened(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(ENTRY, PUT_25900)
    bench.show("31")
    await bench.venue.submit(EXIT, PUT_25900)
    bench.show("31")
    known = await bench.venue.look_up(EXIT.id)
    assert known is not None
    assert isinstance(known[-1], OrderFilled)


async def test_an_order_that_does_not_fill_at_once_is_acknowledged(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(replace(ENTRY, type=OrderType.LIMIT, price=price("20")), PUT_25900)
    assert [type(report) for report in bench.said] == [OrderAccepted]


async def test_a_cancelled_order_reports_it_and_trades_no_more(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(replace(ENTRY, type=OrderType.LIMIT, price=price("20")), PUT_25900)
    await bench.venue.cancel(ENTRY.id)
    bench.show("10")
    assert isinstance(bench.said[-1], OrderCancelled)


async def test_a_refused_order_is_reported_with_a_reason_and_not_raised(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(replace(ENTRY, qty=qty(7)), PUT_25900)
    (report,) = bench.said
    assert isinstance(report, OrderRejected)
    assert report.reason == "lot_size"


async def test_an_order_that_never_arrived_is_unknown(bench: Bench) -> None:
    assert await bench.venue.look_up(OrderId("never")) is None


async def test_an_account_that_never_traded_holds_nothing(bench: Bench) -> None:
    truth = await bench.books.account_truth(Nanos(0))
    assert (dict(truth.positions), truth.orders, truth.fills) == ({}, (), ())


async def test_the_account_is_the_sum_of_its_fills(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(ENTRY, PUT_25900)
    bench.show("30")
    truth = await bench.books.account_truth(Nanos(0))
    assert dict(truth.positions) == {NIFTY: Decimal(75)}
    assert sum(execution.signed for execution in truth.fills) == 75
    told = [report.fill for report in bench.said if isinstance(report, OrderFilled)]
    assert [execution.fill for execution in truth.fills] == told
    await bench.venue.submit(EXIT, PUT_25900)
    bench.show("30")
    truth = await bench.books.account_truth(Nanos(0))
    assert dict(truth.positions) == {}
    assert sum(execution.signed for execution in truth.fills) == 0


async def test_fills_are_told_from_an_instant_on(bench: Bench) -> None:
    bench.show("30")
    await bench.venue.submit(ENTRY, PUT_25900)
    bench.show("30")
    (first,) = (await bench.books.account_truth(Nanos(0))).fills
    assert (await bench.books.account_truth(first.fill.at)).fills == (first,)
    assert (await bench.books.account_truth(Nanos(first.fill.at + 1))).fills == ()


async def test_an_order_that_waits_is_told_with_what_is_left_of_it(bench: Bench) -> None:
    bench.show("30")
    waiting = replace(ENTRY, type=OrderType.LIMIT, price=price("20"))
    await bench.venue.submit(waiting, PUT_25900)
    truth = await bench.books.account_truth(Nanos(0))
    assert truth.orders == (OpenOrder(ENTRY.id, NIFTY, Side.BUY, Decimal(75)),)
    await bench.venue.cancel(ENTRY.id)
    assert (await bench.books.account_truth(Nanos(0))).orders == ()


def test_an_unregistered_name_says_what_is_allowed() -> None:
    with pytest.raises(ValueError, match="was 'nyse', allowed: paper"):
        adapter(VENUES, "nyse")
