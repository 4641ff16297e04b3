"""What an entry order still brings to a position that was to be closed: closed at once, too.

The exit's decision also asked for the entry's cancel, but the venue may have executed more of it
before that arrived. What came so late has the same reason to go, and still one exit at a time.
"""

from __future__ import annotations

from dataclasses import replace

from engine.domain.adoption import AT_VENUE
from engine.domain.draft import Draft
from engine.domain.event import OrderRequested
from engine.domain.market import Market
from engine.domain.money import Qty
from engine.domain.order import ExitReason, Fill, OrderType, WorkingOrder
from engine.domain.state import State


def close_the_rest(draft: Draft, market: Market, working: WorkingOrder, fill: Fill) -> None:
    """Draft, after `fill` of `working` was, the exit of what it leaves open that was to go."""
    found = _after_exit if working.order.exit is not None else _after_entry
    rest = found(draft.state, working, fill)
    if rest is None:
        return
    qty, reason = rest
    order, quote = working.order, market.get(working.order.instrument)
    closing = replace(
        order,
        id=draft.next_order_id(),
        side=order.side if order.exit is not None else order.side.opposite,
        qty=qty,
        type=OrderType.MARKET,
        price=None,
        exit=reason,
        stop_loss=None,
        take_profit=None,
        reference=quote.last if quote else None,
        reference_at=quote.at if quote else None,
        reference_source=quote.source if quote else None,
    )
    draft.add(OrderRequested(closing, None))


def _after_exit(state: State, working: WorkingOrder, fill: Fill) -> tuple[Qty, ExitReason] | None:
    """Return what an exit for everything leaves open because the position grew meanwhile."""
    position, reason = state.positions.get(working.order.position), working.order.exit
    if position is None or position.close is None or reason is None:
        return None
    is_done = position.close.order == working.order.id and fill.qty == working.remaining
    if not is_done or not position.close.is_all or fill.qty == position.qty:
        return None
    return Qty(position.qty - fill.qty), reason


def _after_entry(state: State, working: WorkingOrder, fill: Fill) -> tuple[Qty, ExitReason] | None:
    """Return what an entry brings after its position was closed and its cancel was asked for."""
    order = working.order
    if order.position in state.positions or not working.cancel_requested:
        return None
    trades = (trade for trade in reversed(state.closed) if trade.id == order.position)
    trade = next(trades, None)
    if trade is None or trade.reason.code == AT_VENUE.code:  # closed by somebody else, not by us
        return None
    return fill.qty, trade.reason
