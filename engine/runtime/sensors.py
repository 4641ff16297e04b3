"""What the monitor feels: histograms, clocks and counters, filled as the engine runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engine.domain.event import Entry, StopFired
from engine.domain.ids import SECOND, Nanos
from engine.domain.market import Quote, Tick
from engine.domain.quality_book import QualityBook
from engine.domain.silence import SILENT_S, Deadman, FeedClock, PollLimits
from engine.domain.state import State
from engine.domain.vitals import ReconcileVitals
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.host import Host
from engine.runtime.latencies import Latencies
from engine.runtime.market_hours import MarketHours

_SKEWS: Final = 60


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched, and how closely."""

    feed: str = "feed"
    is_persistent: bool = True
    checkpoint_s: float = 30.0
    rss_limit_mb: float = 500.0
    silent_s: float = SILENT_S
    """A feed that ticks is called silent after so long."""
    polls: PollLimits = field(default_factory=PollLimits)
    is_gated: bool = True
    """False: data quality is measured and shown, and blocks nothing."""


class Sensors:
    """Everything that `engine.runtime.measuring` reads."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        book: QualityBook,
        host: Host,
        watching: Watching,
        hours: MarketHours,
    ) -> None:
        self.engine, self.clock, self.book, self.host = engine, clock, book, host
        self.watching, self.hours = watching, hours
        self.feed = FeedClock(watching.silent_s)
        self.feed_down = ""
        """Why the feed's own task says it is down; empty: it does not."""
        self.deadman = Deadman()
        self.commits, self.decisions = Latencies(), Latencies()
        self.exits, self.lags = Latencies(), Latencies()
        self.checkpointed_at: Callable[[], Nanos | None] = lambda: None
        self.reconciled: Callable[[Nanos], ReconcileVitals] = lambda _now: ReconcileVitals()
        self.ticks_per_s = 0.0
        self._delays: deque[Nanos] = deque(maxlen=_SKEWS)
        self._heard = Nanos(-1)
        self._counted = (clock.monotonic(), engine.core.ticks)

    def attach(self) -> None:
        """Listen to the engine's commits, decisions, timer, exits and ticks."""
        self.engine.on_commit = lambda _count, took: self.commits.add(took)
        self.engine.on_decided = self.decisions.add
        self.engine.on_elapsed = self.sweep
        self.engine.subscribe(self._on_entry, self._on_tick)

    def hear(self, now: Nanos) -> None:
        """Note that the feed said something; once per batch is enough."""
        if now != self._heard:
            self._heard = now
            self.feed.hear(now)

    def sweep(self) -> None:
        """Note that the engine's timer took its turn: everything in a band was looked at."""
        bands = self.engine.core.bands.values()
        watched = (position for band in bands for position in band.held)
        self.deadman.sweep(watched, self.clock.monotonic())

    def turn(self) -> None:
        """Let old samples go; once per measurement."""
        monotonic = self.clock.monotonic()
        for latencies in (self.commits, self.decisions, self.exits, self.lags):
            latencies.turn(monotonic)
        since, before = self._counted
        ticks = self.engine.core.ticks
        if monotonic > since:
            self.ticks_per_s = (ticks - before) * SECOND / (monotonic - since)
            self._counted = (monotonic, ticks)
        delay = self.book.take_delay()
        if delay is not None:
            self._delays.append(delay)

    @property
    def skew_s(self) -> float | None:
        """How far the venue's clock is ahead of ours, from the quickest ticks of the last minute.

        A slow feed says nothing: its prices are old by nature, not by a wrong clock.
        """
        if not self._delays:
            return None
        least = min(self._delays)
        return None if least > 0 and self.ticks_per_s < 1 else -least / SECOND

    def _on_entry(self, entry: Entry, state: State) -> None:
        if isinstance(entry.event, StopFired):
            self.exits.add(Nanos(self.clock.monotonic() - self.engine.decided_at))

    def _on_tick(self, tick: Tick, quote: Quote) -> None:
        self.deadman.tick(tick.instrument, self.clock.monotonic())
