"""S-7, S-8: every refusal has its reason, and what is allowed enters."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition, PauseEntries, SubmitSignal
from engine.domain.event import EntriesAllowed, EntriesBlocked, SignalRefused, StrategyChanged
from engine.domain.ids import CommandId, InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument, Kind
from engine.domain.money import Price, Qty, price
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.signal import Signal
from engine.domain.strategy import Phase
from engine.stops.end_of_day import EndOfDay
from tests.builders import (
    BTC,
    CATALOG,
    INR,
    NIFTY,
    PUT_25900,
    SECOND,
    Desk,
    session,
    signal,
    tick,
)

INDEX = InstrumentId("NIFTY")
NSE = {"time_zone": "Asia/Kolkata", "session_open": "09:15", "session_close": "15:30"}
TEN = 5 * 3600 * SECOND - 30 * 60 * SECOND
"""10:00 in India."""


def desk(limits: Limits | None = None, cash: str = "100000", at: int = SECOND) -> Desk:
    catalog = dict(CATALOG)
    catalog[NIFTY] = replace(PUT_25900, **NSE) if at >= TEN else PUT_25900  # type: ignore[arg-type]
    catalog[INDEX] = Instrument(INDEX, Kind.INDEX, INR)
    made = Desk(catalog=catalog)
    made.start(session(cash=cash, limits=limits, rules=(EndOfDay("15:15"),)))
    made.tick(tick("30.00", at))
    return made


def send(made: Desk, wish: Signal) -> str | None:
    """Return why `wish` is refused; None: it entered."""
    before = len(made.events)
    made.give(SubmitSignal(CommandId(f"c-{wish.id}-{before}"), replace(wish, at=made.now)))
    new = made.events[before:]
    return next((e.reason for e in new if isinstance(e, SignalRefused)), None)


def test_a_sell_opens_a_short_and_a_buy_a_long_side_by_side() -> None:
    made = desk()
    assert send(made, signal("a", side=Side.SELL)) is None
    assert send(made, signal("b", side=Side.BUY)) is None
    assert [p.side for p in made.state.positions.values()] == [Side.SELL, Side.BUY]


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (signal("s", InstrumentId("WHAT")), "unknown instrument WHAT"),
        (signal("s", INDEX), "is an index and cannot be traded"),
        (signal("s", BTC, size="0.01"), "no price of BTC_USDC-PERPETUAL yet"),
        (signal("s", size="80"), "lot size: 80 is not a multiple of 75"),
        (signal("s", size="75000"), "insufficient funds: needs 2250000"),
        (signal("s", stop_loss=price("30.00")), "stop 30.00 is not below the price 30.00"),
        (signal("s", take_profit=price("29.00")), "target 29.00 is not above the price 30.00"),
        (signal("s", side=Side.SELL, stop_loss=price("29.00")), "stop 29.00 is not above"),
        (signal("s", side=Side.SELL, take_profit=price("31.00")), "target 31.00 is not below"),
        (replace(signal("s"), qty=Qty(Decimal("1e40"))), "quantity was 1000"),
        (replace(signal("s"), stop_loss=Price(Decimal("1e-40"))), "stop was 0.000"),
    ],
)
def test_a_signal_that_cannot_enter_says_why(wish: Signal, why: str) -> None:
    made = desk()
    assert why in (send(made, wish) or "entered")
    assert not made.state.positions


def test_the_same_id_acts_once_whatever_became_of_it() -> None:
    made = desk()
    assert send(made, signal("a")) is None
    assert send(made, signal("a")) == "signal a acted already"
    assert send(made, signal("b", size="80")) is not None
    assert send(made, signal("b")) == "signal b acted already"


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(positions_max=1), "max positions: 1 in all, limit 1"),
        (Limits(positions_max_per_strategy=1), "max positions: 1 of signals, limit 1"),
        (Limits(positions_max_per_instrument=1), f"max positions: 1 on {NIFTY}, limit 1"),
    ],
)
def test_positions_are_counted(limits: Limits, why: str) -> None:
    made = desk(limits)
    assert send(made, signal("a")) is None
    assert send(made, signal("b")) == why


def test_an_entry_under_way_counts_as_a_position() -> None:
    made = desk(Limits(positions_max=1))
    made.holds = True
    assert send(made, signal("a")) is None
    assert not made.state.positions
    assert send(made, signal("b")) == "max positions: 1 in all, limit 1"


def test_a_cooldown_follows_a_close_for_its_seconds() -> None:
    made = desk(Limits(cooldown_s=60))
    held = made.open("a")
    made.give(ClosePosition(CommandId("x"), held.id, "console"))
    made.now = Nanos(made.now + 59 * SECOND)
    assert send(made, signal("b")) == "cooldown 1 s"
    made.now = Nanos(made.now + SECOND)
    assert send(made, signal("c")) is None


def test_a_low_confidence_a_stale_price_and_a_block_refuse() -> None:
    made = desk(Limits(confidence_min=Decimal("0.5")))
    wish = replace(signal("a"), confidence=Decimal("0.49"))
    assert send(made, wish) == "confidence 0.49 below minimum 0.5"
    made.now = Nanos(made.now + 61 * SECOND)
    assert send(made, signal("b")) == "stale feed: the price is 61 s old"
    made.tick(tick("30.00", made.now))
    made.give(EntriesBlocked(f"instrument:{NIFTY}", "data quality 40 is below the gate"))
    assert send(made, signal("c")) == "data quality 40 is below the gate"
    made.give(EntriesAllowed(f"instrument:{NIFTY}"))
    made.give(PauseEntries(CommandId("p"), "console", "operator", "lunch"))
    assert send(made, signal("d")) == "entries blocked by operator: lunch"


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.STOPPED, Phase.FAILED])
def test_a_strategy_that_does_not_run_does_not_enter(phase: Phase) -> None:
    made = desk()
    made.give(StrategyChanged(StrategyName("signals"), "signals", phase, "", "test"))
    assert send(made, signal("a")) == f"strategy signals is {phase.value}"


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (TEN - 45 * 60 * SECOND - 1, "market closed"),
        (TEN - 45 * 60 * SECOND, None),
        (TEN + 5 * 3600 * SECOND, None),
        (TEN + (5 * 3600 + 15 * 60) * SECOND, "window closed: end of day is 15:15"),
        (TEN + (5 * 3600 + 30 * 60) * SECOND, "market closed"),
    ],
)
def test_entries_keep_to_the_session_and_to_the_end_of_day(at: int, why: str | None) -> None:
    made = desk(at=TEN)
    made.now = Nanos(at)
    made.core.quotes[NIFTY].at = Nanos(at)
    assert send(made, signal("a")) == why


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), "75"),
        (Limits(default_qty=Decimal(150)), "150"),
        (Limits(capital_per_position=Decimal(5000)), "150"),  # 2250 a lot
    ],
)
def test_a_signal_without_a_quantity_is_sized_by_the_profile(limits: Limits, expected: str) -> None:
    made = desk(limits)
    assert send(made, signal("a", size=None)) is None
    assert [p.qty for p in made.state.positions.values()] == [Decimal(expected)]


def test_capital_that_buys_no_lot_is_refused() -> None:
    made = desk(Limits(capital_per_position=Decimal(2000)))
    why = send(made, signal("a", size=None))
    assert why == "capital per position 2000 does not buy one lot at 30.00"
