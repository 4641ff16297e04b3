"""Signals that wait for their moment: the first tick of their symbol at or after their time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.signal import Signal

NEVER: Final = Nanos(2**63 - 1)


class SignalQueue:
    """Per instrument, in order of time; of equal times, in the order they came.

    What a quiet tick costs is one look-up in `waiting`; it is empty when nothing waits.
    """

    def __init__(self) -> None:
        self.waiting: dict[InstrumentId, list[Signal]] = {}
        self._acted: dict[InstrumentId, Nanos] = {}
        """Per instrument, the time of the newest signal that was let go."""
        self.revision = 0
        """Grows with every signal that comes or goes."""

    def quiet_until(self, instrument: InstrumentId) -> Nanos:
        """Return from when on a tick of `instrument` lets a signal go."""
        queue = self.waiting.get(instrument)
        return NEVER if queue is None else queue[0].at

    def add(self, signal: Signal) -> None:
        """Let `signal` wait."""
        self.revision += 1
        queue = self.waiting.setdefault(signal.instrument, [])
        queue.append(signal)
        if len(queue) > 1 and signal.at < queue[-2].at:
            queue.sort(key=lambda waiting: waiting.at)

    def add_again(self, signal: Signal) -> bool:
        """Add a signal of a source that is read anew after a restart, unless it already acted."""
        if signal.at <= self._acted.get(signal.instrument, -1):
            return False
        self.add(signal)
        return True

    def due(self, tick: Tick) -> list[Signal]:
        """Return and forget the signals that act on this tick."""
        queue = self.waiting.get(tick.instrument)
        if queue is None or queue[0].at > tick.at:
            return []
        self.revision += 1
        count = next((i for i, signal in enumerate(queue) if signal.at > tick.at), len(queue))
        ready, rest = queue[:count], queue[count:]
        if rest:
            self.waiting[tick.instrument] = rest
        else:
            del self.waiting[tick.instrument]
        self._acted[tick.instrument] = max(
            self._acted.get(tick.instrument, Nanos(-1)), ready[-1].at
        )
        return ready

    def take(self, is_wanted: Callable[[Signal], bool]) -> list[Signal]:
        """Return and forget every waiting signal that `is_wanted`, in order of time."""
        taken: list[Signal] = []
        self.revision += 1
        for instrument, queue in list(self.waiting.items()):
            rest = [signal for signal in queue if not is_wanted(signal)]
            taken += [signal for signal in queue if is_wanted(signal)]
            if rest:
                self.waiting[instrument] = rest
            else:
                del self.waiting[instrument]
        return sorted(taken, key=lambda signal: signal.at)

    def memory(self) -> dict[str, Any]:
        """Return what already acted, as JSON data; sources say again what still waits."""
        return {str(name): at for name, at in self._acted.items()}

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` returned."""
        self._acted = {InstrumentId(name): Nanos(at) for name, at in memory.items()}
