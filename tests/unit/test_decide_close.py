"""E-27: protection is released by a confirmed fill only; whatever else comes re-arms it in 1 s."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.event import CommandRefused, OrderFilled, OrderRequested, StopFired
from engine.domain.ids import CommandId, FillId
from engine.domain.money import Price, price, qty
from engine.domain.order import Order, Side
from engine.domain.position import ClosePhase, Position
from engine.domain.risk import Limits
from tests.builders import SECOND, Desk, session, tick


def stopped(limits: Limits | None = None) -> Desk:
    """A desk whose only position has just been stopped, its exit unanswered."""
    made = Desk().start(session(limits=limits))
    made.tick(tick("30.00", SECOND))
    made.open("a")
    made.holds = True
    made.tick(tick("22.00", 2 * SECOND))
    return made


def position(made: Desk) -> Position:
    (found,) = made.state.positions.values()
    return found


def part(made: Desk, order: Order, size: str, number: int) -> OrderFilled:
    fill = made.fill(order).fill
    return OrderFilled(
        replace(fill, id=FillId(f"{order.id}-{number}"), qty=qty(size), price=price("21.00"))
    )


def phase(made: Desk) -> ClosePhase | None:
    close = position(made).close
    return close.phase if close else None


def test_the_phases_follow_what_the_venue_says() -> None:
    made = stopped()
    order = made.waiting[0]
    assert phase(made) is ClosePhase.REQUESTED
    made.report(made.accept(order))
    assert phase(made) is ClosePhase.ACCEPTED
    made.report(part(made, order, "25", 1))
    assert phase(made) is ClosePhase.PARTIAL
    assert position(made).qty == 50
    made.report(part(made, order, "50", 2))
    assert not made.state.positions
    assert made.state.closed[-1].qty == 75
    assert made.state.closed[-1].reason.code == "stop_loss_hit"


@pytest.mark.parametrize("how", ["reject", "cancel"])
def test_a_refused_close_is_armed_again_within_a_second(how: str) -> None:
    made = stopped()
    made.answer(getattr(made, how))
    assert position(made).close is None
    assert position(made).rearm_at is not None
    made.pass_time(1)
    assert len(made.waiting) == 1, "the price is still below the stop"
    made.answer(made.fill)
    assert not made.state.positions


def test_a_close_that_fails_again_and_again_is_never_out_of_guard_for_more_than_a_second() -> None:
    made = stopped()
    for n in range(12):
        made.answer(made.reject)
        since = made.now
        rearm = position(made).rearm_at
        assert rearm is not None
        assert rearm - since <= SECOND, n
        made.pass_time(1)
    assert len(made.waiting) == 1


def test_a_partial_fill_then_a_cancel_guards_what_is_left() -> None:
    made = stopped()
    order = made.waiting[0]
    made.report(part(made, order, "25", 1))
    made.report(made.cancel(order))
    made.waiting.clear()
    assert position(made).qty == 50
    made.pass_time(1)
    (again,) = made.waiting
    assert again.qty == 50


def test_an_unanswered_close_is_unknown_and_nothing_else_is_sent() -> None:
    made = stopped(Limits(exit_timeout_s=10))
    for _ in range(12):
        made.pass_time(1)
        made.tick(tick("21.00", made.now))
    assert phase(made) is ClosePhase.UNKNOWN
    assert len(made.waiting) == 1
    made.answer(made.fill)
    assert not made.state.positions, "the late fill counts"


def test_the_same_fill_told_twice_counts_once() -> None:
    made = stopped()
    order = made.waiting[0]
    told = part(made, order, "25", 1)
    assert made.report(told)
    assert made.report(told) == []
    assert position(made).qty == 50


def test_an_operator_and_a_stop_at_once_make_one_exit() -> None:
    made = stopped()
    command = ClosePosition(CommandId("x"), position(made).id, "console")
    made.give(command)
    assert isinstance(made.events[-1], CommandRefused)
    assert "already closing" in made.events[-1].reason
    exits = [e for e in made.events if isinstance(e, OrderRequested) and e.order.exit]
    assert len(exits) == 1


@pytest.mark.parametrize(
    ("side", "stop", "fires_at", "rests_at"),
    [(Side.BUY, "29.00", "29.00", "29.05"), (Side.SELL, "31.00", "31.00", "30.95")],
)
def test_a_changed_stop_acts_from_then_on(
    side: Side, stop: str, fires_at: str, rests_at: str
) -> None:
    made = Desk().start()
    made.tick(tick("30.00", SECOND))
    held = made.open("a", side=side)
    made.give(ChangeStop(CommandId("s"), held.id, "console", price(stop), None))
    made.tick(tick(rests_at, 2 * SECOND))
    assert made.state.positions
    made.tick(tick(fires_at, 3 * SECOND))
    assert made.state.closed[-1].reason.code == "stop_loss_hit"
    assert made.state.closed[-1].reason.level == Decimal(stop)


def test_a_changed_target_acts_and_a_removed_one_does_not() -> None:
    made = Desk().start()
    made.tick(tick("30.00", SECOND))
    held = made.open("a")
    made.give(ChangeStop(CommandId("s"), held.id, "console", None, price("30.50")))
    made.give(ChangeStop(CommandId("t"), held.id, "console", None, None))
    made.tick(tick("30.50", 2 * SECOND))
    assert made.state.positions
    made.give(ChangeStop(CommandId("u"), held.id, "console", None, price("30.60")))
    made.tick(tick("30.60", 3 * SECOND))
    assert made.state.closed[-1].reason.code == "take_profit_hit"


def test_an_exit_records_the_price_it_saw_and_the_gap() -> None:
    made = stopped()
    (fired,) = [e for e in made.events if isinstance(e, StopFired)]
    assert (fired.price, fired.price_at, fired.age) == (Decimal("22.00"), 2 * SECOND, 0)
    assert fired.gap == Decimal("0.50")
    assert fired.reason.level == Decimal("22.50")


@pytest.mark.parametrize(
    ("stop", "target", "why"),
    [
        (price("30.00"), None, "stop 30.00 is not below"),
        (None, price("30.00"), "target 30.00 is not above"),
        (Price(Decimal("1e40")), None, "allowed"),
    ],
)
def test_a_stop_or_target_on_the_wrong_side_is_refused(
    stop: Price | None, target: Price | None, why: str
) -> None:
    made = Desk().start()
    made.tick(tick("30.00", SECOND))
    held = made.open("a")
    made.give(ChangeStop(CommandId("s"), held.id, "console", stop, target))
    refused = made.events[-1]
    assert isinstance(refused, CommandRefused)
    assert why in refused.reason
