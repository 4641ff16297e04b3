"""What the beginning, the crash and the end of a session do to the state; used by `evolve` only."""

from __future__ import annotations

from engine.domain.errors import IllegalTransition
from engine.domain.event import (
    Entry,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
)
from engine.domain.ids import SessionId
from engine.domain.mapping import changed
from engine.domain.money import ZERO
from engine.domain.session import Account, Recovery, Session, SessionStatus
from engine.domain.state import CRASHES_KEPT, State


def started(state: State, entry: Entry, event: SessionStarted) -> State:
    """Begin `event`'s session with its cash; nothing may be open."""
    if state.positions or state.orders:
        raise IllegalTransition(f"session {event.session} started over open positions or orders")
    earlier = {result.currency: result for result in event.earlier}
    was_cut = state.session is not None and state.session.status is SessionStatus.CRASHED
    return State(
        session=Session(event.session, entry.at, event.mode, event.venue, event.feed),
        accounts={
            m.currency: Account(
                m.currency,
                m.amount,
                m.amount,
                high_water=m.amount,
                earlier=earlier.get(m.currency),
                # What a person accepted today stays accepted today.
                forgiven=state.accounts[m.currency].forgiven
                if m.currency in earlier and m.currency in state.accounts
                else ZERO,
            )
            for m in event.cash
        },
        rules=event.rules,
        limits=event.limits,
        strategies=state.strategies,
        blocks=state.blocks,
        latch=state.latch,
        # The same work goes on under a new name: what acted in it must not act again.
        handled=state.handled if was_cut else {},
        crashes=state.crashes,
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
        state,
        session=changed(session, status=SessionStatus.CRASHED, ended_at=event.last_at, choice=None),
        crashes=(*state.crashes, entry.at)[-CRASHES_KEPT:],
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
    """Let the session go on."""
    if state.session is None:
        raise IllegalTransition("nothing to resume")
    session = changed(state.session, status=SessionStatus.ACTIVE, ended_at=None, choice=None)
    return changed(state, session=session)


def _current(state: State, id_: SessionId) -> Session:
    if state.session is None or state.session.id != id_:
        raise IllegalTransition(f"session {id_} is not the current one")
    return state.session
