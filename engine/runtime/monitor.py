"""Measures the running engine once a second and says what follows: health, data quality, gates.

A reader: it changes nothing by itself. What must be journaled comes back as `notices`, ready to
be submitted. `accept` is the door that every tick of a feed passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.domain.checkup import examine
from engine.domain.entries import INSTRUMENT_BLOCK
from engine.domain.event import EntriesAllowed, EntriesBlocked, FeedChanged
from engine.domain.gate import ALL, Gate, Gates
from engine.domain.health import Health, Level
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.inputs import Notice
from engine.domain.log import LogRecord
from engine.domain.market import Tick
from engine.domain.quality import QualityReport
from engine.domain.quality_book import QualityBook
from engine.domain.remarks import Remarks
from engine.domain.silence import Hearing
from engine.domain.vitals import Vitals
from engine.ports.clock import Clock
from engine.runtime import measuring
from engine.runtime.engine import Engine
from engine.runtime.host import Host
from engine.runtime.market_hours import MarketHours
from engine.runtime.sensors import Sensors, Watching

PROBES: Final = 10
"""Probes of the event loop per measurement."""
PROBE_S: Final = 0.1
GATE_SOURCE: Final = "quality"
"""Source of the block that the feed's overall score causes."""
FEED_SOURCE: Final = "feed"
"""Source of the block while the feed is lost or silent."""
DISK_SOURCE: Final = "disk"
DISK_STOP_MB: Final = 50.0
"""Below this nothing is entered, so that there is room to journal every exit (D01)."""
DISK_GO_MB: Final = 100.0
"""From here on entries are allowed again."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """One measurement and what follows from it."""

    vitals: Vitals
    health: Health
    quality: QualityReport
    gates: tuple[Gate, ...]
    """Gates that turned since the last one."""
    polls: tuple[InstrumentId, ...]
    """Held instruments whose price must be asked for (E-20)."""
    notices: tuple[Notice, ...]
    """To be submitted to the engine: blocks, their end, a feed lost or found."""
    remarks: tuple[LogRecord, ...] = ()
    """For the log: what is new about health, stale prices, and positions nobody looks at."""

    @property
    def figures(self) -> dict[str, str]:
        """Every measurement and score as text, for the performance log."""
        figures = {"health": f"{self.health.score:.1f} {self.health.level.value}"}
        for part in self.health.components:
            figures[part.name] = f"{part.score:.1f}"
            figures |= {f"{part.name}.{name}": value for name, value in part.figures}
        return figures


class Monitor:
    """Wire `accept` before the inbox, `swept` after the timer's turn, call `attach`, run `run`."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        book: QualityBook,
        host: Host,
        watching: Watching | None = None,
        hours: MarketHours | None = None,
    ) -> None:
        self.clock = clock
        self.book = book
        self.sensors = Sensors(
            engine, clock, book, host, watching or Watching(), hours or MarketHours()
        )
        self.beat: Callable[[], None] = lambda: None
        """Called with every probe: a watchdog's sign of life."""
        self._gates = Gates()
        self._level: Level | None = None
        self._is_up = True
        self._is_full = False
        self._remarks = Remarks()

    def attach(self) -> None:
        """Listen to the engine, and take over the blocks that an earlier process left."""
        self.sensors.attach()
        blocks = self.sensors.engine.state.blocks
        self._is_up = FEED_SOURCE not in blocks
        self._is_full = DISK_SOURCE in blocks
        for source, reason in blocks.items():
            if source == GATE_SOURCE or source.startswith(INSTRUMENT_BLOCK):
                id_ = InstrumentId(source.removeprefix(INSTRUMENT_BLOCK))
                name = ALL if source == GATE_SOURCE else id_
                self._gates.shut[name] = Gate(name, False, reason)

    def accept(self, tick: Tick, now: Nanos) -> bool:
        """Return whether `tick` may go into the inbox; a refused one is counted and kept."""
        self.sensors.hear(now)
        return self.book.accept(tick, now) is None

    def swept(self) -> None:
        """Note that the engine handled `Elapsed`; without it every silent position alarms."""
        self.sensors.sweep()

    def feed_lost(self, why: str) -> None:
        """Note that the feed's task failed; an empty `why`: it is back."""
        self.sensors.feed_down = why

    @property
    def is_feed_up(self) -> bool:
        """Whether prices flow, as of the last measurement; before the first one they may."""
        return self._is_up

    def measure(self) -> Checkup:
        """Measure now."""
        now = self.clock.now()
        sensors = self.sensors
        sensors.turn()
        held = {p.instrument for p in sensors.engine.state.positions.values()}
        report = self.book.report(now, held)
        vitals = measuring.vitals_of(sensors, report, now)
        health = examine(vitals, self._level)
        self._level = health.level
        gates = self._gates.turn(report) if sensors.watching.is_gated else ()
        notices = (
            *map(_notice, gates),
            *self._feed_notice(vitals),
            *self._disk_notice(vitals.host.disk_free_mb),
        )
        polls = measuring.polls_of(sensors, now)
        remarks = self._remarks.on(vitals, health)
        return Checkup(vitals, health, report, gates, polls, notices, remarks)

    async def run(self, publish: Callable[[Checkup], None]) -> None:
        """Probe the loop ten times a second and publish a checkup every second."""
        clock = self.clock
        while True:
            for _ in range(PROBES):
                before = clock.monotonic()
                await clock.sleep(PROBE_S)
                late = clock.monotonic() - before - int(PROBE_S * SECOND)
                self.sensors.lags.add(Nanos(max(0, late)))
                self.beat()
            publish(self.measure())

    def _feed_notice(self, vitals: Vitals) -> tuple[Notice, ...]:
        """Say once that the feed is lost or silent, which blocks entries, and once that it is back.

        It is back with its first price: a connection, or a market that closed, brings none.
        """
        sensors = self.sensors
        hearing = sensors.feed.look(vitals.at, is_open=vitals.feed.is_market_open)
        if sensors.feed_down or hearing is Hearing.SILENT:
            is_up = False
        else:
            is_up = self._is_up or hearing is Hearing.LIVE
        if is_up == self._is_up:
            return ()
        self._is_up = is_up
        feed = sensors.watching.feed
        if is_up:
            return FeedChanged(feed, is_up, "prices flow again"), EntriesAllowed(FEED_SOURCE)
        silence = sensors.feed.silence_s(vitals.at)
        why = sensors.feed_down or f"silent for {silence or 0.0:.1f} s"
        return FeedChanged(feed, is_up, why), EntriesBlocked(FEED_SOURCE, f"{feed}: {why}")

    def _disk_notice(self, free: float | None) -> tuple[Notice, ...]:
        """Block entries while the disk is nearly full; exits go on to the last byte."""
        if free is None:
            return ()
        is_full = free < (DISK_GO_MB if self._is_full else DISK_STOP_MB)
        if is_full == self._is_full:
            return ()
        self._is_full = is_full
        why = f"{free:.0f} MB free; entries need {DISK_GO_MB:.0f}"
        return (EntriesBlocked(DISK_SOURCE, why) if is_full else EntriesAllowed(DISK_SOURCE),)


def _notice(gate: Gate) -> Notice:
    source = GATE_SOURCE if gate.instrument == ALL else f"{INSTRUMENT_BLOCK}{gate.instrument}"
    return EntriesAllowed(source) if gate.is_open else EntriesBlocked(source, gate.reason)
