"""Keeps what runs beside the engine running: whoever fails is told of, waits, and starts again.

A reader, a chore or a feed that raises must never end the engine, which watches open positions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from engine.domain.ids import SECOND, Nanos
from engine.domain.market import Tick
from engine.domain.silence import backoff_s
from engine.ports.clock import Clock
from engine.runtime.logbook import Logbook

REPEATED_S = 60
"""The same failure is told again after so long only: a listener may fail on every tick."""
STEADY_S = 60
"""Whoever ran so long before failing starts again without a pause that grew."""


class Tending:
    """Tells failures, and starts again what failed."""

    def __init__(self, clock: Clock, logbook: Logbook) -> None:
        self._clock = clock
        self._logbook = logbook
        self._told: dict[tuple[str, str], Nanos] = {}
        self.failures = 0

    def failed(self, who: str, error: Exception) -> None:
        """Tell that `who` raised `error`. Never raises: the logbook may be what failed."""
        self.failures += 1
        now, key = self._clock.monotonic(), (who, type(error).__name__)
        told = self._told.get(key)
        if told is not None and now - told < REPEATED_S * SECOND:
            return
        self._told[key] = now
        text = f"{who} failed: {type(error).__name__}: {error}; the engine goes on"
        try:
            self._logbook.log("critical", "engine", text)
        except Exception:  # noqa: BLE001  one of its own listeners; the files have the line
            self._logbook.alarm(text)

    async def keep(self, who: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until it returns, again and again while it raises."""
        attempt = 0
        while True:
            began = self._clock.monotonic()
            try:
                await work()
            except Exception as error:  # noqa: BLE001  whatever it was, the others go on
                self.failed(who, error)
            else:
                return
            if self._clock.monotonic() - began > STEADY_S * SECOND:
                attempt = 0
            await self._clock.sleep(backoff_s(attempt, 0.0))
            attempt += 1

    async def once(self, who: str, work: Awaitable[None]) -> None:
        """Run `work`; tell if it raised."""
        try:
            await work
        except Exception as error:  # noqa: BLE001
            self.failed(who, error)


async def flowing(
    ticks: Callable[[], AsyncIterator[list[Tick]]],
    clock: Clock,
    lost: Callable[[str], None],
    *,
    is_recording: bool,
) -> AsyncIterator[list[Tick]]:
    """Yield batches of a feed for ever, connecting again with a pause; of a recording: to its end,
    or to where it cannot be read on.

    `lost` is told why, and an empty text with the first batch that follows.
    """
    attempt, is_lost = 0, False
    while True:
        why = "the feed ended"
        try:
            async for batch in ticks():
                if is_lost:
                    is_lost, attempt = False, 0
                    lost("")
                yield batch
        except Exception as error:  # noqa: BLE001  whatever a feed raises, positions stay watched
            if is_recording:
                lost(f"{type(error).__name__}: {error}")
            why = f"{type(error).__name__}: {error}"
        if is_recording:
            return
        is_lost = True
        lost(why)
        await clock.sleep(backoff_s(attempt, 0.0))
        attempt += 1
