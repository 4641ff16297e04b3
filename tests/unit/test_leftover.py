"""An exit ends its position's entry, too; what the entry still brings is closed at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.domain.command import ClosePosition, Flatten, SubmitSignal
from engine.domain.event import CancelRequested, OrderFilled, OrderRequested
from engine.domain.ids import CommandId, FillId
from engine.domain.money import qty
from engine.domain.order import Order
from engine.domain.risk import LatchCause
from tests.builders import SECOND, Desk, session, signal, tick


def half_filled() -> tuple[Desk, Order]:
    """A desk with 75 of an entry of 150 filled, the rest at the venue."""
    made = Desk().start(session())
    made.tick(tick("30.00", SECOND))
    made.holds = True
    made.give(SubmitSignal(CommandId("c"), signal("a", size="150", at=SECOND)))
    (entry,) = made.waiting
    executed(made, entry, "75")
    return made, entry


def executed(made: Desk, order: Order, size: str) -> None:
    """Let the venue execute `size` of `order` at the last price."""
    fill = made.fill(order).fill
    id_ = FillId(f"{order.id}-{len(made.entries)}")
    made.report(OrderFilled(replace(fill, id=id_, qty=qty(size))))


def exits(made: Desk) -> list[Order]:
    return [
        e.order for e in made.events if isinstance(e, OrderRequested) and e.order.exit is not None
    ]


def cancels(made: Desk) -> list[str]:
    return [e.order for e in made.events if isinstance(e, CancelRequested)]


def by_rule(made: Desk) -> None:
    made.tick(tick("22.00", 2 * SECOND))


def by_hand(made: Desk) -> None:
    (position,) = made.state.positions
    made.give(ClosePosition(CommandId("x"), position, "test"))


def by_hand_in_full(made: Desk) -> None:
    (position,) = made.state.positions
    made.give(ClosePosition(CommandId("x"), position, "test", qty=qty("75")))


def by_flatten(made: Desk) -> None:
    made.give(Flatten(CommandId("x"), "test", LatchCause.OPERATOR, "over"))


WAYS = [by_rule, by_hand, by_hand_in_full, by_flatten]


@pytest.mark.parametrize("closed", WAYS)
def test_an_exit_cancels_the_rest_of_its_entry_in_the_same_step(
    closed: Callable[[Desk], None],
) -> None:
    made, entry = half_filled()
    closed(made)
    (order,) = exits(made)
    assert order.qty == 75
    assert cancels(made) == [entry.id]
    assert made.entries[-1].at == next(e.at for e in made.entries if e.event == _request(order))


def _request(order: Order) -> OrderRequested:
    cause = CommandId("x") if order.exit is not None and order.exit.code == "manual" else None
    return OrderRequested(order, cause)


def test_a_close_of_a_part_lets_the_entry_go_on() -> None:
    made, entry = half_filled()
    executed(made, entry, "25")
    (position,) = made.state.positions
    made.give(ClosePosition(CommandId("x"), position, "test", qty=qty("75")))
    assert not cancels(made)
    executed(made, exits(made)[0], "75")
    executed(made, entry, "50")
    assert len(exits(made)) == 1
    assert made.state.positions[position].qty == 75
    assert made.state.positions[position].close is None


def test_the_entry_is_called_off_once_whatever_comes_after() -> None:
    made, entry = half_filled()
    by_hand(made)
    executed(made, exits(made)[0], "75")
    executed(made, entry, "25")
    assert cancels(made) == [entry.id]


@pytest.mark.parametrize("closed", WAYS)
def test_what_the_entry_brings_during_the_exit_is_closed_after_it_for_the_same_reason(
    closed: Callable[[Desk], None],
) -> None:
    made, entry = half_filled()
    closed(made)
    executed(made, entry, "50")
    assert len(exits(made)) == 1, "one exit in flight"
    executed(made, exits(made)[0], "75")
    first, second = exits(made)
    assert second.qty == 50
    assert (second.exit, second.side) == (first.exit, first.side)
    executed(made, entry, "25")
    executed(made, second, "50")
    executed(made, exits(made)[2], "25")
    assert not made.state.positions
    assert not made.state.orders
    assert len(exits(made)) == 3


@pytest.mark.parametrize("closed", WAYS)
def test_what_the_entry_brings_after_the_exit_is_closed_for_the_same_reason(
    closed: Callable[[Desk], None],
) -> None:
    made, entry = half_filled()
    closed(made)
    executed(made, exits(made)[0], "75")
    assert not made.state.positions
    executed(made, entry, "50")
    first, second = exits(made)
    assert second.qty == 50
    assert (second.exit, second.position) == (first.exit, first.position)
    executed(made, second, "50")
    made.report(made.cancel(entry))
    assert not made.state.positions
    assert not made.state.orders


def test_after_an_exit_that_was_refused_the_position_is_watched_again() -> None:
    made, entry = half_filled()
    by_hand(made)
    made.report(made.reject(exits(made)[0]))
    executed(made, entry, "75")
    (held,) = made.state.positions.values()
    assert held.qty == 150
    assert held.close is None
    made.pass_time(1)
    by_rule(made)
    made.tick(tick("22.00", made.now + SECOND))
    assert exits(made)[-1].qty == 150
