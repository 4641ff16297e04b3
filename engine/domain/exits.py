"""When a position has to be closed, and the order that closes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.draft import Draft
from engine.domain.event import (
    CancelRequested,
    FlattenLatched,
    OrderRequested,
    Peak,
    PeaksRaised,
    StopFired,
)
from engine.domain.ids import SECOND, CommandId, Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument
from engine.domain.market import Market, Quote
from engine.domain.money import ZERO, Money, Price, Qty, ratio
from engine.domain.order import ExitKind, ExitReason, Order
from engine.domain.position import REARM_MAX, Position
from engine.domain.risk import Latch, LatchCause
from engine.domain.session import Account
from engine.domain.state import State
from engine.domain.stop import ExitRule, Unit, View, view_of

RISK_LIMIT: Final = "risk_limit"
"""Exit reason of the kill switch (E-17), the last of the table."""


@dataclass(slots=True)
class Verdict:
    """The first rule that fires, in the order of the table, and the others that do."""

    rule: ExitRule
    level: Decimal | None
    also: tuple[str, ...]

    @property
    def reason(self) -> ExitReason:
        return ExitReason(ExitKind.RULE, self.rule.reason, self.rule.code, self.also, self.level)


def judge(rules: Iterable[ExitRule], view: View) -> Verdict | None:
    """Return what closes the position now; None: it stays."""
    fired = [rule for rule in rules if rule.fires(view)]
    if not fired:
        return None
    first = fired[0]
    reading = first.reading(view)
    level = reading.level if reading.unit is not Unit.INSTANT else None
    return Verdict(first, level, tuple(rule.reason for rule in fired[1:]))


def peak_with(state: State, position: Position, pending: Peak | None) -> Price:
    """Return the best price since entry, with extremes that are not journaled yet."""
    best = state.peak(position)
    if pending is None:
        return best
    if position.side.sign > 0:
        return best if pending.high is None else max(best, pending.high)
    return best if pending.low is None else min(best, pending.low)


def check_positions(
    draft: Draft,
    market: Market,
    due: Iterable[PositionId],
    pending: Peak | None,
    now: Nanos,
    breach: str = "",
) -> None:
    """Judge the positions `due` at the present quote and draft the exits.

    `breach`: why the kill switch fires on this tick, too; it stands below every rule (E-19).
    """
    state = draft.state
    for id_ in due:
        position = state.positions.get(id_)
        if position is None or not position.is_guarded(now):
            continue
        quote = market.get(position.instrument)
        if quote is None:
            continue
        instrument = state.instruments[position.instrument]
        view = view_of(position, instrument, quote, now, peak_with(state, position, pending))
        verdict = judge(state.rules, view)
        if verdict is not None:
            if breach:
                verdict.also += (RISK_LIMIT,)
            if pending is not None and not draft:
                draft.add(PeaksRaised((pending,)))
            fire(draft, position, quote, verdict, now)


def fire(draft: Draft, position: Position, quote: Quote, verdict: Verdict, now: Nanos) -> None:
    """Draft the record of a rule that fired, and the exit order."""
    reason = verdict.reason
    draft.add(
        StopFired(
            position=position.id,
            reason=reason,
            price=quote.last,
            price_at=quote.at,
            source=quote.source,
            age=quote.age(now),
            gap=_gap(verdict, quote),
        ),
    )
    order_exit(draft, position, reason, quote, position.qty, None)


def _gap(verdict: Verdict, quote: Quote) -> Decimal | None:
    """Return how far beyond a price level the price is, against or in favour; None: no level."""
    if verdict.level is None or verdict.rule.code == "oi":
        return None
    return abs(verdict.level - quote.last)


def order_exit(
    draft: Draft,
    position: Position,
    reason: ExitReason,
    quote: Quote | None,
    qty: Qty,
    cause: CommandId | None,
) -> None:
    """Draft a market order that closes `qty` of `position`; if that is all, its entry ends, too."""
    order = Order(
        id=draft.next_order_id(),
        instrument=position.instrument,
        side=position.side.opposite,
        qty=qty,
        position=position.id,
        exit=reason,
        strategy=position.strategy,
        reference=quote.last if quote else None,
        reference_at=quote.at if quote else None,
        reference_source=quote.source if quote else None,
    )
    draft.add(OrderRequested(order, cause))
    if qty == position.qty and position.entry_order is not None:
        call_off(draft, position.entry_order, cause)


def call_off(draft: Draft, order: OrderId, cause: CommandId | None) -> None:
    """Draft the cancel of an order that still works, once."""
    working = draft.state.orders.get(order)
    if working is not None and not working.cancel_requested and not draft.cancels(order):
        draft.add(CancelRequested(order, cause))


def flatten(draft: Draft, market: Market, latch: Latch, now: Nanos) -> None:
    """Draft what a latch in force still has to do: cancel entries, close what is guarded.

    A position that this decision closes already, by a rule of its own, has its one exit.
    """
    state = draft.state
    for working in state.orders.values():
        if working.order.exit is None:
            call_off(draft, working.order.id, latch.by)
    is_person = latch.cause is not LatchCause.RISK_LIMIT
    reason = ExitReason(
        ExitKind.MANUAL if is_person else ExitKind.RISK,
        "manual" if is_person else RISK_LIMIT,
        note=latch.reason,
        by=latch.who if is_person else "",
    )
    for position in state.positions.values():
        if position.is_guarded(now) and not draft.closes(position.id):
            quote = market.get(position.instrument)
            order_exit(draft, position, reason, quote, position.qty, latch.by)


def equity(state: State, market: Market, account: Account) -> Decimal:
    """Return cash, cost and open profit of one currency at the last prices."""
    total = account.cash
    for position in state.positions.values():
        if position.currency != account.currency:
            continue
        quote = market.get(position.instrument)
        instrument: Instrument = state.instruments[position.instrument]
        open_profit = position.pnl(quote.last, instrument) if quote else ZERO
        total += position.cost + open_profit
    return total


def risk_breach(state: State, market: Market, highest: Iterable[Money] = ()) -> str:
    """E-17: return why an account lost more than the session allows; empty: it did not.

    `highest`: equities that are not journaled yet; the fall counts from the highest ever.
    """
    limits = state.limits
    if state.latch is not None or (limits.daily_loss is None and limits.drawdown_max is None):
        return ""
    for account in state.accounts.values():
        worth = equity(state, market, account)
        before = account.earlier.net if account.earlier else ZERO
        lost = account.initial - account.forgiven - worth - before
        if limits.daily_loss is not None and lost >= limits.daily_loss:
            return f"daily loss {lost:f} {account.currency} reached the limit {limits.daily_loss:f}"
        highs = [m.amount for m in highest if m.currency == account.currency]
        high = max(account.high_water, *highs, ZERO)
        if limits.drawdown_max is not None and high > 0:
            fall = ratio(high - worth, high)
            if fall >= limits.drawdown_max:
                return f"drawdown {fall:.2%} reached the limit {limits.drawdown_max:.2%}"
    return ""


def kill(draft: Draft, market: Market, breach: str, now: Nanos) -> None:
    """Draft the latch that `breach` asks for, and the exits of everything still without one."""
    if breach:
        draft.add(FlattenLatched(LatchCause.RISK_LIMIT, breach, by="engine"))
        flatten(draft, market, Latch(LatchCause.RISK_LIMIT, now, None, breach), now)


def rearm_at(position: Position, now: Nanos, first_ms: int) -> Nanos:
    """Return when protection is back after a failed close: doubling, 1 s at most (E-27)."""
    wait = first_ms * 2 ** min(position.failed_closes, 8) * SECOND // 1000
    return Nanos(now + min(wait, REARM_MAX))
