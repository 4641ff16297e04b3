"""What a crash leaves to be looked at, step by step: part of `evolve`, used by it only."""

from __future__ import annotations

from engine.domain.errors import IllegalTransition
from engine.domain.event import Entry, GapJudged, RecoverySettled, SessionCrashed
from engine.domain.gap import Absence
from engine.domain.ids import Nanos
from engine.domain.mapping import changed, with_item
from engine.domain.state import State, Witnessed


def left(state: State, entry: Entry, event: SessionCrashed) -> Absence:
    """Return what is to be looked at after a crash; one during recovery adds to the time."""
    known = state.absence
    if known is not None and not known.is_settled:
        # Its whole time is judged anew.
        return changed(
            known, found_at=entry.at, gaps={}, held=tuple(state.positions), was_stopped=False
        )
    held, counts = tuple(state.positions), (event.positions, event.orders)
    return Absence(event.session, event.last_at, entry.at, *counts, held=held)


def left_in_order(state: State, entry: Entry, since: Nanos) -> Absence:
    """Return what is to be looked at after an orderly end with positions open, before `entry`."""
    known = state.absence
    if known is not None and not known.is_settled:  # nobody had judged that time, either
        return changed(known, found_at=entry.at, gaps={}, held=tuple(state.positions))
    if state.session is None:
        raise IllegalTransition("nobody was away before the first session")
    held, counts = tuple(state.positions), (len(state.positions), len(state.orders))
    ended = state.session.id
    return Absence(ended, since, entry.at, *counts, held=held, was_stopped=True)


def witnessed(state: State) -> Witnessed:
    """Return what was known when the first engine died whose gap is not settled."""
    known = state.absence
    if known is not None and not known.is_settled and state.witnessed is not None:
        return state.witnessed
    return Witnessed(state.extremes, state.marks)


def gap_judged(state: State, entry: Entry, event: GapJudged) -> State:
    """Return `state` with what was found of one position."""
    if state.absence is None or state.absence.is_settled:
        raise IllegalTransition(f"gap of {event.gap.position} judged, but nobody was away")
    gaps = with_item(state.absence.gaps, event.gap.position, event.gap)
    return changed(state, absence=changed(state.absence, gaps=gaps))


def settled(state: State, entry: Entry, event: RecoverySettled) -> State:
    """Return `state` with the recovery over; what was found stays as a report."""
    if state.absence is None:
        raise IllegalTransition("a recovery was settled that never began")
    over = changed(state.absence, settled_at=entry.at, how=event.how)
    return changed(state, absence=over, witnessed=None)
