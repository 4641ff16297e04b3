"""What a live session does beside trading: checkpoints, CSV files, signals from a watched file.

None of it may delay or end the engine: a failure is logged and tried again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from engine.domain import operator
from engine.domain.calendar import local
from engine.domain.event import CommandAccepted, Entry
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.ports.journal import Journal, JournalError, JournalRefused
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.market_hours import market_hours
from engine.runtime.monitor import Monitor
from engine.runtime.signal_lines import SignalLines, watch
from engine.store import backup
from engine.store.audit import open_differences
from engine.store.export import CsvExports
from engine.store.mending import Mending
from engine.store.resilient import ResilientJournal
from engine.store.restoring import Restoring

DAY_SECONDS = 24 * 3600.0
ENTRIES_MAX = 20_000
"""More entries since the last checkpoint make one at once: they bound the time of a recovery."""


class Keeper:
    """Keeps checkpoints and CSV files of a store up to date."""

    def __init__(
        self, journal: Journal, engine: Engine, clock: Clock, logbook: Logbook, data_dir: Path
    ) -> None:
        self._resilient = journal if isinstance(journal, ResilientJournal) else None
        self.restoring = Restoring(self._resilient) if self._resilient else None
        self._store = self._resilient.inner if self._resilient else None
        self._engine = engine
        self._clock = clock
        self._logbook = logbook
        self._database = data_dir / "holdfast.db"
        self._backups = data_dir / "backups"
        self._exports = CsvExports(self._database, data_dir / "exports")
        self.tables = Mending(self._store, self._database) if self._store else None
        self.checkpointed_at: Nanos | None = None
        engine.subscribe(self.on_entry)

    async def audit(self) -> None:
        """Say where the tables of open positions and the journal disagree; the journal holds."""
        if self._store is not None:
            state = self._engine.state
            for difference in await self._store.on_writer(lambda db: open_differences(db, state)):
                text = f"{difference}; the journal holds, `holdfast repair` rebuilds the tables"
                self._logbook.log("error", "store", text)

    async def run(self, every_s: float) -> None:
        """Keep for ever: every `every_s` seconds, sooner after many entries."""
        while True:
            waited = 0.0
            while waited < every_s and self._since_checkpoint < ENTRIES_MAX:
                await self._clock.sleep(1.0)
                waited += 1.0
                await self._mind_store()
            await self.keep()

    async def back_up(self, every_s: float, keep: int) -> None:
        """Make a verified backup every `every_s` seconds, for ever."""
        while self._store is not None:
            await self._clock.sleep(every_s)
            try:
                made = await asyncio.to_thread(
                    backup.make, self._database, self._backups, self._clock.now(), keep
                )
            except (JournalRefused, OSError, sqlite3.Error) as error:
                self._logbook.log("error", "store", f"no backup: {error}")
            else:
                text = f"backup {made.path.name}: entry {made.head.seq}, verified"
                self._logbook.log("info", "store", text)

    async def _mind_store(self) -> None:
        """Notice a database that is gone; bring spilled entries back once it takes them."""
        if self._resilient is None or self.restoring is None:
            return
        await self._resilient.look()
        if await self.restoring.turn():
            self._logbook.log("warning", "store", "the store is back; all entries are in it")
        self._engine.look_at_store()

    def on_entry(self, entry: Entry, _state: State) -> None:
        """Try a store that is away at once when a person asks to reconcile; an entry listener."""
        match entry.event:
            case CommandAccepted(text=operator.RECONCILE) if self.restoring is not None:
                self.restoring.ask()
            case _:
                return

    @property
    def _since_checkpoint(self) -> int:
        return self._store.since_checkpoint if self._store is not None else 0

    async def keep(self) -> None:
        """Write a checkpoint and what is new to the CSV files."""
        if self._store is None or not self._engine.is_persisted:
            return
        try:
            await self._store.checkpoint(self._engine.state, self._clock.now())
            self.checkpointed_at = self._clock.now()
        except JournalError as error:
            self._logbook.log("warning", "store", f"no checkpoint: {error}")
        try:
            await asyncio.to_thread(self._exports.update)
        except (JournalRefused, OSError) as error:
            self._logbook.log("warning", "store", f"CSV files are behind: {error}")


async def watch_signals(
    path: Path, clock: Clock, logbook: Logbook, offer: Callable[[Iterable[Signal]], None]
) -> None:
    """Offer the signals of a file as it grows; a bad line is logged, counted and skipped."""
    lines = SignalLines(str(path), lambda why: logbook.log("warning", "signal", why))
    with suppress(asyncio.CancelledError):
        async for signals in watch(path, clock, lines):
            offer(signals)


async def learn_holidays(
    monitor: Monitor,
    catalog: Mapping[InstrumentId, Instrument],
    clock: Clock,
    logbook: Logbook,
    data_dir: Path,
) -> None:
    """Ask for the exchanges' holidays once a day; until they are known weekdays count as open."""
    while True:
        today = local(clock.now(), "UTC").date()
        monitor.sensors.hours = await market_hours(
            catalog.values(),
            today,
            data_dir / "cache",
            lambda text: logbook.log("warning", "session", text),
        )
        await clock.sleep(DAY_SECONDS)
