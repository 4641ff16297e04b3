"""Time as a dependency."""

from __future__ import annotations

from typing import Protocol

from engine.domain.ids import Nanos


class Clock(Protocol):
    """The only source of time in the engine."""

    def now(self) -> Nanos:
        """Return the current UTC time."""

    def monotonic(self) -> Nanos:
        """Return a reading that never steps back; for durations only."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` of this clock's time."""
