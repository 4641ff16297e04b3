"""The live engine: drain the inbox, decide, commit the batch, publish. The only writer.

Group commit by construction: what arrives while a commit is on its way to the disk is decided
together and becomes the next commit. Nothing is published before its commit returned.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from engine.domain.event import EntriesAllowed, EntriesBlocked, Entry
from engine.domain.ids import Nanos
from engine.domain.inputs import Reported
from engine.domain.market import Quote, Tick
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.ports.journal import Journal, JournalConflict, JournalError
from engine.runtime.core import Core, Elapsed, Given
from engine.runtime.standstill import Standstill, Stood

EntryListener: TypeAlias = Callable[[Entry, State], None]
TickListener: TypeAlias = Callable[[Tick, Quote], None]

INBOX_MAX: Final = 20_000
"""Ticks beyond this make their feed wait; nothing is dropped."""
BATCH_MAX: Final = 1_000
"""Inputs decided between two commits."""
TIMER_SECONDS: Final = 0.25
STORE: Final = "store"
"""Source of the block that a failing store causes."""
RETRY_SECONDS: Final = 0.5
"""Pause before a failed commit is tried again; E-54."""


_FIRST: Final = frozenset({Reported, EntriesBlocked})


class Engine:
    """Readers (executor, strategist, link, logbook) subscribe and never touch the state."""

    def __init__(self, core: Core, journal: Journal, clock: Clock) -> None:
        self.core = core
        self.clock = clock
        self._journal = journal
        self._inbox: deque[Given] = deque()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._entry_listeners: list[EntryListener] = []
        self._tick_listeners: list[TickListener] = []
        self.is_persisted = STORE not in core.state.blocks
        self.store_error = ""
        self.on_commit: Callable[[int, Nanos], None] = lambda _n, _took: None
        self.on_decided: Callable[[Nanos], None] = lambda _took: None
        self.on_elapsed: Callable[[], None] = lambda: None
        self.on_fault: Callable[[str, Exception], None] = lambda _who, _error: None
        """Told of a listener that raised, or of an input that could not be decided: neither ends
        the engine, which has positions to watch."""
        self.on_stood: Callable[[Stood], Awaitable[None]] | None = None
        """Awaited before anything is decided after the engine stood still; None: it matters not."""
        self.standstill = Standstill(clock)
        self.faults = 0
        self.heard = 0
        """Ticks that a feed brought, decided on or not."""
        self.decided_at = Nanos(0)
        """Monotonic time at which the batch that is published was begun to be decided."""
        self.durable = core.state.seq
        """Last entry that is on the disk."""
        self._stopping = self._busy = False

    @property
    def state(self) -> State:
        return self.core.state

    @property
    def is_busy(self) -> bool:
        """Return whether a batch is decided and not published yet."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many inputs are queued; a health figure."""
        return len(self._inbox)

    def subscribe(self, listener: EntryListener, ticks: TickListener | None = None) -> None:
        """Call `listener` with every durable entry, `ticks` with every tick, from now on."""
        self._entry_listeners.append(listener)
        if ticks is not None:
            self._tick_listeners.append(ticks)

    def unsubscribe(self, listener: EntryListener) -> None:
        self._entry_listeners.remove(listener)

    def submit(self, given: Given) -> None:
        """Queue one input. Never blocks: commands, reports and the timer must not wait."""
        self._inbox.append(given)
        self._wake.set()

    async def offer(self, ticks: list[Tick]) -> None:
        """Queue ticks, waiting while the inbox is full."""
        while len(self._inbox) > INBOX_MAX:
            self._room.clear()
            await self._room.wait()
        self._inbox.extend(ticks)
        self.heard += len(ticks)
        self._wake.set()

    async def run(self) -> None:
        """Process inputs until `stop`, then what is still queued."""
        while not (self._stopping and not self._inbox):
            await self._wake.wait()
            self._wake.clear()
            while self._inbox:
                if self.on_stood is not None and (stood := self.standstill.look()) is not None:
                    await self._look_around(self.on_stood, stood)
                self._busy = True
                entries = self._decide_batch()
                if entries:
                    await self._commit(entries)
                    self._publish(entries)
                self._busy = False
                self._room.set()
                await asyncio.sleep(0)

    async def _look_around(self, look: Callable[[Stood], Awaitable[None]], stood: Stood) -> None:
        """Let what happened meanwhile be found out; then reports and prices come first, and no
        price from before the standstill counts.
        """
        try:
            await look(stood)
        except Exception as error:  # noqa: BLE001  positions are watched all the same
            self._fault("looking around after a standstill", error)
        if stood.is_gap:
            given = [g for g in self._inbox if type(g) is not Tick or g.at > stood.since]
            self._inbox = deque(sorted(given, key=_order_after_gap))
        self.standstill.beat()

    async def run_timer(self) -> None:
        """Give the core the passing of time."""
        while True:
            await self.clock.sleep(TIMER_SECONDS)
            self.submit(Elapsed())

    def stop(self) -> None:
        """Let `run` return once the inbox is empty."""
        self._stopping = True
        self._wake.set()

    async def settle(self, given: Given) -> list[Entry]:
        """Process one input to completion before `run` is started: start-up only."""
        self.decided_at = self.clock.monotonic()
        entries = self.core.take(given, self.clock.now())
        if entries:
            await self._commit(entries)
            self._publish(entries)
        return entries

    def _decide_batch(self) -> list[Entry]:
        inbox, clock = self._inbox, self.clock
        entries: list[Entry] = []
        self.decided_at = clock.monotonic()
        for _ in range(min(len(inbox), BATCH_MAX)):
            given = inbox.popleft()
            if type(given) is Tick:
                began = clock.monotonic()
                new = self._decided(given)
                self._tell_tick(given)
                if new:
                    entries += new
                    self.on_decided(Nanos(clock.monotonic() - began))
            else:
                entries += self._decided(given)
                if type(given) is Elapsed:
                    self.on_elapsed()
        return entries

    def _decided(self, given: Given) -> list[Entry]:
        """Return what follows from `given`; nothing at all if that cannot be said."""
        core = self.core
        before = core.state
        try:
            if type(given) is Tick:
                return core.tick(given, self.clock.now())
            return core.take(given, self.clock.now())
        except Exception as error:  # noqa: BLE001  one bad input leaves no position unwatched
            core.rewind(before)
            self._fault(f"deciding on {type(given).__name__}", error)
            return []

    def _tell_tick(self, tick: Tick) -> None:
        quote = self.core.quotes.get(tick.instrument)
        if quote is None:
            return
        for listener in self._tick_listeners:
            try:
                listener(tick, quote)
            except Exception as error:  # noqa: BLE001  a reader must not end the engine
                self._fault(_name(listener), error)

    def _fault(self, who: str, error: Exception) -> None:
        self.faults += 1
        self.on_fault(who, error)

    async def _commit(self, entries: list[Entry]) -> None:
        """Make `entries` durable; a failing store is tried again until it takes them."""
        while True:
            began = self.clock.monotonic()
            try:
                await self._journal.append(entries, self.core.state)
            except JournalConflict:
                raise  # another writer: this engine must not go on
            except JournalError as error:
                self.is_persisted, self.store_error = False, str(error)
                await self.clock.sleep(RETRY_SECONDS)
                continue
            self.look_at_store()
            self.durable = entries[-1].seq
            self.on_commit(len(entries), Nanos(self.clock.monotonic() - began))
            return

    def look_at_store(self) -> None:
        """Block entries while the store does not take what happens, and say why; exits go on."""
        was, journal = self.is_persisted, self._journal
        self.is_persisted, self.store_error = journal.is_persisted, journal.error
        if was and not self.is_persisted:
            self.submit(EntriesBlocked(STORE, f"NOT PERSISTED: {journal.error}"))
        elif not was and self.is_persisted:
            self.submit(EntriesAllowed(STORE))

    def _publish(self, entries: list[Entry]) -> None:
        state = self.core.state
        for entry in entries:
            for listener in tuple(self._entry_listeners):
                try:
                    listener(entry, state)
                except Exception as error:  # noqa: BLE001  a reader must not end the engine
                    self._fault(_name(listener), error)


def _order_after_gap(given: Given) -> int:
    """What the venue said and what holds entries back, then prices, then whatever acts on them."""
    return 0 if type(given) in _FIRST else 1 if type(given) is Tick else 2


def _name(listener: object) -> str:
    """Return which listener it is, for the log."""
    return str(getattr(listener, "__qualname__", type(listener).__name__))
