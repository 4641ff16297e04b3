"""What a live engine tells beside its journal: snapshot, pulse, health, data quality, log."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from engine.bootstrap.options import LiveOptions
from engine.domain.health import Health
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.log import LogRecord
from engine.domain.market import Quote
from engine.domain.quality import QualityReport
from engine.link.protocol import PROTOCOL, Lease, Pulse, Welcome
from engine.link.source import Report
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.monitor import Checkup, Monitor

PULSE_SECONDS = 0.5
LOGS_TOLD = 500
"""Newest log lines in a snapshot."""


class Reports:
    """Gathers figures from monitor and engine, and hands them to whoever watches."""

    def __init__(
        self,
        options: LiveOptions,
        clock: Clock,
        engine: Engine,
        catalog: dict[InstrumentId, Instrument],
        monitor: Monitor,
        logbook: Logbook,
    ) -> None:
        self._options = options
        self._clock = clock
        self._engine = engine
        self._catalog = catalog
        self._monitor = monitor
        self._logbook = logbook
        self._started_at = clock.now()
        self._watchers: list[Callable[[Report], None]] = []
        self._health: Health | None = None
        self._quality: QualityReport | None = None
        self._is_feed_up = True
        self._rss_mb = 0.0
        self._rate: tuple[Nanos, int, float] = (self._started_at, 0, 0.0)
        logbook.subscribe(self._tell)

    def watch(self, on_report: Callable[[Report], None]) -> None:
        """Call `on_report` with every new pulse, health, quality report and log line."""
        self._watchers.append(on_report)

    def take(self, checkup: Checkup) -> None:
        """Take the monitor's checkup of this second: tell it, log it, act on what follows."""
        for notice in checkup.notices:
            self._engine.submit(notice)
        self._health, self._quality = checkup.health, checkup.quality
        self._is_feed_up = self._monitor.is_feed_up
        self._rss_mb = self._monitor.sensors.host.rss_mb()
        for remark in checkup.remarks:
            self._logbook.note(remark)
        self._logbook.performance(checkup.figures)
        self._tell(checkup.health)
        self._tell(checkup.quality)

    def pulse(self) -> Pulse:
        """Return the heartbeat of this moment."""
        now, engine, sensors = self._clock.now(), self._engine, self._monitor.sensors
        newest = max((q.at for q in engine.core.quotes.values()), default=self._started_at)
        return Pulse(
            now=now,
            seq=engine.durable,
            ticks=engine.core.ticks,
            ticks_per_s=self._ticks_per_s(now),
            feed_age=Nanos(max(0, now - newest)),
            is_feed_up=self._is_feed_up and not sensors.feed_down,
            is_persisted=engine.is_persisted and self._options.is_persistent,
            commit_ms_p50=sensors.commits.ms(0.5),
            commit_ms_p99=sensors.commits.ms(0.99),
            decision_ms_p99=sensors.decisions.ms(0.99),
            waiting=engine.waiting,
            rss_mb=self._rss_mb,
        )

    def _ticks_per_s(self, now: Nanos) -> float:
        at, ticks, rate = self._rate
        if now - at >= SECOND:
            rate = (self._engine.core.ticks - ticks) * SECOND / (now - at)
            self._rate = (now, self._engine.core.ticks, rate)
        return rate

    async def run(self) -> None:
        """Tell a pulse twice a second."""
        while True:
            self._tell(self.pulse())
            await self._clock.sleep(PULSE_SECONDS)

    def welcome(self) -> Welcome:
        """Return a snapshot of everything."""
        options, engine = self._options, self._engine
        return Welcome(
            protocol=PROTOCOL,
            engine_pid=os.getpid(),
            started_at=self._started_at,
            data_dir=str(options.data_dir),
            venue="paper" if self._options.disturb_s is None else "paper DISTURBED",
            feed=options.feed,
            time_zone=self._time_zone(),
            state=engine.state,
            quotes=tuple(_copied(quote) for quote in engine.core.quotes.values()),
            instruments=tuple(self._catalog.values()),
            health=self._health,
            quality=self._quality,
            pulse=self.pulse(),
            logs=tuple(self._logbook.recent)[-LOGS_TOLD:],
            lease=Lease("", is_mine=False),
            persistence="on" if options.is_persistent else "off",
        )

    def _time_zone(self) -> str:
        """Return the zone of the first exchange with hours; a market around the clock has UTC."""
        zones = (i.time_zone for i in self._catalog.values() if i.time_zone != "UTC")
        return next(zones, "UTC")

    def _tell(self, report: Report | LogRecord) -> None:
        for watcher in tuple(self._watchers):
            try:
                watcher(report)
            except Exception as error:  # noqa: BLE001  who watches must not end the engine
                self._engine.on_fault("a console's watcher", error)


def _copied(quote: Quote) -> Quote:
    return replace(quote)
