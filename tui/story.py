"""Journal entries as sentences about one position."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final

from engine.domain import event as ev
from engine.domain.ids import OrderId, PositionId
from engine.domain.wording import legible
from tui import formatting as fmt
from tui.sanitise import for_screen

CENT: Final = Decimal("0.01")


def told(event: ev.Event, name: PositionId, orders: Collection[OrderId]) -> str:
    """Return what `event` says of position `name`, safe to draw; empty: nothing."""
    match event:
        case ev.OrderRequested(order=order) if order.position == name:
            why = f" ({fmt.words(order.exit.code)})" if order.exit else ""
            what = f"{order.side.value.upper()} {fmt.quantity(order.qty)}"
            return f"order {what} {fmt.symbol(order.instrument)} {order.type.value}{why}"
        case ev.OrderAdopted(order=order, venue_order=venue) if order.position == name:
            what = f"{order.side.value} {fmt.quantity(order.qty)}"
            return f"executed at the venue without us: {what} (order {for_screen(venue, 40)})"
        case ev.OrderFilled(fill=fill) if fill.order in orders:
            fee = f"{fmt.quantity(fill.fee.amount)} {for_screen(fill.fee.currency, 8)}"
            return f"fill {fmt.quantity(fill.qty)} at {legible(fill.price, CENT)}, fee {fee}"
        case ev.OrderAccepted(order=order_id, venue_order=venue) if order_id in orders:
            return f"accepted by the venue as {for_screen(venue, 40)}"
        case ev.OrderRejected(order=order_id, reason=reason, text=text) if order_id in orders:
            return f"REJECTED: {fmt.words(reason)} {for_screen(text, 120)}"
        case ev.OrderCancelled(order=order_id, reason=reason) if order_id in orders:
            return f"cancelled {for_screen(reason, 80)}"
        case ev.OrderTimedOut(order=order_id) if order_id in orders:
            return "no answer in time: the outcome is unknown"
        case _:
            return _of_stops(event, name)


def _of_stops(event: ev.Event, name: PositionId) -> str:
    match event:
        case ev.StopFired(position=position, reason=reason, price=price) if position == name:
            also = "".join(f", also {fmt.words(code)}" for code in reason.also_fired)
            source = for_screen(event.source, 20)
            seen = f"saw {legible(price, CENT)}, {fmt.age(event.age)} old, from {source}"
            return f"{fmt.words(reason.code)}: {seen}{also}"
        case ev.CloseRearmed(position=position, why=why) if position == name:
            return f"close failed, protection is back: {for_screen(why, 120)}"
        case ev.StopChanged(position=position, by=by) if position == name:
            stop = legible(event.stop_loss, CENT) if event.stop_loss else "none"
            target = legible(event.take_profit, CENT) if event.take_profit else "none"
            return f"stop {stop}, target {target}, set by {for_screen(by, 20)}"
        case _:
            return ""
