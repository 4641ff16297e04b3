"""What the beginning, the crash and the end of a session do to the state; used by `evolve` only."""

from __future__ import annotations

from collections.abc import Mapping

from engine.domain import recovery_flow
from engine.domain.errors import IllegalTransition
from engine.domain.event import (
    Entry,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
)
from engine.domain.gap import Absence
from engine.domain.ids import Nanos, SessionId
from engine.domain.mapping import changed
from engine.domain.money import ZERO, Currency, Money
from engine.domain.session import Account, DayResult, Recovery, Session, SessionStatus
from engine.domain.shadow_flow import unseen
from engine.domain.state import CRASHES_KEPT, State, Witnessed


def started(state: State, entry: Entry, event: SessionStarted) -> State:
    """Begin `event`'s session with its cash, and with the positions that it takes over."""
    carried = event.carried.positions if event.carried else ()
    if state.orders or carried != tuple(state.positions):
        raise IllegalTransition(f"session {event.session} started over open positions or orders")
    held = {position.instrument for position in state.positions.values()}
    held |= {shadow.position.instrument for shadow in state.shadows.values()}
    earlier = {result.currency: result for result in event.earlier}
    was_cut = state.session is not None and state.session.status is SessionStatus.CRASHED
    is_away = event.absent_since is not None
    return State(
        session=Session(
            event.session, entry.at, event.mode, event.venue, event.feed, carried=event.carried
        ),
        accounts={m.currency: _account(state, event, m, earlier) for m in event.cash},
        instruments={id_: terms for id_, terms in state.instruments.items() if id_ in held},
        extremes=state.extremes if held else {},
        positions=state.positions,
        marks={id_: mark for id_, mark in state.marks.items() if id_ in held},
        rules=event.rules,
        limits=event.limits,
        strategies=state.strategies,
        blocks=state.blocks,
        latch=state.latch,
        # The same work goes on under a new name: what acted in it must not act again.
        handled=state.handled if was_cut else {},
        crashes=state.crashes,
        absence=_absence(state, entry, event.absent_since) if was_cut or is_away else None,
        witnessed=_witnessed(state, event.absent_since) if was_cut or is_away else None,
        shadows=unseen(state).shadows,  # nobody saw prices between the sessions
        decisions=state.decisions,
        answers=state.answers,
        given_up=state.given_up,
        adopted=state.adopted,
    )


def _account(
    state: State, event: SessionStarted, cash: Money, earlier: Mapping[Currency, DayResult]
) -> Account:
    """Return an account that opens with `cash` and what is held, at its last journaled prices."""
    currency, known = cash.currency, state.accounts.get(cash.currency)
    held = [p.cost for p in state.positions.values() if p.currency == currency]
    if held and (known is None or known.cash != cash.amount):
        raise IllegalTransition(f"{cash.amount} {currency} is not the cash beside what is held")
    results = event.carried.results if held and event.carried else ()
    carried = next((r.unrealised for r in results if r.currency == currency), ZERO)
    equity = sum(held, cash.amount) + carried
    return Account(
        currency,
        equity,
        cash.amount,
        high_water=equity,
        # What a person accepted today stays accepted today.
        forgiven=known.forgiven if known and currency in earlier else ZERO,
        earlier=earlier.get(currency),
        carried=carried,
    )


def ended(state: State, entry: Entry, event: SessionEnded) -> State:
    """End the current session."""
    session = _current(state, event.session)
    return changed(state, session=changed(session, status=event.status, ended_at=entry.at))


def crashed(state: State, entry: Entry, event: SessionCrashed) -> State:
    """Note that the current session's engine died; nothing else changes."""
    session = _current(state, event.session)
    if session.status is not SessionStatus.ACTIVE:
        raise IllegalTransition(f"session {event.session} is {session.status.value}, not active")
    return changed(
        unseen(state),
        session=changed(session, status=SessionStatus.CRASHED, ended_at=event.last_at, choice=None),
        crashes=(*state.crashes, entry.at)[-CRASHES_KEPT:],
        absence=recovery_flow.left(state, entry, event),
        witnessed=recovery_flow.witnessed(state),
    )


def decided(state: State, entry: Entry, event: RecoveryDecided) -> State:
    """Note what will be done; nobody can decline what is open (E-61)."""
    session = _current(state, event.session)
    if session.status is not SessionStatus.CRASHED:
        raise IllegalTransition(f"session {event.session} is {session.status.value}, not crashed")
    if event.choice is Recovery.FRESH and (state.positions or state.orders):
        raise IllegalTransition(f"session {event.session} has open positions or orders")
    return changed(state, session=changed(session, choice=event.choice))


def resumed(state: State, entry: Entry, event: Resumed) -> State:
    """Let the session go on; what an orderly end left open is to be looked back at."""
    if state.session is None:
        raise IllegalTransition("nothing to resume")
    session = changed(state.session, status=SessionStatus.ACTIVE, ended_at=None, choice=None)
    since = event.absent_since
    if since is None:
        return changed(state, session=session)
    return changed(
        unseen(state),
        session=session,
        absence=_absence(state, entry, since),
        witnessed=_witnessed(state, since),
    )


def _absence(state: State, entry: Entry, since: Nanos | None) -> Absence | None:
    """Return what is to be looked at; `since`: from when nobody watched after an orderly end."""
    return state.absence if since is None else recovery_flow.left_in_order(state, entry, since)


def _witnessed(state: State, since: Nanos | None) -> Witnessed | None:
    return state.witnessed if since is None else recovery_flow.witnessed(state)


def _current(state: State, id_: SessionId) -> Session:
    if state.session is None or state.session.id != id_:
        raise IllegalTransition(f"session {id_} is not the current one")
    return state.session
