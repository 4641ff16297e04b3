"""How long nobody watched, and why, in the words of the room and of the banner. Pure."""

from __future__ import annotations

from typing import Final

from engine.domain.gap import Absence
from engine.domain.ids import SECOND, Nanos
from tui import formatting as fmt
from tui.dialog import labelled
from tui.sanitise import for_screen
from tui.widgets.line import Line

TOLD: Final = 30 * SECOND
"""What looking back after an orderly end came to is said for so long."""


def found(absence: Absence, zone: str) -> Line:
    """Return what was found at the start: a crash, or only that no engine was running."""
    began, taken_up = (fmt.clock(at, zone) for at in (absence.since, absence.found_at))
    away = fmt.duration(absence.found_at - absence.since)
    name = f"session {for_screen(absence.session, 30)}"
    if absence.was_stopped:
        head = (f"no engine was running for {away}", "text!")
        rest = (f"; {name} ended {began}", "text"), (f", taken up {taken_up}", "text")
    else:
        head = (f"{name} crashed", "text!")
        rest = (f"; last entry {began}", "text"), (f", found {taken_up}, {away} later", "text")
    return labelled("found", head, *rest)


def looking_back(absence: Absence) -> str:
    """Return what the banner says while the time after an orderly end is looked at."""
    away = fmt.duration(absence.found_at - absence.since)
    return f"LOOKING BACK at the {away} that no engine was running (R)"


def looked_back(absence: Absence, now: Nanos) -> str:
    """Return what that came to, for a moment after it is settled; then, and of a crash: nothing."""
    settled = absence.settled_at
    if settled is None or not absence.was_stopped or now - settled >= TOLD:
        return ""
    gaps = absence.gaps.values()
    fired = sum(gap.finding is not None for gap in gaps)
    unknown = sum(bool(gap.unknown) for gap in gaps)
    what = f"a rule would have closed {fired}" if fired else "no rule would have fired"
    if unknown:
        what = f"of {unknown} nobody knows what happened"
    away = fmt.duration(absence.found_at - absence.since)
    return f"NO ENGINE WAS RUNNING for {away}: {what} (R)"
