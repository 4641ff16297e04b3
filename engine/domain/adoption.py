"""Booking what the venue executed without us: its orders become ours, its fills the position's.

A fill reduces what stands on the other side, oldest first; what is left of it enlarges what stands
on its own side, or opens a position. So an exit never turns a position round: that is a close and
a new position.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from engine.domain.draft import Draft
from engine.domain.event import CancelRequested, OrderAdopted, OrderCancelled, OrderFilled
from engine.domain.evidence import is_news, net, proves
from engine.domain.ids import DecisionId, InstrumentId, PositionId
from engine.domain.inputs import Proof
from engine.domain.market import Market, Quote
from engine.domain.money import LEAST, ZERO, Money, Qty, is_ordinary, quotient, rounded
from engine.domain.order import ExitKind, ExitReason, Fill, Order, Side
from engine.domain.records import dataclass
from engine.domain.state import State
from engine.domain.truth import Execution

AT_VENUE: Final = ExitReason(ExitKind.RECONCILED, "closed_at_venue")
"""Why a position ended that somebody closed at the venue."""


@dataclass(frozen=True, slots=True)
class Guess:
    """An execution that nobody saw: its price is taken from `quote`, or told by the venue."""

    execution: Execution
    reason: ExitReason = AT_VENUE
    quote: Quote | None = None
    sent: Order | None = None
    """Our own order that was executed: a position that it opens is its strategy's."""


@dataclass(slots=True)
class _Held:
    """What is left of a position while fills are dealt out."""

    id: PositionId
    side: Side
    qty: Decimal


def impossible(state: State, instrument: InstrumentId) -> str:
    """Return why nothing of `instrument` can be booked; empty: it can."""
    terms = state.instruments.get(instrument)
    if terms is None:
        return f"{instrument} is not listed here: its terms are unknown"
    if terms.currency not in state.accounts:
        return f"there is no account in {terms.currency}"
    return ""


def adopt(
    draft: Draft,
    market: Market,
    executions: Iterable[Execution],
    cause: DecisionId | None = None,
    guess: Guess | None = None,
) -> None:
    """Draft the booking of `executions`, and then of `guess`: news of one listed instrument."""
    steps = [Guess(execution) for execution in executions]
    if guess is not None:
        steps.append(guess)
    if steps:
        dealt = _held(draft.state, steps[0].execution.instrument)
        for step in steps:
            _deal(draft, market, dealt, step, cause)


def _held(state: State, instrument: InstrumentId) -> list[_Held]:
    """Return what is open of `instrument`, oldest first."""
    found = [p for p in state.positions.values() if p.instrument == instrument]
    return [_Held(p.id, p.side, p.qty) for p in sorted(found, key=lambda p: p.opened_seq)]


def _deal(
    draft: Draft,
    market: Market,
    dealt: list[_Held],
    step: Guess,
    cause: DecisionId | None,
) -> None:
    """Draft the parts of one execution, and keep count of what is open."""
    given_up = draft.state.given_up.get(step.execution.fill.order)
    if given_up is not None:
        step = replace(step, sent=given_up.order, reason=given_up.order.exit or step.reason)
    fill, side = step.execution.fill, step.execution.side
    meant = step.sent.position if step.sent is not None else None
    left, fee = Decimal(fill.qty), fill.fee.amount
    # A late fill goes to the position that it was meant for, if that is open still.
    for held in sorted(dealt, key=lambda held: held.id != meant):
        if held.side is side or not held.qty or not left:
            continue
        qty = min(left, held.qty)
        share = fee if qty == left else _share(fee, qty, left)
        _withdraw_exit(draft, held.id)
        _book(draft, market, step, held.id, qty, share, cause, step.reason)
        held.qty, left, fee = held.qty - qty, left - qty, fee - share
    if left:
        grown = _grown(dealt, side, meant)
        id_ = _book(draft, market, step, grown.id if grown else None, left, fee, cause, None)
        if grown is None:
            dealt.append(_Held(id_, side, left))
        else:
            grown.qty += left


def _grown(dealt: list[_Held], side: Side, meant: PositionId | None) -> _Held | None:
    """Return the open position that a fill on `side` enlarges: its own, else the newest."""
    own = [held for held in dealt if held.side is side and held.qty]
    return next((held for held in own if held.id == meant), own[-1] if own else None)


def _share(fee: Decimal, qty: Decimal, whole: Decimal) -> Decimal:
    return rounded(quotient(fee * qty, whole), LEAST)


def _withdraw_exit(draft: Draft, position: PositionId) -> None:
    """Draft the cancel of an exit at work: what it was sent for is closed otherwise."""
    held = draft.state.positions.get(position)
    if held is None or held.close is None:
        return
    working = draft.state.orders[held.close.order]
    cancel = CancelRequested(working.order.id)
    if not working.cancel_requested and cancel not in draft.events:
        draft.add(cancel)


def _book(
    draft: Draft,
    market: Market,
    step: Guess,
    position: PositionId | None,
    qty: Decimal,
    fee: Decimal,
    cause: DecisionId | None,
    reason: ExitReason | None,
) -> PositionId:
    """Draft one adopted order with its one fill; return its position. `reason`: it is an exit."""
    execution, id_ = step.execution, draft.next_order_id()
    fill = execution.fill
    held = draft.state.positions.get(position) if position is not None else None
    sent = step.sent if step.sent is not None and step.sent.exit is None else None
    order = Order(
        id=id_,
        instrument=execution.instrument,
        side=execution.side,
        qty=Qty(qty),
        position=position if position is not None else PositionId(id_),
        exit=reason,
        strategy=held.strategy if held is not None else sent.strategy if sent else None,
        stop_loss=sent.stop_loss if sent else None,
        take_profit=sent.take_profit if sent else None,
        reference=step.quote.last if step.quote else None,
        reference_at=step.quote.at if step.quote else None,
        reference_source=step.quote.source if step.quote else None,
    )
    draft.add(OrderAdopted(order, fill.order, cause))
    quote = market.get(execution.instrument)
    oi = quote.oi if quote is not None and reason is None else None
    mine = Fill(fill.id, id_, fill.price, Qty(qty), Money(fee, fill.fee.currency), fill.at)
    draft.add(OrderFilled(mine, oi))
    return order.position


def book_proven(draft: Draft, market: Market, proof: Proof) -> None:
    """Draft what `proof` proves, if the journal still stands where the proof begins."""
    state, instrument = draft.state, proof.instrument
    if net(state).get(instrument, ZERO) != proof.here:
        return
    is_sound = all(is_news(state, one) and is_bookable(state, one) for one in proof.fills)
    if is_sound and proves(proof.fills, proof.here, proof.there):
        adopt(draft, market, proof.fills)


def book_late(draft: Draft, market: Market, fill: Fill) -> None:
    """Draft a fill of an order that ended here without it; one that is booked changes nothing."""
    given_up = draft.state.given_up.get(fill.order)
    if given_up is None:
        return
    execution = Execution(fill, given_up.order.instrument, given_up.order.side)
    if is_news(draft.state, execution) and is_bookable(draft.state, execution):
        adopt(draft, market, [execution])


def exceeds(state: State, order: Order, fill: Fill) -> bool:
    """Return whether `fill` cannot go to the position that its order is for: more than was ordered,
    an exit for more than is open, or an entry into one that was closed while an exit of it is
    still at the venue.
    """
    if fill.qty > state.orders[order.id].remaining:
        return True
    position = state.positions.get(order.position)
    if order.exit is not None:
        return position is None or fill.qty > position.qty
    return position is None and any(
        working.order.position == order.position and working.order.exit is not None
        for working in state.orders.values()
    )


def book_excess(draft: Draft, market: Market, fill: Fill) -> None:
    """Draft a fill that `exceeds`: what an exit still finds open ends its position, and what is
    beyond is booked like anything that the venue did without us. What is beyond the order is no
    fill of ours: reconciliation finds it, if it is one of the account.
    """
    working = draft.state.orders[fill.order]
    order, position = working.order, draft.state.positions.get(working.order.position)
    fill = replace(fill, qty=Qty(min(fill.qty, working.remaining)))
    if not exceeds(draft.state, order, fill):
        quote = market.get(order.instrument)
        draft.add(OrderFilled(fill, quote.oi if quote and order.exit is None else None))
        return
    open_qty = position.qty if position is not None else ZERO
    fee = fill.fee.amount
    if open_qty:
        fee = _share(fee, open_qty, fill.qty)
        mine = replace(fill, qty=Qty(open_qty), fee=Money(fee, fill.fee.currency))
        draft.add(OrderFilled(mine))
        fee = fill.fee.amount - fee
    rest = replace(fill, qty=Qty(fill.qty - open_qty), fee=Money(fee, fill.fee.currency))
    dealt = [held for held in _held(draft.state, order.instrument) if held.id != order.position]
    execution = Execution(rest, order.instrument, order.side)
    reason = order.exit or AT_VENUE
    _deal(draft, market, dealt, Guess(execution, reason, sent=order), None)
    if fill.qty >= working.remaining:
        draft.add(OrderCancelled(order.id, "more than was open: the rest is booked on its own"))


def is_bookable(state: State, execution: Execution) -> bool:
    """Return whether `execution` can be booked: its terms are known, its fee is in the account's
    currency, and sums with its figures stay exact.
    """
    if impossible(state, execution.instrument):
        return False
    fill = execution.fill
    fee = fill.fee.amount
    if fill.fee.currency != state.instruments[execution.instrument].currency:
        return False
    is_fee = fee == ZERO or (fee.is_finite() and is_ordinary(abs(fee)))
    return is_ordinary(fill.price) and is_ordinary(fill.qty) and is_fee
