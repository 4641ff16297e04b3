"""When the recovery room opens by itself: before anything else, once for each crash (C-17).

After an orderly end it opens only if a rule would have fired meanwhile, or something is asked; else
the log and the banner say what the looking back came to.
"""

from __future__ import annotations

from engine.domain.ids import SECOND, Nanos
from engine.domain.recovery import ROOM
from engine.domain.state import State
from tui.panel import Desk

FRESHLY = 30 * SECOND
"""A recovery that was over so quickly is shown all the same."""


class Door:
    """Remembers for which crash it opened already."""

    def __init__(self) -> None:
        self._opened_for: Nanos | None = None

    def opens(self, desk: Desk) -> bool:
        """Return whether to open the room now."""
        absence = desk.replica.state.absence
        if absence is None or absence.found_at == self._opened_for:
            return False
        if absence.was_stopped and not has_found(desk.replica.state):
            return False
        self._opened_for = absence.found_at
        return is_needed(desk.replica.state, desk.replica.now(desk.mono))


def has_found(state: State) -> bool:
    """Return whether a rule would have fired while nobody watched, or a person is asked."""
    gaps = state.absence.gaps.values() if state.absence is not None else ()
    asked = any(decision.matter in ROOM for decision in state.decisions.values())
    return asked or any(gap.finding is not None for gap in gaps)


def is_needed(state: State, now: Nanos) -> bool:
    """Return whether something is unsettled, or was a moment ago."""
    absence = state.absence
    if absence is None:
        return False
    return absence.settled_at is None or now - absence.settled_at < FRESHLY
