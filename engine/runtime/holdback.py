"""Holds back what was decided before a standstill and not sent, until the venue was asked (P08).

Its intent is durable, but whoever slept knows neither what its account holds now nor what things
cost. An exit goes out as soon as the answer is booked; an entry may be too old by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from engine.domain.entries import INSTRUMENT_BLOCK, VENUE_BLOCK
from engine.domain.event import EntriesAllowed, Entry
from engine.domain.ids import SECOND, Nanos
from engine.domain.order import Order
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.runtime import standstill

HOLD_SECONDS: Final = 16.0
"""An exit waits no longer, whatever the venue does: so long asking it and the first price take."""


class Holdback:
    """Knows when an order was decided, and what has become of what it was decided on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = State()
        self._asked = asyncio.Event()
        """Set, and replaced, when the venue was asked and what it said is booked."""
        self.decided_at: Callable[[], Nanos] | None = None
        """Monotonic time at which what is published now was decided; None: nothing is held back,
        because nobody asks the venue after a standstill.
        """

    def on_entry(self, entry: Entry, state: State) -> None:
        """Take in a durable entry; the end of the standstill's block lets what waits go on."""
        self._state = state
        is_over = entry.event == EntriesAllowed(standstill.SOURCE)
        if is_over and not self._is_old(self.stamp()):  # an old one is of an earlier standstill
            self._asked.set()
            self._asked = asyncio.Event()

    def stamp(self) -> Nanos:
        """Return when what is published now was decided, on the monotonic clock."""
        return self._clock.monotonic() if self.decided_at is None else self.decided_at()

    async def why_not(self, order: Order, decided: Nanos) -> str:
        """Return why `order` must not be sent any more; empty: send it. Waits if that is not known
        before the venue was asked.
        """
        if not self._is_old(decided):
            return ""
        await self._wait()
        working = self._state.orders.get(order.id)
        if working is None:
            return "it is over"
        if working.cancel_requested:
            return "withdrawn before it was sent"
        if order.exit is not None:
            return "" if order.position in self._state.positions else "nothing is open any more"
        return self._entry_is_late(order, working.requested_at)

    def _is_old(self, decided: Nanos) -> bool:
        age = self._clock.monotonic() - decided
        return self.decided_at is not None and age >= standstill.GAP_S * SECOND

    async def _wait(self) -> None:
        asked, waited = self._asked, 0.0  # steps are counted: another standstill is no waiting
        while not asked.is_set() and waited < HOLD_SECONDS:
            await self._clock.sleep(standstill.STEP_S)
            waited += standstill.STEP_S

    def _entry_is_late(self, order: Order, requested_at: Nanos) -> str:
        """Return why an entry is not wanted any more: its price is too old, or entries wait."""
        state = self._state
        own = (f"{INSTRUMENT_BLOCK}{order.instrument}", f"{VENUE_BLOCK}{order.instrument}")
        for source, reason in state.blocks.items():
            if source in own or not source.startswith((INSTRUMENT_BLOCK, VENUE_BLOCK)):
                return f"entries blocked by {source}: {reason}"
        seen = order.reference_at if order.reference_at is not None else requested_at
        age = (self._clock.now() - seen) // SECOND
        limit = state.limits.price_age_max_s
        if age > limit:
            return f"the engine stood still: the price it was decided on is {age} s old"
        return ""
