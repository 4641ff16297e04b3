"""The console's copy of the engine, kept by the engine's own `evolve`. Nothing is drawn here.

Every update marks what it touched; whoever draws takes the marks once a frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from engine.domain.event import Entry, SignalAccepted, SignalRefused, StrategyNoted
from engine.domain.evolve import evolve
from engine.domain.health import Health
from engine.domain.ids import SECOND, InstrumentId, Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.quality import QualityReport
from engine.domain.state import State
from engine.link.protocol import (
    Disconnected,
    Lease,
    LogRecord,
    Pulse,
    Quotes,
    Update,
    Welcome,
)
from tui.recording import Recording

LOGS_KEPT: Final = 2000
ENTRIES_KEPT: Final = 2000
SPARK_KEPT: Final = 300
"""Seconds of prices kept for sparklines and the chart."""
SILENT_AFTER: Final = 2 * SECOND
"""An engine that said nothing for so long is shown as silent, its figures grey."""


class Concern(Enum):
    """What an update touched; panels name the ones they draw."""

    STATE = auto()
    QUOTES = auto()
    HEALTH = auto()
    QUALITY = auto()
    PULSE = auto()
    LOGS = auto()
    LEASE = auto()
    LINK = auto()


EVERYTHING: Final = frozenset(Concern)


@dataclass(frozen=True, slots=True)
class Changes:
    """What was touched since the last frame."""

    concerns: frozenset[Concern]
    instruments: frozenset[InstrumentId]


@dataclass(slots=True)
class Replica:
    """State, quotes, health, log and link as of the newest update."""

    state: State = field(default_factory=State)
    quotes: dict[InstrumentId, Quote] = field(default_factory=dict)
    instruments: dict[InstrumentId, Instrument] = field(default_factory=dict)
    health: Health | None = None
    quality: QualityReport | None = None
    pulse: Pulse | None = None
    lease: Lease = Lease("", is_mine=False)
    welcome: Welcome | None = None
    logs: deque[LogRecord] = field(default_factory=lambda: deque(maxlen=LOGS_KEPT))
    log_count: int = 0
    """Records ever received; tells a paused log how far it is behind."""
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=ENTRIES_KEPT))
    signals: deque[Entry] = field(default_factory=lambda: deque(maxlen=200))
    """Signals accepted and refused, and strategies' notes."""
    sparks: dict[InstrumentId, deque[tuple[int, float]]] = field(default_factory=dict)
    """(second, last price), at most one a second."""
    recording: Recording = field(default_factory=Recording)
    """How a recorded day runs; means nothing with other feeds."""
    lost: str = ""
    """Why the link is down; empty while it is up."""
    heard: Nanos = Nanos(0)
    """Monotonic time of the newest update."""
    pulse_at: Nanos = Nanos(0)
    """Monotonic time of the newest pulse."""
    is_waiting: bool = True
    """No engine has answered yet."""
    _dirty: set[Concern] = field(default_factory=set)
    _moved: set[InstrumentId] = field(default_factory=set)

    def apply(self, update: Update, mono: Nanos) -> None:
        """Enter one update received at monotonic time `mono`."""
        match update:
            case Entry():
                self._entry(update)
            case Quotes():
                self._quotes(update.quotes)
            case Pulse():
                if self.pulse is None or _looks_different(self.pulse, update):
                    self._dirty.add(Concern.PULSE)
                self.pulse, self.pulse_at = update, mono
                self.recording.beat(update.now, mono)
            case LogRecord():
                self.logs.append(update)
                self.log_count += 1
                self.recording.hear(update)
                self._dirty.add(Concern.LOGS)
            case Health() | QualityReport() | Lease():
                self._replaced(update)
            case Welcome():
                self._welcome(update, mono)
            case Disconnected():
                self.lost = update.why or "the engine is gone"
                self._dirty.add(Concern.LINK)
                return
        self.heard = mono

    @property
    def touched(self) -> Set[Concern]:
        """What the next frame has to show."""
        return self._dirty

    def take(self) -> Changes:
        """Return what was touched since the last call, and forget it."""
        changes = Changes(frozenset(self._dirty), frozenset(self._moved))
        self._dirty.clear()
        self._moved.clear()
        return changes

    def now(self, mono: Nanos) -> Nanos:
        """Return the engine's time: its last heartbeat plus what has passed here since."""
        if self.pulse is None:
            return Nanos(0)
        return Nanos(self.pulse.now + max(0, mono - self.pulse_at))

    def silence(self, mono: Nanos) -> Nanos:
        """Return how long the engine has said nothing."""
        return Nanos(max(0, mono - self.heard))

    def is_grey(self, mono: Nanos) -> bool:
        """Return whether what is shown may be out of date altogether."""
        return bool(self.lost) or self.is_waiting or self.silence(mono) > SILENT_AFTER

    @property
    def zone(self) -> str:
        return self.welcome.time_zone if self.welcome is not None else "UTC"

    def instrument(self, name: InstrumentId) -> Instrument | None:
        """Return the terms of an instrument, from the journal or the catalogue."""
        return self.state.instruments.get(name) or self.instruments.get(name)

    def _welcome(self, welcome: Welcome, mono: Nanos) -> None:
        self.welcome, self.state = welcome, welcome.state
        self.instruments = {item.id: item for item in welcome.instruments}
        self.health, self.quality = welcome.health, welcome.quality
        self.pulse, self.pulse_at = welcome.pulse, mono
        self.lease = welcome.lease
        self.lost, self.is_waiting = "", False
        self.logs.clear()
        self.logs.extend(welcome.logs)
        self.log_count += len(welcome.logs)
        self.recording = Recording()
        for record in welcome.logs:
            self.recording.hear(record)
        self._quotes(welcome.quotes)
        self._dirty.update(EVERYTHING)

    def _replaced(self, update: Health | QualityReport | Lease) -> None:
        if isinstance(update, Health):
            self.health = update
            self._dirty.add(Concern.HEALTH)
        elif isinstance(update, QualityReport):
            self.quality = update
            self._dirty.add(Concern.QUALITY)
        else:
            self.lease = update
            self._dirty.add(Concern.LEASE)

    def _entry(self, entry: Entry) -> None:
        if entry.seq <= self.state.seq:
            return  # already in the snapshot
        self.state = evolve(self.state, entry)
        self.entries.append(entry)
        if isinstance(entry.event, SignalAccepted | SignalRefused | StrategyNoted):
            self.signals.append(entry)
        self._dirty.add(Concern.STATE)

    def _quotes(self, quotes: tuple[Quote, ...]) -> None:
        for quote in quotes:
            name = quote.instrument
            self.quotes[name] = quote
            self._moved.add(name)
            ring = self.sparks.get(name)
            if ring is None:
                ring = self.sparks[name] = deque(maxlen=SPARK_KEPT)
            second = quote.at // SECOND
            if not ring or ring[-1][0] != second:
                ring.append((second, float(quote.last)))
            else:
                ring[-1] = (second, float(quote.last))
        self._dirty.add(Concern.QUOTES)

    @property
    def seq(self) -> Seq:
        return self.state.seq


def _looks_different(old: Pulse, new: Pulse) -> bool:
    """Return whether a heartbeat changes anything on screen: the clock ticks once a second."""
    return (
        old.now // SECOND != new.now // SECOND
        or old.is_feed_up is not new.is_feed_up
        or old.is_persisted is not new.is_persisted
    )
