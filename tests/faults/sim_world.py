"""The world of a simulation: a venue that lives on, engines that die, faults from one seed."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import random
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from engine.bootstrap import live as live_module
from engine.bootstrap import monitoring, reports
from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.risk import Limits
from engine.ports.journal import JournalRefused
from engine.runtime import monitor
from engine.runtime.logbook import Logbook
from engine.store import sqlite as sqlite_module
from tests.faults.sim_market import CATALOG, FEED_FAULTS, SimMarket, SimSource
from tests.faults.sim_operator import SimOperator
from tests.faults.sim_venue import SimVenue
from tests.faults.sim_watch import ARMS, INITIAL, TRAILS, Watch
from tests.faults.virtual import (
    InlineConnection,
    Storage,
    VirtualClock,
    VirtualLoop,
    at_once,
    instead,
)
from tests.faults.wire import Mood, Wire

STORE_FAULTS: Final = ("locked", "full", "eio-before", "eio-after", "slow")
CALM_S: Final = 200.0
"""How long nothing fails before engine and venue are compared: three reconciliations."""
PATIENCE_S: Final = 60.0
"""In a calm there is a moment with nothing on its way: within so long."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How much happens: mean seconds between two of each."""

    commands_s: float = 30.0
    crashes_s: float = 2400.0
    stops_s: float = 4 * 3600.0
    faults_s: float = 400.0
    calm_every_s: float = 3400.0


SOAK: Final = Weather(60.0, 1e9, 1e9, 600.0)
"""One engine all day: how its memory grows."""
STORM: Final = Weather(2.0, 100.0, 500.0, 15.0, 600.0)
"""As much as fits into seconds: what CI runs."""


class QuietLogbook(Logbook):
    """Keeps its ring and tells its listeners; writes no file."""

    def start(self) -> None:
        """Start no thread."""

    def _put(self, name: str, record: object) -> None:
        """Write nothing."""


class Host:
    """A machine with room enough, or nearly full."""

    free_mb = 10_000.0

    def __init__(self, _directory: Path) -> None:
        """It is the same whatever the directory."""

    def rss_mb(self) -> float:
        return 80.0

    def disk_free_mb(self) -> float | None:
        return Host.free_mb


class World:
    """Runs one seed; `watch` says what was found."""

    def __init__(self, directory: Path, seed: int, weather: Weather) -> None:
        self.loop = VirtualLoop()
        self.clock = VirtualClock(self.loop)
        self.weather, self.seed = weather, seed
        self.counts: Counter[str] = Counter()
        self.venue = SimVenue(self._rng("venue"), lambda: self.clock.true_now)
        self.watch = Watch(self.venue)
        self.mood = Mood()
        self.market = SimMarket(self.venue, self.clock, self._rng("market"))
        self.rss_mb: list[float] = []
        self.objects: list[float] = []
        """Thousands of blocks that Python has in use: what is kept, whatever the allocator does."""
        self.live: LiveEngine | None = None
        self._operator = SimOperator(self._rng("operator"))
        self._dice = self._rng("chaos")
        self._delays = self._rng("disk")
        self._wires = self._rng("wire")
        self._top, self._number = directory, 0
        self.directory = directory / "life-0"
        self._storage = Storage(self.loop, self._disk_delay)
        self._wire = Wire(self.venue, self._wires, self.mood)
        self._over: asyncio.Future[str] = self.loop.create_future()
        self._is_calm = self._is_slow = False

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}-{name}")

    def run(self, hours: float) -> None:
        """Let so many hours pass."""
        self.loop.set_exception_handler(lambda _loop, _context: None)  # futures of dead processes
        with self._instead():
            try:
                self.loop.run_until_complete(self._hours(hours * 3600.0))
            finally:
                self.loop.close()

    @contextmanager
    def _instead(self) -> Iterator[None]:
        """Put the simulation's clock, feed, venue and disk where the real ones are made."""

        def connection(connector: Callable[[], Any], **_: object) -> InlineConnection:
            return InlineConnection(connector, self._storage)

        async def for_ever(*_: object) -> None:
            await asyncio.Event().wait()

        watchdog = SimpleNamespace(beat=_nothing, start=_nothing, stop=_nothing)
        with instead(
            (asyncio, "to_thread", at_once),
            (os, "getpid", lambda: 4711),
            (sqlite_module, "aiosqlite", SimpleNamespace(Connection=connection)),
            (live_module, "PaperVenue", lambda *_: self._wire),
            (live_module, "source_of", lambda *_: self.market.source),
            (live_module, "Logbook", QuietLogbook),
            (live_module, "LoopWatch", lambda *_: watchdog),
            (live_module, "learn_holidays", for_ever),
            (monitoring, "Host", Host),
            (reports, "PULSE_SECONDS", 60.0),
            (monitor, "PROBES", 2),
            (monitor, "PROBE_S", 1.0),
        ):
            yield

    async def _hours(self, seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            beside: tuple[Awaitable[None], ...] = (
                self.market.run(),
                self._commands(),
                self._faults(),
                self._seconds(),
                self._calms(),
            )
            running = [tasks.create_task(_coroutine(one)) for one in beside]
            while self.loop.time() < seconds and not self.watch.faults:
                await self._live(seconds)
                await asyncio.sleep(self._dice.uniform(0.1, 90.0))
            for task in running:
                task.cancel()

    async def _live(self, until: float) -> None:
        """Start an engine and let it live until it dies, is stopped, or time is over."""
        loop, dice = self.loop, self._dice
        self._storage = Storage(loop, self._disk_delay)
        self._storage.die = self._die
        if dice.random() < 0.1:
            self._storage.dies_at = (dice.randint(1, 8), dice.random() < 0.5)
        self._wire = Wire(self.venue, self._wires, self.mood, self.watch.sent)
        known = self.market.tape if dice.random() < 0.7 else None
        self.market.source = SimSource(self.clock, known)
        self._over = loop.create_future()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._process())
            task.add_done_callback(self._ended)
            ends = loop.call_later(dice.expovariate(1 / self.weather.crashes_s), self._crash)
            stops_in = min(dice.expovariate(1 / self.weather.stops_s), until - loop.time())
            stops = loop.call_later(max(0.0, stops_in), self._stop)
            why = await self._over
            ends.cancel()
            stops.cancel()
            self.counts[why] += 1
            if why == "crashed":
                task.cancel()
        self.live = None
        self.watch.ends()
        self.counts += self._wire.faults
        gc.collect(0)

    async def _process(self) -> None:
        options = self._options()
        options.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            async with live_engine(options, self.clock) as live:
                self.watch.opens(options.database)
                self.watch.begins(live)
                self.live = live
                await live.run()
        except JournalRefused as error:
            if not self._storage.is_dead:
                self.watch.found(f"the store was refused: {error}")
        except Exception as error:
            if not self._storage.is_dead:
                told = "".join(traceback.format_exception(error)[-12:])
                self.watch.found(f"the engine ended: {error!r}\n{told}")

    def _ended(self, _task: object) -> None:
        if not self._over.done():
            self._over.set_result("stopped")

    def _crash(self) -> None:
        """Die now, or at one of the next works of the disk; not in a calm."""
        if self._is_calm:
            self.loop.call_later(60.0, self._crash_again, self._storage)
        elif self._dice.random() < 0.5:
            self._die()
        else:
            works = self._storage.works + self._dice.randint(1, 6)
            self._storage.dies_at = (works, self._dice.random() < 0.5)

    def _crash_again(self, storage: Storage) -> None:
        if storage is self._storage and not storage.is_dead:
            self._crash()

    def _die(self) -> None:
        """Leave the files as they are to the next process, and let nothing of this one act."""
        if self._storage.is_dead or self._over.done():
            return
        self._storage.is_dead = True
        self._wire.is_dead = True
        self._number += 1
        before, self.directory = self.directory, self._top / f"life-{self._number}"
        _copied(before, self.directory)
        self._over.set_result("crashed")

    def _stop(self) -> None:
        if self.live is not None and not self._storage.is_dead:
            self.live.stop("the simulation says so")

    def _options(self) -> LiveOptions:
        rules = {"initial": {"pct": INITIAL}, "trailing": {"activation_pct": ARMS, "pct": TRAILS}}
        limits = Limits(leverage=Decimal(10), positions_max=16)
        return LiveOptions(
            self.directory,
            rules=rules,
            limits=limits,
            initial_capital=Decimal(100_000_000),
            checkpoint_s=60.0,
            backup_s=6 * 3600.0,
        )

    def _disk_delay(self) -> float:
        if self._is_slow:
            return self._delays.uniform(0.3, 4.0)
        return self._delays.uniform(0.0002, 0.01)

    async def _commands(self) -> None:
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / self.weather.commands_s))
            if self.live is not None and not self._is_calm:
                command = self._operator.next(self.live.engine.state, self.clock.now())
                self.live.submit(command)

    async def _seconds(self) -> None:
        while True:
            await self.loop.sleep(1.0)
            self.watch.second()

    async def _faults(self) -> None:
        """Let one thing after another fail for a while."""
        dice = self._dice
        while True:
            await asyncio.sleep(dice.expovariate(1 / self.weather.faults_s))
            if self._is_calm:
                self._clear()
                continue
            what = dice.choice(("wire", "wire", "store", "feed", "halt", "clock", "disk"))
            self._set_off(what)
            # A store that fails is opened and checked anew every second: dear in a long journal.
            await asyncio.sleep(dice.uniform(1.0, 8.0 if what == "store" else 40.0))
            self._clear()

    def _set_off(self, what: str) -> None:
        dice = self._dice
        self.venue.rejects, self.venue.parts = 0.05, 0.3
        self._blow(0.04)
        match what:
            case "wire":
                self._blow(dice.choice((0.1, 0.4)))
                self.mood.is_away = dice.random() < 0.2
            case "store":
                what = dice.choice(STORE_FAULTS)
                self._is_slow = what == "slow"
                self._storage.fault = "" if self._is_slow else what
            case "feed":
                what = self.market.fault = dice.choice(FEED_FAULTS)
            case "halt":
                self.venue.halted.add(dice.choice(sorted(CATALOG)))
            case "clock":
                self.clock.stepped_s = dice.choice((-3600.0, -30.0, -2.0, 2.0, 30.0, 3600.0))
            case _:
                Host.free_mb = 20.0
        self.counts[f"fault: {what}"] += 1

    def _blow(self, share: float) -> None:
        mood = self.mood
        mood.sends, mood.asks, mood.truths = share, share, share
        mood.lost, mood.doubled, mood.late = share / 2, share, share

    def _clear(self) -> None:
        self._blow(0.0 if self._is_calm else 0.02)
        self.mood.is_away = self._is_slow = False
        self._storage.fault = self.market.fault = ""
        self.venue.halted.clear()
        self.clock.stepped_s = 0.0
        Host.free_mb = 10_000.0

    async def _calms(self) -> None:
        """Now and then let nothing fail, and compare engine and venue."""
        while True:
            await asyncio.sleep(self.weather.calm_every_s)
            self._is_calm = True
            self.venue.rejects = self.venue.parts = 0.0
            self._clear()
            while self.live is None:
                await asyncio.sleep(1.0)
            await asyncio.sleep(CALM_S)
            await self._compare()
            self._is_calm = False
            gc.collect()
            self.rss_mb.append(_rss_mb())
            self.objects.append(sys.getallocatedblocks() / 1000)

    async def _compare(self) -> None:
        found: list[str] = []
        for _ in range(int(PATIENCE_S / 0.5)):
            if self.live is None:
                return
            found = self.watch.differences()
            if not found:
                self.watch.settled()
                self.counts["compared"] += 1
                return
            await asyncio.sleep(0.5)
        for difference in found:
            self.watch.found(f"after a calm: {difference}")


def _nothing(*_: object) -> None:
    """Do nothing."""


async def _coroutine(work: Awaitable[None]) -> None:
    with suppress(asyncio.CancelledError):
        await work


def _copied(before: Path, after: Path) -> None:
    """Copy what a killed process leaves; then forget the old place."""
    ignored = shutil.ignore_patterns("backups", "exports", "logs")
    shutil.copytree(before, after, ignore=ignored)


def _rss_mb() -> float:
    """Return the memory in use; what was freed (a backup reads the whole journal) is given back."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576
