"""The time of a session over a recording: it runs from item to item, and stands while paused."""

from __future__ import annotations

from engine.domain.ids import Nanos
from engine.ports.clock import Clock


class RecordedClock:
    """`now` is recorded time; durations and sleeps are real, so that timers keep their rhythm."""

    def __init__(self, real: Clock, begins: Nanos) -> None:
        self._real = real
        self._at = begins
        self._since = real.monotonic()
        self._speed = 0.0

    def reach(self, at: Nanos, speed: float) -> None:
        """An item of `at` was delivered; time goes on from there at `speed` (0: it stands)."""
        self._at = max(self.now(), at)
        self._since = self._real.monotonic()
        self._speed = speed

    def now(self) -> Nanos:
        elapsed = self._real.monotonic() - self._since
        return Nanos(self._at + int(elapsed * self._speed))

    def monotonic(self) -> Nanos:
        return self._real.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)
