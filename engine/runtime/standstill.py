"""Notices that the engine stood still: suspended, starved of CPU, or held up in one place.

Whoever stood still knows nothing of what happened meanwhile (P08), so nothing may be decided from
what was known before. How late the exits were looked at is told in any case (P10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.domain.ids import SECOND, Nanos
from engine.ports.clock import Clock

LATE_S: Final = 1.5
"""From here on it is told; the timer takes its turn four times a second."""
GAP_S: Final = 5.0
"""From here on every price is stale, and nothing is decided before the venue was asked."""

SOURCE: Final = "standstill"
"""Source of the block that lasts until venue and engine agree again."""
STEP_S: Final = 0.02
"""How often it is looked whether what is waited for has come."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A stretch of time in which nothing was looked at."""

    since: Nanos
    """When the engine last looked, by the wall clock."""
    seconds: float

    @property
    def is_gap(self) -> bool:
        """Whether so much was missed that prices and venue have to be asked for anew."""
        return self.seconds >= GAP_S


class Standstill:
    """`look` before anything is decided, `beat` after a pause that was meant."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looked: tuple[Nanos, Nanos] | None = None

    def look(self) -> Stood | None:
        """Return the standstill that ends now, if there was one since the last look."""
        before = self._looked
        now = self._clock.monotonic()
        if before is not None and now - before[1] < LATE_S * SECOND:
            self._looked = (self._clock.now(), now)
            return None
        self.beat()
        return None if before is None else Stood(before[0], (now - before[1]) / SECOND)

    def beat(self) -> None:
        """Count from now on."""
        self._looked = (self._clock.now(), self._clock.monotonic())
