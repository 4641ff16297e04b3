"""From one session to the next: last prices at the end, results and positions taken over (E-64)."""

from __future__ import annotations

from decimal import Decimal, localcontext

from engine.domain.draft import Draft
from engine.domain.event import Mark, QuotesMarked, SessionEnded
from engine.domain.market import Market, Quote
from engine.domain.money import EXACT, ZERO, Currency
from engine.domain.session import Account, Carryover, Result
from engine.domain.state import State


def mark_of(quote: Quote) -> Mark:
    """Return what the journal keeps of a quote."""
    return Mark(
        quote.instrument,
        quote.last,
        quote.at,
        quote.turnover,
        quote.volume,
        quote.session_start,
        quote.oi,
    )


def end(draft: Draft, market: Market, event: SessionEnded) -> None:
    """End the session; first journal the last prices of what it holds, which it closes at."""
    state = draft.state
    watched = (s.position for s in state.shadows.values() if s.ending is None)
    held = sorted({position.instrument for position in (*state.positions.values(), *watched)})
    marks = [mark_of(market[instrument]) for instrument in held if instrument in market]
    news = tuple(mark for mark in marks if state.marks.get(mark.instrument) != mark)
    if news:
        draft.add(QuotesMarked(news))
    draft.add(event)


def unrealised(state: State, currency: Currency) -> Decimal:
    """Return the open profit of one currency at the last journaled prices."""
    total = ZERO
    for position in state.positions.values():
        mark = state.marks.get(position.instrument)
        if position.currency == currency and mark is not None:
            total += position.pnl(mark.last, state.instruments[position.instrument])
    return total


def tied(state: State, currency: Currency) -> Decimal:
    """Return what the open positions of one currency cost."""
    return sum((p.cost for p in state.positions.values() if p.currency == currency), ZERO)


def carryover(state: State) -> Carryover | None:
    """Return what the next session takes over from the one in `state`; None: there is none."""
    session = state.session
    if session is None:
        return None
    with localcontext(EXACT):
        results = tuple(_result(state, account) for account in state.accounts.values())
    ended_at = session.ended_at or session.started_at
    return Carryover(session.id, ended_at, results, tuple(state.positions))


def _result(state: State, account: Account) -> Result:
    profit = unrealised(state, account.currency)
    equity = account.cash + tied(state, account.currency) + profit
    pnl = equity - account.initial
    return Result(account.currency, pnl, account.trades, account.wins, profit, equity)
