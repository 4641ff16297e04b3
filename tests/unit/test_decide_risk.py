"""E-17: the kill switch flattens, blocks entries, stays latched, and stays lifted once lifted."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.command import Flatten, LiftLatch, SubmitSignal
from engine.domain.event import FlatVerified, OrderRequested, PeaksRaised, SignalRefused, StopFired
from engine.domain.ids import CommandId, InstrumentId
from engine.domain.order import Side
from engine.domain.risk import LatchCause, Limits
from engine.stops.initial import InitialStop
from tests.builders import BTC, NIFTY, SECOND, Desk, session, signal, tick

LOSS = Limits(daily_loss=Decimal(500))
DRAWDOWN = Limits(drawdown_max=Decimal("0.1"))


def desk(limits: Limits, cash: str = "100000", *, with_stop: bool = False) -> Desk:
    rules = (InitialStop(),) if with_stop else ()
    made = Desk().start(session(cash=cash, rules=rules, limits=limits))
    made.tick(tick("30.00", SECOND))
    return made


def refusals(made: Desk) -> list[str]:
    return [event.reason for event in made.events if isinstance(event, SignalRefused)]


def enter(made: Desk, id_: str, instrument: InstrumentId = NIFTY, size: str = "75") -> None:
    wish = signal(id_, instrument, Side.BUY, size, made.now)
    made.give(SubmitSignal(CommandId(f"c-{id_}"), wish))


def test_a_loss_of_the_limit_closes_everything_and_a_cent_less_does_not() -> None:
    made = desk(Limits(daily_loss=Decimal(750)))
    made.tick(tick("100000.0", SECOND, BTC))
    made.open("a")
    made.open("b", BTC, Side.SELL, "0.010")
    made.tick(tick("20.05", 2 * SECOND))
    assert made.state.latch is None
    made.tick(tick("20.00", 3 * SECOND))
    assert made.state.latch is not None
    assert made.state.latch.cause is LatchCause.RISK_LIMIT
    assert not made.state.positions
    assert [t.reason.code for t in made.state.closed] == ["risk_limit", "risk_limit"]


def test_a_stop_that_fires_on_the_same_tick_names_the_one_exit() -> None:
    made = desk(LOSS, with_stop=True)
    made.open("a")
    made.tick(tick("22.00", 2 * SECOND))
    exits = [e for e in made.events if isinstance(e, OrderRequested) and e.order.exit]
    assert len(exits) == 1
    (trade,) = made.state.closed
    assert (trade.reason.code, trade.reason.also_fired) == ("stop_loss_hit", ("risk_limit",))
    assert made.state.latch is not None


def test_entries_are_refused_until_a_person_lifts_it_with_a_reason() -> None:
    made = desk(LOSS)
    made.open("a")
    made.tick(tick("20.00", 2 * SECOND))
    made.pass_time(1)
    assert isinstance(made.events[-1], FlatVerified)
    enter(made, "b")
    assert "flatten is latched" in refusals(made)[-1]
    made.give(LiftLatch(CommandId("l1"), "console", "  "))
    assert made.state.latch is not None
    made.give(LiftLatch(CommandId("l2"), "console", "seen"))
    enter(made, "c")
    assert len(made.state.positions) == 1


def test_a_lifted_kill_switch_counts_only_what_is_lost_on_top() -> None:
    made = desk(LOSS)
    made.open("a")
    made.tick(tick("20.00", 2 * SECOND))
    made.give(LiftLatch(CommandId("l"), "console", "seen"))
    made.pass_time(2)
    assert made.state.latch is None
    made.open("b")
    made.tick(tick("13.40", made.now + SECOND))  # 495 on top of 750
    assert made.state.latch is None
    made.tick(tick("13.30", made.now + SECOND))
    assert made.state.latch is not None


def test_a_drawdown_counts_from_the_highest_equity_with_open_profit_in_it() -> None:
    made = desk(DRAWDOWN, cash="10000")
    made.open("a")
    made.tick(tick("60.00", 2 * SECOND))  # equity 12 250
    made.tick(tick("43.70", 3 * SECOND))  # 11 027.50 is 9.98 % below
    assert made.state.latch is None
    made.tick(tick("43.65", 4 * SECOND))
    assert made.state.latch is not None
    assert made.state.closed[-1].reason.code == "risk_limit"


def test_the_highest_equity_is_journaled_once_a_second_not_on_every_tick() -> None:
    made = desk(DRAWDOWN, cash="10000")
    made.open("a")
    for n in range(20):
        made.tick(tick(f"{31 + n}.00", 2 * SECOND + n))
    made.pass_time(1)
    raised = [e for e in made.events if isinstance(e, PeaksRaised) and e.equity]
    assert len(raised) == 1
    assert raised[0].equity[0].amount == 11500
    assert max(a.high_water for a in made.state.accounts.values()) == 11500


def test_flatten_cancels_entries_closes_what_is_open_and_verifies_flat() -> None:
    made = desk(Limits())
    made.open("a")
    made.holds = True
    enter(made, "waiting")
    made.give(Flatten(CommandId("f"), "console", LatchCause.OPERATOR, "lunch"))
    assert [w.cancel_requested for w in made.state.orders.values() if not w.order.exit] == [True]
    assert made.answer(made.cancel)
    made.answer(made.fill)
    made.pass_time(1)
    assert not made.state.positions
    assert made.state.latch is not None
    assert made.state.latch.is_flat
    assert made.state.closed[-1].reason.code == "manual"
    assert made.state.closed[-1].reason.note == "lunch"


def test_a_flatten_tries_again_when_a_close_is_rejected() -> None:
    made = desk(Limits())
    made.open("a")
    made.holds = True
    made.give(Flatten(CommandId("f"), "console", LatchCause.OPERATOR, "out"))
    made.answer(made.reject)
    assert made.state.positions
    made.pass_time(1)
    made.answer(made.fill)
    assert not made.state.positions


def test_no_rule_fires_twice_for_a_position_that_is_closing() -> None:
    made = desk(LOSS, with_stop=True)
    made.open("a")
    made.holds = True
    for n in range(5):
        made.tick(tick(f"{22 - n}.00", 2 * SECOND + n))
    made.pass_time(1)
    assert sum(isinstance(e, StopFired) for e in made.events) == 1
    assert len(made.waiting) == 1
