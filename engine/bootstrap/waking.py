"""What a live engine does after it stood still (P08): first the venue and new prices, then orders.

A suspended machine wakes with old prices and an old picture of its account. Entries are blocked,
the feed is connected anew, the venue is asked, and only then is anything decided: a stop that was
crossed meanwhile exits once, at the price of now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

from engine.domain.event import EntriesAllowed, EntriesBlocked
from engine.domain.ids import SECOND, Nanos
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.reconciler import Reconciler
from engine.runtime.standstill import SOURCE, STEP_S, Stood

__all__ = ["SOURCE", "Feeding", "Waking"]

LOOK_SECONDS: Final = 12.0
"""So long exits wait for what venue and store say at most: a bit more than a venue is given."""
PRICES_SECONDS: Final = 3.0
"""So long is waited for a first price; a silent feed has its own alarm."""
TOLD_SECONDS: Final = 10
"""Lateness is told again after so long only: a machine without a free core is late all the time."""


class Feeding:
    """The task that brings prices, which can be begun anew."""

    def __init__(
        self, tasks: asyncio.TaskGroup, work: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        self._tasks, self._work = tasks, work
        self._task = tasks.create_task(work())

    def begin_anew(self) -> None:
        """Connect anew: whoever stood still does not know whether its connection still stands."""
        if not self._task.done():
            self._task.cancel()
            self._task = self._tasks.create_task(self._work())

    def end(self) -> None:
        """Bring no more prices."""
        self._task.cancel()


class Waking:
    """Looks around after a standstill, and lets entries in again when that was answered."""

    def __init__(
        self, engine: Engine, reconciler: Reconciler, clock: Clock, logbook: Logbook
    ) -> None:
        self._engine, self._reconciler = engine, reconciler
        self._clock, self._logbook = clock, logbook
        self._feeding: Feeding | None = None
        self._woke_at: Nanos | None = None
        """Since when an answer of the venue is waited for."""
        self._told_at: Nanos | None = None

    def feed(
        self, tasks: asyncio.TaskGroup, work: Callable[[], Coroutine[None, None, None]]
    ) -> Feeding:
        """Begin to feed, and remember how to begin anew."""
        self._feeding = Feeding(tasks, work)
        return self._feeding

    def connect_anew(self) -> None:
        """Begin the feed anew."""
        if self._feeding is not None:
            self._feeding.begin_anew()

    async def look_around(self, stood: Stood) -> None:
        """Find out what happened; the engine decides nothing before this returns."""
        if not stood.is_gap:
            self._tell_late(stood)
            return
        text = f"the engine stood still for {stood.seconds:.1f} s: every price is stale"
        self._logbook.log(
            "critical", "engine", f"{text}; nothing is sent before the venue is asked"
        )
        self._woke_at = self._clock.now()
        self._engine.submit(EntriesBlocked(SOURCE, text))
        ticks = self._engine.heard
        self.connect_anew()
        with suppress(TimeoutError):  # a store that hangs, too; entries stay out until one is heard
            async with asyncio.timeout(LOOK_SECONDS):
                await self._reconciler.reconcile()
        waited = 0.0
        while self._engine.heard == ticks and waited < PRICES_SECONDS:
            await self._clock.sleep(STEP_S)
            waited += STEP_S

    async def run(self) -> None:
        """Let entries in again once the venue was heard, for ever."""
        if SOURCE in self._engine.state.blocks:  # left by a process that died while it waited
            self._woke_at = Nanos(0)
        while True:
            await self._clock.sleep(0.25)
            woke, heard = self._woke_at, self._reconciler.good_at
            if woke is not None and heard is not None and heard >= woke:
                self._woke_at = None
                self._engine.submit(EntriesAllowed(SOURCE))
                self._logbook.log("info", "engine", "the venue was asked and prices are new")

    def _tell_late(self, stood: Stood) -> None:
        now = self._clock.monotonic()
        if self._told_at is not None and now - self._told_at < TOLD_SECONDS * SECOND:
            return
        self._told_at = now
        text = f"exits were looked at {stood.seconds:.1f} s late: the machine or one task was busy"
        self._logbook.log("error", "engine", text)
