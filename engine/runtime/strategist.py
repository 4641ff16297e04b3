"""Runs the strategies of a session. A reader: it hears ticks, time and journal entries, and comes
back only through `submit`, with signals as commands and with reports for the journal.

A signal is submitted on the first tick of its instrument at or after its time (S-14; the same for
every strategy, live and replayed): a decision on the last bar never acts on that bar's old price.
What a strategy does, raises or never finishes changes nothing for the others, nor for an exit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from engine.domain import event as ev
from engine.domain.command import SubmitSignal
from engine.domain.ids import CommandId, InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Quote, Tick
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.strategy import Phase
from engine.ports.clock import Clock
from engine.runtime.signal_queue import SignalQueue
from engine.runtime.strategy_follower import StrategyFollower
from engine.runtime.strategy_host import StrategyHost
from engine.runtime.strategy_loading import StrategySpec
from engine.runtime.strategy_memory import unpacked
from engine.runtime.strategy_run import StrategyRun, Submit

HostFactory = Callable[[StrategySpec], StrategyHost]
OUTSIDE: Final = "signals"
"""Registered name of the strategy that stands for signals from outside."""
_REST: Final = frozenset({Phase.STOPPED, Phase.FAILED})


class Strategist:
    """All strategies of a session, by name."""

    def __init__(
        self,
        specs: Iterable[StrategySpec],
        host_factory: HostFactory,
        submit: Submit,
        clock: Clock,
    ) -> None:
        self._host_factory = host_factory
        self._submit = submit
        self._clock = clock
        self._decided = SignalQueue()
        """Signals of the strategies; they lapse."""
        self._offered = SignalQueue()
        """Signals from outside; they wait as long as it takes."""
        self._said: set[str] = set()
        """Ids of the signals from outside that were submitted in this life."""
        self._runs: dict[StrategyName, StrategyRun] = {}
        for spec in specs:
            run = StrategyRun(spec, submit, self._decided)
            run.on_ready = self._routes_changed
            self._runs[spec.name] = run
        self._outside = next((r for r in self._runs.values() if r.spec.kind == OUTSIDE), None)
        if self._outside is not None:
            self._outside.acted = self._offered.memory
        self._instruments: dict[InstrumentId, Instrument] = {}
        self._routes: dict[InstrumentId, tuple[StrategyRun, ...]] = {}
        self._rerouted = 0
        self._follower = StrategyFollower(self._runs)

    @property
    def due(self) -> Nanos:
        """When the next bar of any strategy ends; `on_time` then has something to do."""
        return min((run.due for run in self._runs.values()), default=Nanos(2**63 - 1))

    @property
    def revision(self) -> int:
        """A number that grows whenever `quiet_until` may give other answers."""
        return self._decided.revision + self._offered.revision + self._rerouted

    def quiet_until(self, instrument: InstrumentId) -> Nanos:
        """Return from when on it must hear every tick of `instrument`; 0: a strategy wants all."""
        if self._routes.get(instrument) or self._route(instrument):
            return Nanos(0)
        return min(self._decided.quiet_until(instrument), self._offered.quiet_until(instrument))

    @property
    def is_ready(self) -> bool:
        """Return whether every strategy that runs has given its first answer."""
        return all(run.is_ready or not run.is_running for run in self._runs.values())

    async def start(self, state: State, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """Begin, or resume what ran (a paused one stays paused, a stopped or failed one stays)."""
        self.begin(state, instruments)

    def begin(self, state: State, instruments: Mapping[InstrumentId, Instrument]) -> None:
        """Do what `start` does, without waiting: for a replay with inline hosts."""
        self._instruments = dict(instruments)
        self._follower.begin(state)
        if self._outside is not None:
            known = state.strategies.get(self._outside.spec.name)
            self._offered.restore(unpacked(known.memory if known else "").acted or {})
        for run in self._runs.values():
            record = state.strategies.get(run.spec.name)
            if record is not None and record.phase in _REST:
                run.phase = record.phase
                continue
            run.is_paused = record is not None and record.phase is Phase.PAUSED
            if not run.is_paused:
                run.announce_start("resumed" if record else "started with the session")
            self._start(run, state)

    async def stop(self) -> None:
        """End all strategies; what they remember is journaled first."""
        for run in self._runs.values():
            await run.close()

    def offer(self, signals: Iterable[Signal], *, is_reread: bool = False) -> None:
        """Take signals from outside. `is_reread`: the source starts anew after a restart, and
        what already acted must not act again.
        """
        for signal in signals:
            if is_reread:
                self._offered.add_again(signal)
            else:
                self._offered.add(signal)

    def unacted(self) -> list[Signal]:
        """Return and forget the signals from outside whose tick never came, in order of time."""
        return self._offered.take(lambda _: True)

    def on_tick(self, tick: Tick, quote: Quote, session_start: Nanos | None) -> None:
        """Hear a tick. Call it once `quote` holds it: signals act on it at once."""
        instrument = tick.instrument
        runs = self._routes.get(instrument)
        if runs is None:
            runs = self._route(instrument)
        for run in runs:
            run.on_tick(tick, session_start)
        if instrument in self._decided.waiting:
            for signal in self._decided.due(tick):
                self._runs[signal.strategy].send(signal, tick.at)
        if instrument in self._offered.waiting:
            for signal in self._offered.due(tick):
                self._submit_once(signal)
                if self._outside is not None:
                    self._outside.remember()

    def _submit_once(self, signal: Signal) -> None:
        """Submit a signal from outside; the state knows only the newest ids, this knows all."""
        if signal.id in self._said:
            self._submit(ev.SignalRefused(signal, f"signal {signal.id} acted already"))
            return
        self._said.add(signal.id)
        self._submit(SubmitSignal(CommandId(f"signal-{signal.id}"), signal, "signals"))

    def since(self) -> Nanos | None:
        """Return the time of the newest tick that restored bars know of; None: nothing restored.

        Ticks from it on, as far as they can be fetched, belong to `on_missed` before the first
        live one: then the next decision is what it would have been without the gap. What a
        strategy knows already is sorted out there.
        """
        seen = [run.bars.restored_to for run in self._runs.values() if run.bars is not None]
        return min((at for at in seen if at is not None), default=None)

    def on_missed(self, tick: Tick, session_start: Nanos | None) -> None:
        """Hear a tick of the time while nobody listened: bars grow, no signal acts on it."""
        for run in self._routes.get(tick.instrument) or self._route(tick.instrument):
            if run.bars is not None and not run.bars.has_restored(tick):
                run.on_tick(tick, session_start)

    def on_time(self, now: Nanos) -> None:
        """Hear the time: bars end in a silent market too."""
        for run in self._runs.values():
            run.on_time(now)

    def on_entry(self, entry: ev.Entry, state_after: State) -> None:
        """Hear a journal entry, with the state that it led to."""
        event = entry.event
        if isinstance(event, ev.StrategyChanged):
            self._controlled(event, state_after)
        elif isinstance(event, ev.InstrumentListed):
            self._instruments[event.instrument.id] = event.instrument
            self._routes.pop(event.instrument.id, None)
            self._rerouted += 1
        else:
            self._follower.on_entry(entry, state_after)

    def _start(self, run: StrategyRun, state: State) -> None:
        try:
            host = self._host_factory(run.spec)
        except Exception as error:  # noqa: BLE001 -- a user's file may raise anything
            run.phase = Phase.FAILED
            self._submit(ev.StrategyFailed(run.spec.name, f"{type(error).__name__}: {error}", ""))
            return
        run.start(host, state, self._instruments, self._clock.now())

    def _route(self, instrument: InstrumentId) -> tuple[StrategyRun, ...]:
        """Return who needs this instrument; found once per instrument."""
        terms = self._instruments.get(instrument)
        underlying = terms.underlying if terms is not None else None
        found: list[StrategyRun] = []
        for run in self._runs.values():
            needs = run.needs
            if not run.is_ready or not (needs.ticks or needs.bar_seconds):
                continue
            wanted = needs.instruments | needs.underlyings
            if not wanted or instrument in wanted or underlying in needs.underlyings:
                found.append(run)
        self._routes[instrument] = tuple(found)
        return self._routes[instrument]

    def _routes_changed(self) -> None:
        self._routes.clear()
        self._rerouted += 1

    def _controlled(self, event: ev.StrategyChanged, state: State) -> None:
        """Do what a person said; our own reports come by here too and change nothing."""
        run = self._runs.get(event.strategy)
        if run is None:
            return
        if event.phase is Phase.STARTING and run.echoes:
            run.echoes -= 1
        elif event.phase is Phase.STOPPED:
            run.halt()
            self._routes_changed()
        elif event.phase is Phase.PAUSED:
            run.is_paused = True
        elif event.phase is not Phase.STARTING:
            if run.is_paused or (not run.is_running and run.phase is Phase.STOPPED):
                run.announce("a report that was under way came after the command")
        elif not run.is_running:
            run.is_paused = False
            self._start(run, state)
        elif run.is_paused:
            run.is_paused = False
            run.announce("resumed")
