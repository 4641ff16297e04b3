"""An order in doubt of which the venue tells only what is known already is in doubt no more."""

from __future__ import annotations

from dataclasses import replace

from engine.domain.command import ClosePosition
from engine.domain.event import OrderFilled, OrderTimedOut
from engine.domain.ids import CommandId
from engine.domain.money import qty
from engine.domain.order import Order, OrderStatus
from tests.builders import SECOND, Desk, tick


def half(desk: Desk, order: Order) -> OrderFilled:
    return OrderFilled(replace(desk.fill(order).fill, qty=qty("75")))


def test_an_exit_that_is_lost_twice_is_looked_for_twice() -> None:
    desk = Desk().start()
    desk.tick(tick("30", SECOND))
    position = desk.open("a", size="150")
    desk.holds = True
    desk.give(ClosePosition(CommandId("x"), position.id, by="alice"))
    order = desk.waiting.pop(0)
    told = half(desk, order)
    for _ in range(2):
        desk.report(told)
        assert desk.state.orders[order.id].status is not OrderStatus.UNKNOWN
        desk.report(OrderTimedOut(order.id))
        assert desk.state.orders[order.id].status is OrderStatus.UNKNOWN
    assert desk.state.positions[position.id].qty == qty("75")
    assert len([e for e in desk.events if isinstance(e, OrderTimedOut)]) == 2
