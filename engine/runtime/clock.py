"""The two clocks. Nothing else in the engine may ask what time it is."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from engine.domain.ids import Nanos

_BOOTTIME: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux: goes on while the machine is suspended, so that a closed lid is seen as a gap (P08)."""


class SystemClock:
    """Wall-clock time, for live and paper sessions."""

    def now(self) -> Nanos:
        return Nanos(time.time_ns())

    def monotonic(self) -> Nanos:
        if _BOOTTIME is not None:
            return Nanos(time.clock_gettime_ns(_BOOTTIME))
        return Nanos(time.monotonic_ns())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """Time that moves only when told: replay sets it from each input, tests by hand."""

    def __init__(self, start: Nanos = Nanos(0)) -> None:
        self._now = start

    def now(self) -> Nanos:
        return self._now

    def monotonic(self) -> Nanos:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move this clock on by `seconds` and give others a turn."""
        self._now = Nanos(self._now + int(seconds * 1_000_000_000))
        await asyncio.sleep(0)

    def set(self, now: Nanos) -> None:
        """Move to `now`; moving back is ignored, time does not."""
        self._now = max(self._now, now)
