"""Which price fills an order: tables of cases."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.ids import Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import Currency, Price, price, qty
from engine.domain.order import Order, OrderType, Side
from engine.venues.paper.matching import fee_of, margin_of, resting_price, slipped, touch
from engine.venues.paper.settings import Fees, PaperSettings
from tests.builders import NIFTY, PERPETUAL, PUT_25900

BUY, SELL = Side.BUY, Side.SELL
LIMIT, STOP, TARGET = OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT


def order(side: Side, type_: OrderType = OrderType.MARKET, at: str | None = None) -> Order:
    return Order(
        OrderId("o1"),
        NIFTY,
        side,
        qty(75),
        PositionId("p1"),
        type_,
        price(at) if at else None,
    )


def tick(last: str, bid: str | None = None, ask: str | None = None) -> Tick:
    return Tick(
        NIFTY,
        price(last),
        Nanos(0),
        bid=Decimal(bid) if bid else None,
        ask=Decimal(ask) if ask else None,
    )


@pytest.mark.parametrize(
    ("side", "given", "paid"),
    [
        (BUY, tick("30", "29.9", "30.1"), "30.1"),
        (SELL, tick("30", "29.9", "30.1"), "29.9"),
        (BUY, tick("30"), "30"),
        (SELL, tick("30", bid=None, ask="30.1"), "30"),
        (BUY, tick("30", "31", "29"), "30"),
    ],
)
def test_a_market_order_takes_the_opposite_quote_or_else_the_last_trade(
    side: Side, given: Tick, paid: str
) -> None:
    assert touch(side, given) == Decimal(paid)


@pytest.mark.parametrize(
    ("side", "type_", "at", "last", "fills"),
    [
        (BUY, LIMIT, "30", "30.05", None),
        (BUY, LIMIT, "30", "30", "30"),
        (BUY, LIMIT, "30", "29", "29"),
        (SELL, LIMIT, "30", "29.95", None),
        (SELL, LIMIT, "30", "30", "30"),
        (SELL, LIMIT, "30", "31", "31"),
        (SELL, STOP, "22.5", "22.55", None),
        (SELL, STOP, "22.5", "22.5", "22.5"),
        (SELL, STOP, "22.5", "20", "20"),
        (BUY, STOP, "22.5", "22.45", None),
        (BUY, STOP, "22.5", "25", "25"),
        (SELL, TARGET, "40", "39.95", None),
        (SELL, TARGET, "40", "41", "41"),
        (BUY, TARGET, "40", "40.05", None),
        (BUY, TARGET, "40", "39", "39"),
    ],
)
def test_a_resting_order_fills_at_the_first_tick_at_or_through_its_price(
    side: Side, type_: OrderType, at: str, last: str, fills: str | None
) -> None:
    found = resting_price(order(side, type_, at), tick(last))
    assert found == (Decimal(fills) if fills else None)


def test_a_limit_needs_the_quote_and_a_stop_is_triggered_by_the_trade() -> None:
    given = tick("30", "29.9", "30.1")
    assert resting_price(order(BUY, LIMIT, "30"), given) is None
    assert resting_price(order(SELL, STOP, "30"), given) == Decimal("29.9")


@pytest.mark.parametrize(
    ("side", "found", "bps", "paid"),
    [
        (BUY, "30.00", "0", "30.00"),
        (BUY, "30.00", "10", "30.05"),
        (SELL, "30.00", "10", "29.95"),
        (BUY, "100.00", "10", "100.10"),
        (SELL, "0.05", "500", "0.05"),
    ],
)
def test_slippage_is_against_the_trader_and_in_whole_ticks(
    side: Side, found: str, bps: str, paid: str
) -> None:
    settings = PaperSettings(slippage_bps=Decimal(bps))
    assert slipped(order(side), price(found), PUT_25900, settings) == Decimal(paid)


def test_a_limit_order_does_not_slip() -> None:
    settings = PaperSettings(slippage_bps=Decimal(50))
    assert slipped(order(BUY, LIMIT, "30"), price("30"), PUT_25900, settings) == 30


def test_fees_tell_maker_from_taker_and_stop_at_the_cap_of_the_order() -> None:
    fees = Fees(maker=Decimal("0.0002"), taker=Decimal("0.0005"), cap=Decimal(20))
    notional = Decimal(10_000)
    assert fee_of(order(BUY), notional, fees, Decimal(0)) == 5
    assert fee_of(order(BUY, LIMIT, "30"), notional, fees, Decimal(0)) == 2
    assert fee_of(order(BUY), Decimal(100_000), fees, Decimal(0)) == 20
    assert fee_of(order(BUY), notional, fees, Decimal(17)) == 3
    assert fee_of(order(BUY), notional, fees, Decimal(20)) == 0


def test_only_perpetuals_are_leveraged() -> None:
    assert margin_of(PERPETUAL, Decimal(2000), Decimal(10)) == 200
    assert margin_of(PUT_25900, Decimal(2000), Decimal(10)) == 2000
    coin = Instrument(NIFTY, Kind.INVERSE, Currency("BTC"), multiplier=Decimal(10))
    assert coin.notional(Price(Decimal(50_000)), Decimal(100)) == Decimal("0.02")
    assert margin_of(coin, Decimal("0.02"), Decimal(10)) == Decimal("0.002")


@pytest.mark.parametrize("rate", ["1", "-0.1"])
def test_an_impossible_fee_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="fee rates"):
        Fees(taker=Decimal(rate))
