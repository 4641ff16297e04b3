"""Every exit rule at its level and one tick above it, for longs and mirrored for shorts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.ids import MINUTE, Nanos, OrderId, PositionId, Seq
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.money import price, qty
from engine.domain.order import Side
from engine.domain.position import Position
from engine.domain.stop import ExitRule, Reading, View, view_of
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop
from tests.builders import INR, NIFTY, PUT_25900, SECOND

LONG, SHORT = Side.BUY, Side.SELL


def held(side: Side = LONG, entry: str = "30.00", oi: str | None = None) -> Position:
    return Position(
        id=PositionId("p"),
        instrument=NIFTY,
        side=side,
        qty=qty(75),
        entry=price(entry),
        cost=Decimal(entry) * 75,
        currency=INR,
        opened_at=Nanos(0),
        opened_seq=Seq(1),
        opened_qty=qty(75),
        entry_value=Decimal(entry) * 75,
        oi_at_entry=None if oi is None else Decimal(oi),
        entry_order=OrderId("p"),
    )


def seen(
    last: str,
    position: Position | None = None,
    peak: str | None = None,
    *,
    oi: str | None = None,
    vwap: str | None = None,
    at: int = 0,
    terms: Instrument = PUT_25900,
) -> View:
    """Return what rules see at `last`; `vwap` is that of a hundred units."""
    position = position or held()
    quote = Quote(NIFTY, price(last), Nanos(at), oi=None if oi is None else Decimal(oi))
    if vwap is not None:
        quote.volume, quote.turnover = Decimal(100), Decimal(vwap) * 100
    best = position.entry if peak is None else price(peak)
    return view_of(position, terms, quote, Nanos(at), best)


def reading(rule: ExitRule, view: View) -> Reading:
    return rule.reading(view)


def test_the_worked_example_holds_to_the_paisa() -> None:
    at_33_50 = seen("33.50")
    assert reading(InitialStop(), at_33_50).level == Decimal("22.50")
    assert reading(InitialStop(), at_33_50).distance == Decimal("0.488889")
    assert at_33_50.position.gain(Decimal("33.50")) == Decimal("0.116667")
    trailing = reading(TrailingStop(), at_33_50)
    assert (trailing.level, trailing.is_armed) == (Decimal("30.15"), True)
    assert at_33_50.position.gain(Decimal("29.85")) == Decimal("-0.005")
    assert TrailingStop().fires(seen("29.85", peak="33.50"))
    assert not InitialStop().fires(seen("29.85", peak="33.50"))


PRICES = [
    (InitialStop(), LONG, "22.50", "22.55"),
    (InitialStop(), SHORT, "37.50", "37.45"),
    (InitialStop(Decimal("0.10")), LONG, "27.00", "27.05"),
    (TakeProfit(Decimal("0.20")), LONG, "36.00", "35.95"),
    (TakeProfit(Decimal("0.20")), SHORT, "24.00", "24.05"),
]


@pytest.mark.parametrize(("rule", "side", "at", "before"), PRICES)
def test_a_price_rule_fires_at_its_level_and_not_a_tick_before(
    rule: ExitRule, side: Side, at: str, before: str
) -> None:
    assert rule.fires(seen(at, held(side)))
    assert not rule.fires(seen(before, held(side)))
    assert reading(rule, seen(before, held(side))).level == Decimal(at)


@pytest.mark.parametrize(
    ("side", "arms", "idle", "peak", "fires", "rests"),
    [
        (LONG, "33.00", "32.95", "40.00", "36.00", "36.05"),
        (SHORT, "27.00", "27.05", "20.00", "22.00", "21.95"),
    ],
)
def test_a_trailing_stop_arms_at_its_activation_and_follows_the_peak(
    side: Side, arms: str, idle: str, peak: str, fires: str, rests: str
) -> None:
    rule, position = TrailingStop(), held(side)
    assert reading(rule, seen(arms, position)).is_armed
    assert not reading(rule, seen(idle, position)).is_armed
    assert not rule.fires(seen("30.00", position, idle))
    assert rule.fires(seen(fires, position, peak))
    assert not rule.fires(seen(rests, position, peak))


@pytest.mark.parametrize(
    ("side", "vwap", "fires", "rests"),
    [
        (LONG, "30.00", "28.50", "28.55"),
        (SHORT, "30.00", "31.50", "31.45"),
        (LONG, "40.00", "29.95", "30.00"),  # far below VWAP, but at entry nothing is lost
        (SHORT, "20.00", "30.05", "30.00"),
    ],
)
def test_a_vwap_stop_acts_only_on_a_loss(side: Side, vwap: str, fires: str, rests: str) -> None:
    rule, position = VwapStop(), held(side)
    assert rule.fires(seen(fires, position, vwap=vwap))
    assert not rule.fires(seen(rests, position, vwap=vwap))
    assert not rule.fires(seen(fires, position)), "without volume there is no VWAP"


@pytest.mark.parametrize(("side", "losing"), [(LONG, "29.95"), (SHORT, "30.05")])
def test_an_oi_stop_needs_the_growth_and_the_loss(side: Side, losing: str) -> None:
    rule, position = OpenInterestStop(), held(side, oi="1000")
    assert rule.fires(seen(losing, position, oi="1100"))
    assert not rule.fires(seen(losing, position, oi="1099"))
    assert not rule.fires(seen("30.00", position, oi="5000"))
    assert not rule.fires(seen(losing, position))
    assert not rule.fires(seen(losing, held(side), oi="5000")), "OI at entry was not known"


def test_a_time_stop_fires_when_held_longer_than_its_minutes() -> None:
    rule = TimeStop(5)
    assert not rule.fires(seen("30.00", at=5 * MINUTE))
    assert rule.fires(seen("30.00", at=5 * MINUTE + 1))


@pytest.mark.parametrize(
    ("time", "last_moment", "first"),
    [
        (None, "09:59:59", "10:00:00"),  # NSE closes at 15:30, 10:00 UTC
        ("15:15", "09:44:59", "09:45:00"),
        ("16:00", "09:59:59", "10:00:00"),  # the session's close comes first
    ],
)
def test_a_day_ends_at_its_time_or_at_the_close_whichever_is_first(
    time: str | None, last_moment: str, first: str
) -> None:
    terms = replace(
        PUT_25900, time_zone="Asia/Kolkata", session_open="09:15", session_close="15:30"
    )
    rule = EndOfDay(time)
    for text, expected in ((last_moment, False), (first, True)):
        hours, minutes, seconds = map(int, text.split(":"))
        at = (hours * 3600 + minutes * 60 + seconds) * SECOND
        position = replace(held(), opened_at=Nanos(5 * 3600 * SECOND))
        assert rule.fires(seen("30.00", position, at=at, terms=terms)) is expected


def test_a_market_that_never_closes_ends_no_day_unless_told_when() -> None:
    assert not EndOfDay().fires(seen("30.00", at=400 * 24 * 3600 * SECOND))
    assert reading(EndOfDay(), seen("30.00")).why == "market never closes"
    assert EndOfDay("17:00").fires(seen("30.00", at=17 * 3600 * SECOND))
    assert not EndOfDay("17:00").fires(seen("30.00", at=17 * 3600 * SECOND - 1))


@pytest.mark.parametrize(
    ("side", "own", "level"),
    [
        (LONG, "25.00", "25.00"),
        (LONG, "20.00", "22.50"),  # the percentage is tighter
        (SHORT, "35.00", "35.00"),
        (SHORT, "40.00", "37.50"),
    ],
)
def test_of_two_stops_the_tighter_one_counts(side: Side, own: str, level: str) -> None:
    position = replace(held(side), stop_loss=price(own))
    assert reading(InitialStop(), seen("30.00", position)).level == Decimal(level)
    assert InitialStop().fires(seen(level, position))


@pytest.mark.parametrize(
    ("side", "own", "level"),
    [
        (LONG, "33.00", "33.00"),
        (LONG, "50.00", "36.00"),
        (SHORT, "27.00", "27.00"),
        (SHORT, "10.00", "24.00"),
    ],
)
def test_of_two_targets_the_nearer_one_counts(side: Side, own: str, level: str) -> None:
    position = replace(held(side), take_profit=price(own))
    rule = TakeProfit(Decimal("0.2"))
    assert reading(rule, seen("30.00", position)).level == Decimal(level)
    assert rule.fires(seen(level, position))


def test_without_percentages_only_the_positions_own_prices_act() -> None:
    position = replace(held(), stop_loss=price("29.00"), take_profit=price("31.00"))
    assert InitialStop(None).fires(seen("29.00", position))
    assert not InitialStop(None).fires(seen("1.00"))
    assert TakeProfit(None).fires(seen("31.00", position))
    assert not TakeProfit(None).fires(seen("900.00"))
    assert reading(InitialStop(None), seen("30.00")).why == "no stop price set"
