"""The other driver of the core: recorded items, one after the other, as fast as they come.

Nothing outside hears of a replay before it is over, so here a batch of entries is decided, matched
and only then made durable; live, every intent is durable before it is sent (runtime/engine.py).
The clock is the recording's own; the second that ends is let pass before the next one begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final, Protocol

from engine.domain.event import CancelRequested, Entry, OrderRequested
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.inputs import Input, Reported, VenueReport
from engine.domain.market import Bar, Quote, Tick
from engine.domain.money import ZERO, quotient
from engine.domain.order import Order
from engine.domain.state import State
from engine.ports.journal import Journal
from engine.ports.venue import MatchingVenue
from engine.runtime.clock import ManualClock
from engine.runtime.collecting import seldom
from engine.runtime.core import Core, Given

FLUSH_AT: Final = 1_000
"""Entries gathered before they are made durable together.

So few that no more trades can close in a batch than a state keeps (CLOSED_KEPT): such a batch would
have to be folded a second time to be projected.
"""


class Reader(Protocol):
    """Sees what happens and may answer through the inbox (`give`)."""

    def on_tick(self, tick: Tick, quote: Quote, session_start: Nanos | None) -> None:
        """A tick was taken in and judged."""

    def on_entry(self, entry: Entry, state: State) -> None:
        """An event happened."""

    def on_time(self, now: Nanos) -> None:
        """A second of recorded time ended."""

    @property
    def revision(self) -> int:
        """A number that grows whenever `quiet_until` may give other answers."""

    def quiet_until(self, instrument: InstrumentId) -> Nanos:
        """Return from when on it must hear every tick of `instrument`; 0: always."""


class Replayer:
    """Feeds items to a core and a matching venue until nothing follows from them any more."""

    def __init__(
        self,
        core: Core,
        venue: MatchingVenue,
        clock: ManualClock,
        journal: Journal,
        *,
        bar_path: str = "pessimistic",
    ) -> None:
        self.core = core
        self.clock = clock
        self._venue = venue
        self._journal = journal
        self._bar_path = bar_path
        self._readers: list[Reader] = []
        self._watchers: list[Callable[[Entry, State], None]] = []
        self._inbox: deque[Given] = deque()
        self._orders: deque[Order] = deque()
        self._unflushed: list[Entry] = []
        self._second = 0
        self._session_start: Nanos | None = None
        venue.report = self._on_report

    def add_reader(self, reader: Reader) -> None:
        self._readers.append(reader)

    def watch(self, watcher: Callable[[Entry, State], None]) -> None:
        """Call `watcher` with every entry."""
        self._watchers.append(watcher)

    def give(self, given: Input) -> None:
        """Queue an input; it acts when the present one is done."""
        self._inbox.append(given)

    def _on_report(self, report: VenueReport) -> None:
        self._inbox.append(Reported(report))

    async def run(self, items: Iterable[Tick | Bar]) -> None:
        """Take in everything, then what is left to let pass."""
        self.begin()
        with seldom():
            for item in items:
                self.take(item)
                if len(self._unflushed) >= FLUSH_AT:
                    await self.flush()
            await self.finish()

    def begin(self) -> None:
        """Settle what was given before the recording, and find out what its rules need."""
        self.settle()
        self.core.is_summing = any(rule.code == "vwap" for rule in self.core.state.rules)

    async def finish(self) -> None:
        """Let the last second pass and make everything durable."""
        self._pass_second(self.clock.now())
        await self.flush()

    async def flush(self) -> None:
        """Make everything so far durable."""
        if self._unflushed:
            await self._journal.append(self._unflushed, self.core.state)
            self._unflushed = []

    def take(self, item: Tick | Bar) -> None:
        """Take in one item, and all that follows from it."""
        self.pass_until(item.at)
        self.clock.set(item.at)
        if isinstance(item, Tick):
            self._tick(item)
        else:
            self._bar(item)

    def pass_until(self, at: Nanos) -> None:
        """Let the present second pass if `at` lies in a later one."""
        second = at // SECOND
        if second > self._second:
            if self._second:
                self._pass_second(self.clock.now())
            self._second = second

    def see(self, tick: Tick) -> None:
        """Enter a quiet tick, so that quote and venue price are its."""
        self.clock.set(tick.at)
        self._venue.on_tick(tick)
        self.core.see(tick)

    @property
    def revision(self) -> int:
        """A number that grows whenever `quiet_until` may give other answers."""
        return sum(reader.revision for reader in self._readers)

    def quiet_until(self, instrument: InstrumentId) -> Nanos:
        """Return from when on some reader must hear every tick of `instrument`."""
        return min((r.quiet_until(instrument) for r in self._readers), default=Nanos(2**63 - 1))

    @property
    def unflushed(self) -> int:
        """How many entries are not durable yet."""
        return len(self._unflushed)

    def _pass_second(self, now: Nanos) -> None:
        self._publish(self.core.time(now))
        for reader in self._readers:
            reader.on_time(now)
        self.settle()

    def _tick(self, tick: Tick) -> None:
        self._venue.on_tick(tick)
        if self._inbox:
            self.settle()
        entries = self.core.tick(tick, self.clock.now())
        if entries:
            self._publish(entries)
            self.settle()
        if self._readers:
            quote = self.core.quotes[tick.instrument]
            start = self.core.session_start(tick.instrument, tick.at)
            for reader in self._readers:
                reader.on_tick(tick, quote, start)
            if self._inbox:
                self.settle()

    def _bar(self, bar: Bar) -> None:
        """Open, walk, close. Volume and OI are known when the bar ends; VWAP uses (H+L+C)/3.

        Only the first OI of an instrument counts from its bar's open: an entry needs a base.
        """
        known = self.core.quotes.get(bar.instrument)
        first_oi = bar.oi if known is None or known.oi is None else None
        opened = Tick(bar.instrument, bar.open, bar.at, oi=first_oi, source=bar.source)
        self._tick(opened)
        self._publish(self.core.bar(bar, self._bar_path, self.clock.now()))
        self.settle()
        closed = replace(opened, price=bar.close, oi=bar.oi)
        quote = self.core.quotes[bar.instrument]
        start = quote.session_start
        if self.core.is_summing and bar.volume and bar.at >= start:
            typical = quotient(bar.high + bar.low + bar.close, Decimal(3))
            quote.turnover += typical * bar.volume
            quote.volume += bar.volume or ZERO
        self._tick(closed)

    def _publish(self, entries: list[Entry]) -> None:
        state = self.core.state
        self._unflushed += entries
        for entry in entries:
            match entry.event:
                case OrderRequested(order=order):
                    self._orders.append(order)
                case CancelRequested(order=id_):
                    self._venue.withdraw(id_)
                case _:
                    pass
            for watcher in self._watchers:
                watcher(entry, state)
            for reader in self._readers:
                reader.on_entry(entry, state)

    def settle(self) -> None:
        """Let venue, core and readers answer each other until nobody has anything to say."""
        while self._orders or self._inbox:
            while self._orders:
                order = self._orders.popleft()
                self._venue.place(order, self.core.state.instruments[order.instrument])
            if self._inbox:
                self._publish(self.core.take(self._inbox.popleft(), self.clock.now()))
