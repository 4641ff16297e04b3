"""The paper venue's own book across restarts, and the profiles."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.event import OrderCancelled, OrderFilled
from engine.domain.ids import OrderId
from engine.domain.money import Currency, price
from engine.domain.order import OrderType
from engine.venues.paper.settings import PROFILES
from tests.builders import INR, NIFTY
from tests.floor import CASH, INDIAN, Floor, closing, entry


def test_the_book_survives_a_restart_with_positions_waiting_orders_and_history() -> None:
    floor = Floor()
    floor.tick("30.00", oi="7")
    floor.place(entry())
    floor.place(replace(closing(), type=OrderType.STOP, price=price("22.50")))
    floor.place(entry("bad", size="1"))
    saved = json.loads(json.dumps(floor.venue.book()))

    again = Floor()
    again.venue.restore(saved)
    assert again.venue.book() == saved
    assert again.venue.account() == floor.venue.account()
    assert again.venue.positions() == {NIFTY: Decimal(75)}
    assert again.place(entry()) == floor.said[:1]
    again.tick("22.00", after=1)
    assert again.fills[-1] == ("x1-f1", "22.00", "75")
    assert again.cash == 100_000 - 8 * 75


@pytest.mark.parametrize("data", [{}, {"version": 2}, {"version": 1, "account": [], "orders": []}])
def test_something_else_than_a_book_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"paper book|version"):
        Floor().venue.restore(data)


async def test_a_fill_that_the_journal_knows_is_learned_once() -> None:
    floor = Floor()
    floor.tick("30.00")
    (report,) = floor.place(entry())
    assert isinstance(report, OrderFilled)
    again = Floor()
    again.venue.learn(entry(), report.fill, INDIAN)
    again.venue.learn(entry(), report.fill, INDIAN)
    assert again.venue.account() == floor.venue.account()
    assert again.venue.positions() == floor.venue.positions()
    assert await again.venue.look_up(OrderId("o1")) == (report,)
    assert again.place(entry()) == [report]


async def test_what_is_left_of_a_learned_order_is_not_worked_on_but_can_be_cancelled() -> None:
    floor = Floor(replace(CASH, is_partial=True))
    floor.tick("30.00", ask="30.00", ask_size="75")
    floor.place(entry(size="150"))
    partial = floor.said[-1]
    assert isinstance(partial, OrderFilled)
    again = Floor()
    again.venue.learn(entry(size="150"), partial.fill, INDIAN)
    again.tick("30.00", after=1)
    assert again.fills == []
    await again.venue.cancel(OrderId("o1"))
    assert again.said == [OrderCancelled(OrderId("o1"), "cancelled")]
    assert again.venue.positions() == {NIFTY: Decimal(75)}


def test_an_exit_of_a_position_that_the_book_lost_still_fills() -> None:
    floor = Floor()
    floor.tick("30.00")
    floor.place(closing())
    assert floor.fills == [("x1-f1", "30.00", "75")]
    assert floor.cash == 100_000
    assert floor.venue.positions() == {}


def test_the_profiles_are_those_of_the_specification() -> None:
    nifty, perpetual = PROFILES["nifty-paper"], PROFILES["perp-paper"]
    assert (nifty.cash[INR], nifty.default_qty) == (Decimal(100_000), Decimal(75))
    assert perpetual.cash[Currency("USDC")] == 10_000
    assert (perpetual.leverage, perpetual.capital_per_position) == (Decimal(10), Decimal(200))
