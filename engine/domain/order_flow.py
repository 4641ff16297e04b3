"""How orders and closes change the state: part of `evolve`, used by it only."""

from __future__ import annotations

from engine.domain import event as ev
from engine.domain import shadow_flow
from engine.domain.errors import IllegalTransition
from engine.domain.ids import OrderId
from engine.domain.ledger import book_entry, book_exit
from engine.domain.mapping import changed, with_item, without
from engine.domain.order import Fill, Order, OrderStatus, WorkingOrder
from engine.domain.position import Close, ClosePhase
from engine.domain.state import ADOPTED_KEPT, GIVEN_UP_KEPT, State


def order_requested(state: State, entry: ev.Entry, event: ev.OrderRequested) -> State:
    """Return `state` with the intent; an exit becomes the one in flight."""
    order = event.order
    if order.id in state.orders:
        raise IllegalTransition(f"order {order.id} requested twice")
    working = WorkingOrder(order, OrderStatus.REQUESTED, entry.at)
    orders = with_item(state.orders, order.id, working)
    if order.exit is None:
        return changed(state, orders=orders)
    position = state.positions.get(order.position)
    if position is None:
        raise IllegalTransition(f"exit {order.id} for unknown position {order.position}")
    if position.close is not None:
        raise IllegalTransition(f"{position.id} already has exit {position.close.order}")
    is_all = order.qty == position.qty
    close = Close(order.id, order.exit, ClosePhase.REQUESTED, entry.at, is_all)
    position = changed(position, close=close, rearm_at=None)
    return changed(
        state, orders=orders, positions=with_item(state.positions, position.id, position)
    )


def order_adopted(state: State, entry: ev.Entry, event: ev.OrderAdopted) -> State:
    """Return `state` with an order that the venue executed without us, as if it were ours.

    It takes nothing from an exit in flight: that one is still at the venue.
    """
    order = event.order
    if order.id in state.orders:
        raise IllegalTransition(f"order {order.id} adopted twice")
    if order.exit is not None and order.position not in state.positions:
        raise IllegalTransition(f"exit {order.id} for unknown position {order.position}")
    working = WorkingOrder(
        order, OrderStatus.ACCEPTED, entry.at, venue_order=event.venue_order, adopted=True
    )
    return changed(state, orders=with_item(state.orders, order.id, working))


def _working(state: State, order: OrderId) -> WorkingOrder:
    working = state.orders.get(order)
    if working is None:
        raise IllegalTransition(f"answer to unknown order {order}")
    return working


def _with_order(state: State, working: WorkingOrder, phase: ClosePhase | None) -> State:
    order = working.order
    state = changed(state, orders=with_item(state.orders, order.id, working))
    position = state.positions.get(order.position) if order.exit else None
    if phase is None or position is None or position.close is None:
        return state
    position = changed(position, close=changed(position.close, phase=phase))
    return changed(state, positions=with_item(state.positions, position.id, position))


def order_accepted(state: State, entry: ev.Entry, event: ev.OrderAccepted) -> State:
    """Return `state` with the order known to the venue."""
    working = changed(
        _working(state, event.order), status=OrderStatus.ACCEPTED, venue_order=event.venue_order
    )
    return _with_order(state, working, ClosePhase.ACCEPTED)


def order_timed_out(state: State, entry: ev.Entry, event: ev.OrderTimedOut) -> State:
    """Return `state` with the order unknown until there is evidence."""
    working = changed(_working(state, event.order), status=OrderStatus.UNKNOWN)
    return _with_order(state, working, ClosePhase.UNKNOWN)


def cancel_requested(state: State, entry: ev.Entry, event: ev.CancelRequested) -> State:
    """Return `state` with the cancel on its way."""
    return _with_order(state, changed(_working(state, event.order), cancel_requested=True), None)


def order_filled(state: State, entry: ev.Entry, event: ev.OrderFilled) -> State:
    """Return `state` after an execution."""
    fill = event.fill
    working = _working(state, fill.order)
    if fill.id in working.fills or fill.qty > working.remaining:
        raise IllegalTransition(f"fill {fill.id} of {fill.qty} exceeds {working.remaining}")
    order, is_final = working.order, fill.qty == working.remaining
    if working.adopted:
        state = _remembered(state, order, fill)
    if order.exit is None:
        state = _entered(state, order, entry, event)
    else:
        booked = book_exit(state, order, fill, entry.seq)
        state = shadow_flow.after_exit(state, booked, order, fill, entry)
    if is_final:
        return _finished(state, order)
    filled = changed(
        working,
        status=OrderStatus.PARTIAL,
        filled=working.filled + fill.qty,
        fills=(*working.fills, fill.id),
    )
    return changed(state, orders=with_item(state.orders, order.id, filled))


def _remembered(state: State, order: Order, fill: Fill) -> State:
    """Return `state` that knows the fill, so that the venue's next answer proves nothing new."""
    adopted = with_item(state.adopted, fill.id, order.instrument)
    while len(adopted) > ADOPTED_KEPT:
        del adopted[next(iter(adopted))]
    return changed(state, adopted=adopted)


def _entered(state: State, order: Order, entry: ev.Entry, event: ev.OrderFilled) -> State:
    is_late = state.shadows and order.position in state.positions
    state = book_entry(state, order, event.fill, entry.seq, event.oi)
    return shadow_flow.grown(state, order, event.fill) if is_late else state


def _finished(state: State, order: Order) -> State:
    """Return `state` without a final order; its position's close is over."""
    state = changed(state, orders=without(state.orders, order.id))
    if state.shadows:
        state = shadow_flow.order_done(state, order)
    position = state.positions.get(order.position) if order.exit else None
    if position is None or position.close is None or position.close.order != order.id:
        return state
    position = changed(position, close=None)
    return changed(state, positions=with_item(state.positions, position.id, position))


def order_failed(
    state: State, entry: ev.Entry, event: ev.OrderRejected | ev.OrderCancelled
) -> State:
    """Return `state` without a rejected or cancelled order; it is remembered for late fills."""
    working = _working(state, event.order)
    given_up = with_item(state.given_up, working.order.id, working)
    while len(given_up) > GIVEN_UP_KEPT:
        del given_up[next(iter(given_up))]
    return _finished(changed(state, given_up=given_up), working.order)


def close_rearmed(state: State, entry: ev.Entry, event: ev.CloseRearmed) -> State:
    """Return `state` with protection back from `event.at` on."""
    position = state.positions.get(event.position)
    if position is None or position.close is not None:
        raise IllegalTransition(f"{event.position} cannot be re-armed")
    position = changed(position, rearm_at=event.at, failed_closes=position.failed_closes + 1)
    return changed(state, positions=with_item(state.positions, position.id, position))
