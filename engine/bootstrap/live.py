"""A live session: engine, venue, feed, strategies and what watches them, started and stopped.

Order of a start: lock, store, state, venue's book, then session and strategies, then prices. Order
of a stop (E-67): prices, strategies, checkpoint and session, venue; ten seconds at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from engine.bootstrap.aftermath import Aftermath
from engine.bootstrap.agreeing import reconciling
from engine.bootstrap.choosing import Choosing
from engine.bootstrap.chores import Keeper, learn_holidays, watch_signals
from engine.bootstrap.disturbing import drills
from engine.bootstrap.feeds import Source, source_of
from engine.bootstrap.monitoring import monitor_of
from engine.bootstrap.opening import last_at, open_session, paper_settings, past_of, stand
from engine.bootstrap.options import LiveOptions
from engine.bootstrap.reports import Reports
from engine.bootstrap.supply import pass_time, supply
from engine.bootstrap.tending import Tending
from engine.bootstrap.unkept import kept_nowhere
from engine.bootstrap.waking import Waking
from engine.domain.command import Command, ControlFeed, SubmitSignal
from engine.domain.event import CommandAccepted, CommandRefused, Entry, SessionEnded
from engine.domain.ids import CommandId, InstrumentId
from engine.domain.instrument import Instrument
from engine.domain.market import Quote, Tick
from engine.domain.session import Mode, SessionStatus
from engine.domain.state import State
from engine.link.protocol import Welcome
from engine.link.source import Report
from engine.ports.clock import Clock
from engine.ports.journal import Journal
from engine.runtime.core import Core, Elapsed
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.runtime.logbook import Logbook
from engine.runtime.strategist import Strategist
from engine.runtime.strategy_process import ProcessHost
from engine.runtime.watchdog import LoopWatch
from engine.store.ballast import Ballast
from engine.store.lock import held
from engine.store.resilient import ResilientJournal
from engine.store.spill import Spill
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.paper.venue import PaperVenue

STOP_SECONDS: Final = 8.0


class LiveEngine:
    """Everything that runs in the engine's process; `live_engine` builds it."""

    def __init__(
        self,
        options: LiveOptions,
        journal: Journal,
        source: Source,
        catalog: dict[InstrumentId, Instrument],
        state: State,
    ) -> None:
        self.options = options
        clock = self.clock = source.clock
        self.journal = journal
        self.source = source
        self._controls: dict[CommandId, ControlFeed] = {}
        self.catalog = catalog
        self.core = Core(catalog, state)
        self.engine = Engine(self.core, journal, clock)
        self.logbook = Logbook(options.data_dir / "logs", clock)
        self.monitor = monitor_of(self.engine, options, clock, catalog)
        self.keeper = Keeper(journal, self.engine, clock, self.logbook, options.data_dir)
        self.monitor.sensors.checkpointed_at = lambda: self.keeper.checkpointed_at
        self.reports = Reports(options, clock, self.engine, catalog, self.monitor, self.logbook)
        self.aftermath = Aftermath(options, self.engine, source, self.logbook)
        self.choosing = Choosing(self.engine, clock, self.reports)
        self.is_open = False
        self._stopping = asyncio.Event()
        self.tending = Tending(clock, self.logbook)
        self.engine.on_fault = self.tending.failed

    async def begin(self) -> None:
        """Open or resume the session and take it up; if a person is asked first, wait in `run`."""
        await self.keeper.audit()
        self.monitor.attach()
        self.engine.on_elapsed = self.monitor.swept
        self.engine.subscribe(self.logbook.on_entry)
        await self._open()

    async def _open(self) -> bool:
        """Go on with the start as far as it can be gone on with; return whether that is the end."""
        means = (self.options, self.engine, self.journal, self.catalog, self.source.mode)
        self.is_open = await open_session(*means)
        if self.is_open:
            await self.aftermath.lock()
            await self._take_up()
        return self.is_open

    async def _take_up(self) -> None:
        """Teach the venue its book, and ready executor, strategies and reconciliation."""
        state = self.core.state
        journal = self.journal
        base = journal.inner.recovered.base if isinstance(journal, ResilientJournal) else None
        past = await past_of(journal, base)
        self.venue = PaperVenue(self.clock, paper_settings(self.options, state, past.cash))
        past.teach(self.venue)
        stand(self.venue, state)
        self.executor = Executor(self.venue, self.engine.submit, self.clock)
        self.executor.resume(state)
        self.strategist = Strategist(
            self.options.strategies, ProcessHost, self.engine.submit, self.clock
        )
        self.engine.subscribe(self.executor.on_entry, lambda tick, _quote: self.venue.on_tick(tick))
        self.engine.subscribe(self.strategist.on_entry, self._on_strategy_tick)
        self.engine.subscribe(self._on_control)
        books = (self.venue, self.keeper.tables, self.logbook)
        self.reconciler = await reconciling(self.options, self.engine, *books, self.monitor.sensors)
        self.waking = Waking(self.engine, self.reconciler, self.clock, self.logbook)
        if self.source.mode is not Mode.REPLAY:  # a recorded day misses nothing
            self.engine.on_stood = self.waking.look_around
            self.executor.holdback.decided_at = lambda: self.engine.decided_at
        self.aftermath.hours = lambda: self.monitor.sensors.hours
        self.aftermath.connect_anew = self.waking.connect_anew

    @property
    def database(self) -> Path | None:
        """The store's file, for the link; None: nothing is kept."""
        return self.options.database if self.options.is_persistent else None

    @property
    def quotes(self) -> Mapping[InstrumentId, Quote]:
        """The live quotes, for the link."""
        return self.core.quotes

    def welcome(self) -> Welcome:
        """Return a snapshot for a console."""
        return self.reports.welcome()

    def submit(self, command: Command) -> None:
        """Take a console's command."""
        if not self.is_open:
            self.choosing.submit(command)
            return
        if isinstance(command, SubmitSignal) and command.signal.instrument in self.catalog:
            self.strategist.offer([command.signal])  # acts on a tick at or after its time
            return
        if isinstance(command, ControlFeed):
            self._controls[command.id] = command
        self.engine.submit(command)

    def _on_control(self, entry: Entry, state: State) -> None:
        """Control the feed once the command is accepted, and forget it either way."""
        match entry.event:
            case CommandAccepted(command=id_) if id_ in self._controls:
                self.source.control(self._controls.pop(id_))
            case CommandRefused(command=id_):
                self._controls.pop(id_, None)
            case _:
                return

    def subscribe(
        self,
        on_entry: Callable[[Entry, State], None],
        on_tick: Callable[[Tick, Quote], None],
    ) -> None:
        """Call back with every durable entry and every tick, for the link."""
        self.engine.subscribe(on_entry, on_tick)

    def watch(self, on_report: Callable[[Report], None]) -> None:
        """Call back with every pulse, health, quality report and log line."""
        self.reports.watch(on_report)

    def _on_strategy_tick(self, tick: Tick, quote: object) -> None:
        start = self.core.session_start(tick.instrument, tick.at)
        self.strategist.on_tick(tick, self.core.quotes[tick.instrument], start)

    async def run(self) -> None:
        """Run until `stop`."""
        if not self.is_open:
            await self.choosing.serve(self._open, self._is_stopped)
        if not self.is_open:
            return
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.engine.run())
            others = [
                tasks.create_task(self.engine.run_timer()),
                tasks.create_task(self.executor.run()),
                *(tasks.create_task(self.tending.keep(*chore)) for chore in self._chores()),
            ]
            await self.tending.once(
                "strategies", self.strategist.start(self.core.state, self.catalog)
            )
            feeding = self.waking.feed(tasks, lambda: self.tending.keep("feed", self._feed))
            await self._stopping.wait()
            feeding.end()
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._finish(running)
            for task in (running, *others):
                task.cancel()

    def _is_stopped(self) -> bool:
        self.monitor.beat()
        return self._stopping.is_set()

    def _chores(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Return what runs beside the engine, by name; none of it may end it."""
        options, keeper, monitor = self.options, self.keeper, self.monitor
        holidays = (monitor, self.catalog, self.clock, self.logbook, options.data_dir)
        chores: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("store", lambda: keeper.run(options.checkpoint_s)),
            ("backups", lambda: keeper.back_up(options.backup_s, options.backups_kept)),
            ("strategies", lambda: pass_time(self.strategist, self.clock)),
            ("health", lambda: monitor.run(self.reports.take)),
            ("reports", self.reports.run),
            ("reconciliation", lambda: self.reconciler.run(options.reconcile_s)),
            ("waking", self.waking.run),
            ("recovery", self.aftermath.run),
            ("holidays", lambda: learn_holidays(*holidays)),
        ]
        chores += drills(options, self.engine, self.venue.elsewhere, self.logbook)
        path = options.signals_file
        if path is not None:
            offer = partial(self.strategist.offer, is_reread=True)
            chores.append(("signals", lambda: watch_signals(path, self.clock, self.logbook, offer)))
        return chores

    def stop(self, reason: str) -> None:
        """Begin the orderly end; `run` returns when it is done. May be called twice."""
        is_first = not self._stopping.is_set()
        self._stopping.set()
        if is_first:
            self.logbook.log("info", "session", f"stopping: {reason}")

    async def _finish(self, running: asyncio.Task[None]) -> None:
        await self.tending.once("strategies", self.strategist.stop())
        session = self.core.state.session
        if session is not None:
            self.engine.submit(Elapsed())  # extremes that no timer has journaled yet
            self.engine.submit(SessionEnded(session.id, SessionStatus.COMPLETED, "engine"))
        self.engine.stop()
        await running
        await self.tending.once("store", self.keeper.keep())

    async def _feed(self) -> None:
        await supply(self.source, self.engine, self.monitor, self.executor, self.strategist)
        self.logbook.log("info", "feed", f"the {self.options.feed} feed has ended")


@asynccontextmanager
async def live_engine(options: LiveOptions, clock: Clock) -> AsyncIterator[LiveEngine]:
    """Yield a session that is open and watched, but not running yet.

    Raises DirectoryHeld if another engine has the data directory, JournalRefused if the store
    must not be opened.
    """
    async with AsyncExitStack() as stack:
        journal: Journal
        state, spilled = State(), 0
        _private(options.data_dir)
        stack.enter_context(held(options.data_dir, clock.now()))
        if options.is_persistent:
            mode = Mode.REPLAY if options.feed == "replay" else Mode.PAPER
            stamp = Stamp(mode, "paper")
            opened = SqliteJournal.open(options.database, stamp, clock.now())
            store = await stack.enter_async_context(opened)
            spill, ballast = Spill(options.database), Ballast(options.database)
            journal = ResilientJournal(store, spill, ballast)
            state = await journal.recover()
            spilled = state.seq - store.recovered.state.seq if journal.is_persisted else 0
        else:
            journal = kept_nowhere(options.database)
        source = source_of(options, clock, state, await last_at(journal, state))
        live = LiveEngine(options, journal, source, await source.instruments(), state)
        live.logbook.start()
        stack.callback(live.logbook.close)
        live.logbook.hide(options.secrets)
        if spilled:
            text = f"{spilled} entries of the emergency file were taken over into the journal"
            live.logbook.log("warning", "recovery", text)
        watch = LoopWatch(clock, live.logbook.alarm)
        live.monitor.beat = watch.beat
        watch.start()
        stack.callback(watch.stop)
        await live.begin()
        yield live


def _private(directory: Path) -> None:
    """Make the data directory, for its owner alone (O-7)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
