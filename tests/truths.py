"""What a venue would say of a desk whose venue it is."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.event import OrderFilled, OrderRequested
from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId
from engine.domain.money import ZERO, Money, price, qty
from engine.domain.order import Fill, Order
from engine.domain.truth import Execution, OpenOrder, VenueTruth
from tests.builders import CATALOG, Desk


def bought(order: Order, at: str, size: str | int | Decimal) -> Execution:
    """Return an execution of `order` that nobody told the engine of."""
    fee = Money(ZERO, CATALOG[order.instrument].currency)
    fill = Fill(FillId(f"{order.id}-f1"), order.id, price(at), qty(size), fee, Nanos(1))
    return Execution(fill, order.instrument, order.side)


def truth_of(desk: Desk) -> VenueTruth:
    """Return the answer of a venue that agrees with everything the desk was told."""
    orders: dict[OrderId, Order] = {}
    fills: list[Execution] = []
    net: dict[InstrumentId, Decimal] = {}
    for event in desk.events:
        if isinstance(event, OrderRequested):
            orders[event.order.id] = event.order
        elif isinstance(event, OrderFilled):
            order = orders[event.fill.order]
            fills.append(Execution(event.fill, order.instrument, order.side))
            net[order.instrument] = net.get(order.instrument, ZERO) + fills[-1].signed
    working = tuple(
        OpenOrder(w.order.id, w.order.instrument, w.order.side, w.remaining)
        for w in desk.state.orders.values()
    )
    return VenueTruth(desk.now, {i: q for i, q in net.items() if q}, working, tuple(fills))
