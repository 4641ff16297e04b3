"""One running strategy: its host, its bars, its positions, and what is to be journaled of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.domain.command import SubmitSignal
from engine.domain.event import (
    StrategyChanged,
    StrategyFailed,
    StrategyNoted,
    StrategyRemembered,
)
from engine.domain.ids import SECOND, CommandId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.inputs import Input
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.strategy import Advice, Holding, Needs, Phase
from engine.runtime.bars import NEVER, Bars
from engine.runtime.flood import TOO_FAST, Pace, within_bounds
from engine.runtime.signal_queue import SignalQueue
from engine.runtime.strategy_host import StrategyHost
from engine.runtime.strategy_loading import StrategySpec
from engine.runtime.strategy_memory import Kept, holding_of, packed, unpacked, working_entry
from engine.runtime.strategy_wire import (
    BarsEnded,
    Fault,
    Refused,
    Reply,
    Request,
    Start,
    Ticked,
)

Submit = Callable[[Input], None]
PATIENCE_S: Final = 60
"""A decision waits for a tick of its instrument so long, or two bars; then it is dropped."""
REMEMBER_S: Final = 60
"""Sums and unfinished bars are journaled so often between decisions, when `on_time` is called."""
GRACE_S: Final = 1
"""A bar is ended by the clock so long after its end: ticks of its last moment may be under way."""


class StrategyRun:
    """Talks to one strategy and says what follows. Holds no opinion about when to start or stop."""

    def __init__(self, spec: StrategySpec, submit: Submit, queue: SignalQueue) -> None:
        self.spec = spec
        self.needs = Needs()
        self.bars: Bars | None = None
        self.is_running = self.is_ready = False
        """Ready: its answer to the start has come, it knows what it needs."""
        self.is_paused = False
        self.phase, self.waits_for = Phase.STOPPED, ""
        self.orders: dict[OrderId, Signal] = {}
        """Entry orders under way, and the signals they come from."""
        self.held: dict[PositionId, Holding] = {}
        self.acted: Callable[[], Mapping[str, Any]] | None = None
        """For the strategy of outside signals: which of them acted; journaled with its memory."""
        self.echoes = 0
        """Our own announcements of a start that have not come by in the journal yet."""
        self.on_ready: Callable[[], None] = lambda: None
        self._submit, self._queue = submit, queue
        self._host: StrategyHost | None = None
        self._life = 0
        self._pace = Pace()
        self._undecided = 0
        """Bars that the strategy was told of and has not answered."""
        self._remembered_at = Nanos(0)
        self._memory = self._journaled = ""
        self._bars_memory: Mapping[str, Any] | None = None
        self._before = State()
        """The state that this life began with."""

    @property
    def due(self) -> Nanos:
        """When its next bar ends."""
        return self.bars.due if self.bars is not None else NEVER

    def start(
        self,
        host: StrategyHost,
        state: State,
        instruments: Mapping[InstrumentId, Instrument],
        now: Nanos,
    ) -> None:
        """Begin a life with what the journal knows of the last one."""
        name = self.spec.name
        record = state.strategies.get(name)
        self._journaled = record.memory if record else ""
        kept = unpacked(self._journaled)
        self._memory, self._bars_memory = kept.own, kept.bars
        self.held = {p.id: holding_of(p) for p in state.positions.values() if p.strategy == name}
        self.orders.clear()
        self._before = state
        self._host, self._life = host, self._life + 1
        self.is_running, self.is_ready, self._undecided = True, False, 0
        holding = next(iter(self.held.values()), None)
        self.tell(Start(self._memory, dict(instruments), holding, now))

    def halt(self) -> None:
        """End this life; what it still wanted is forgotten."""
        if self._host is not None:
            self._host.kill()
        self.is_running = self.is_ready = False
        self.phase = Phase.STOPPED
        self._queue.take(lambda signal: signal.strategy == self.spec.name)

    async def close(self) -> None:
        """Journal what the unfinished bars hold, end, and wait until the host is gone."""
        if self.is_running:
            self.remember()
        self.is_running = self.is_ready = False
        if self._host is not None:
            await self._host.close()

    def tell(self, request: Request) -> None:
        """Pass something on to the strategy."""
        if self._host is None or not self.is_running:
            return
        life, is_bars = self._life, isinstance(request, BarsEnded)
        self._undecided += is_bars
        self._host.ask(request, lambda reply: self._answered(life, is_bars, reply))

    def on_tick(self, tick: Tick, session_start: Nanos | None) -> None:
        """Enter a tick of an instrument that it needs."""
        bars = self.bars
        if bars is not None:
            if tick.at >= bars.due:
                self.on_bars_due(tick.at)
            bars.add(tick, session_start)
        if self.needs.ticks:
            self.tell(Ticked([tick]))

    def on_bars_due(self, now: Nanos) -> None:
        """Hand out the bars that ended at or before `now`."""
        if self.bars is None:
            return
        for moment in self.bars.end(now):
            self._lapse(moment.ends)
            self.tell(BarsEnded(moment))

    def on_time(self, now: Nanos) -> None:
        """End bars that no tick ends, and decisions that no tick answers."""
        if self.due != NEVER and now >= self.due + GRACE_S * SECOND:
            self.on_bars_due(Nanos(now - GRACE_S * SECOND))
        if self._queue.waiting:
            self._lapse(now)
        if self.bars is not None and now >= self._remembered_at + REMEMBER_S * SECOND:
            self._remembered_at = now
            self.remember()

    def show(self, phase: Phase, waits_for: str, why: str = "") -> None:
        """Journal where it stands, unless nothing changed or a person paused it."""
        if phase is self.phase and waits_for == self.waits_for:
            return
        self.phase, self.waits_for = phase, waits_for
        if not self.is_paused:
            self.announce(why)

    def announce(self, why: str = "") -> None:
        """Journal where it stands."""
        phase, spec = Phase.PAUSED if self.is_paused else self.phase, self.spec
        waits_for = "a person to resume it" if self.is_paused else self.waits_for
        self._submit(StrategyChanged(spec.name, spec.kind, phase, waits_for, why))

    def announce_start(self, why: str) -> None:
        """Journal that it starts, with its parameters."""
        spec, phase, first = self.spec, Phase.STARTING, "its first answer"
        self.echoes += 1
        self._submit(StrategyChanged(spec.name, spec.kind, phase, first, why, spec.settings))

    def remember(self) -> None:
        """Journal its memory and the bars' sums, unless they are what the journal holds."""
        if not self._memory or self._undecided:
            return  # sums that are ahead of its memory would lose the bars it has not answered
        bars = self.bars.memory() if self.bars is not None else None
        text = packed(Kept(self._memory, bars, self.acted() if self.acted else None))
        if text != self._journaled:
            self._journaled = text
            self._submit(StrategyRemembered(self.spec.name, text))

    def send(self, signal: Signal, now: Nanos) -> None:
        """Hand a signal to the engine, which accepts or refuses it; not one that is too old."""
        name = self.spec.name
        if not self._pace.allows(now):
            self._answered(self._life, False, TOO_FAST)
            return
        if now - signal.at > (patience := _patience(self.needs)):
            reason = f"no tick of {signal.instrument} within {patience // SECOND} s"
            self._submit(StrategyNoted(name, f"ENTRY DROPPED {signal.id}: {reason}"))
            self.tell(Refused(signal, reason))
            return
        self._submit(SubmitSignal(CommandId(f"signal-{signal.id}"), signal, f"strategy:{name}"))

    def _lapse(self, now: Nanos) -> None:
        name, limit = self.spec.name, now - _patience(self.needs)
        for signal in self._queue.take(lambda s: s.strategy == name and s.at < limit):
            self.send(signal, now)

    def _answered(self, life: int, is_bars: bool, reply: Reply) -> None:
        if life != self._life or not self.is_running:
            return
        self._undecided -= is_bars
        reply = within_bounds(reply)
        if isinstance(reply, Fault):
            self.halt()
            self.phase = Phase.FAILED
            self._submit(StrategyFailed(self.spec.name, reply.why, reply.traceback))
            return
        if reply.needs is not None:
            self._prepare(reply.needs)
        for advice in reply.advice:
            self._show_advice(advice)
        if reply.memory is not None:
            self._memory = reply.memory
            self.remember()
        for signal in (signal for advice in reply.advice for signal in advice.signals):
            if reply.needs is not None and f"s:{signal.id}" in self._before.handled:
                self._said_again(signal)
            else:
                self._queue.add(signal)

    def _said_again(self, signal: Signal) -> None:
        """Match a wish of the last life with its order; it acted already and must not again."""
        order = working_entry(self._before, self.spec.name, signal.instrument)
        if order is not None:
            self.orders[order] = signal
        else:
            self.tell(Refused(signal, "it had not become a position at the restart"))

    def _show_advice(self, advice: Advice) -> None:
        for note in advice.notes:
            self._submit(StrategyNoted(self.spec.name, note))
        waits_for = self.waits_for if advice.waits_for is None else advice.waits_for
        self.show(advice.phase or self.phase, waits_for)

    def _prepare(self, needs: Needs) -> None:
        self.needs, self.is_ready = needs, True
        self.bars = Bars(needs.bar_seconds) if needs.bar_seconds else None
        if self.bars is not None and self._bars_memory:
            self.bars.restore(self._bars_memory)
        self.on_ready()


def _patience(needs: Needs) -> int:
    """Return for how many nanoseconds a decision waits for a tick of its instrument."""
    return max(PATIENCE_S, 2 * needs.bar_seconds) * SECOND
