"""A venue that tells of more than was ordered: what was ordered is booked, the rest is asked of."""

from __future__ import annotations

import pytest

from engine.domain.command import ClosePosition, SubmitSignal
from engine.domain.event import OrderFilled
from engine.domain.ids import CommandId
from engine.domain.money import qty
from engine.domain.order import Order
from tests.builders import Desk, session, signal, tick


def opened(size: str = "75") -> Desk:
    desk = Desk().start(session())
    desk.tick(tick("100", 1))
    desk.open("a", size=size)
    desk.holds = True
    return desk


def doubled(desk: Desk, order: Order) -> OrderFilled:
    report = desk.fill(order)
    fill = report.fill
    return OrderFilled(type(fill)(fill.id, fill.order, fill.price, qty("150"), fill.fee, fill.at))


@pytest.mark.parametrize("held", ["75", "150"])
def test_an_exit_takes_what_it_was_sent_for_and_is_over(held: str) -> None:
    desk = opened(held)
    (position,) = desk.state.positions.values()
    desk.give(ClosePosition(CommandId("x"), position.id, by="alice", qty=qty("75")))
    desk.answer(lambda order: doubled(desk, order))
    left = [(p.qty, p.close) for p in desk.state.positions.values()]
    assert left == ([] if held == "75" else [(qty("75"), None)])
    assert not desk.state.orders


def test_an_entry_brings_what_it_was_sent_for() -> None:
    desk = Desk().start(session())
    desk.tick(tick("100", 1))
    desk.holds = True
    desk.give(SubmitSignal(CommandId("c"), signal("a", at=desk.now)))
    desk.answer(lambda order: doubled(desk, order))
    (position,) = desk.state.positions.values()
    assert position.qty == qty("75")
    assert not desk.state.orders
