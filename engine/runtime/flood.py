"""How much a strategy may want: an exit must not stand in line behind its wishes."""

from __future__ import annotations

from collections import deque
from typing import Final

from engine.domain.ids import SECOND, Nanos
from engine.runtime.strategy_wire import Fault, Reply

SIGNALS_MAX: Final = 200
"""A strategy that wants more at once, or within a second, has failed."""
TOO_FAST: Final = Fault(f"more than {SIGNALS_MAX} signals within a second", "")


def within_bounds(reply: Reply) -> Reply:
    """Return `reply`, or the fault that it is too much."""
    if isinstance(reply, Fault):
        return reply
    signals = sum(len(advice.signals) for advice in reply.advice)
    notes = sum(len(advice.notes) for advice in reply.advice)
    if max(signals, notes) <= SIGNALS_MAX:
        return reply
    return Fault(f"{signals} signals, {notes} notes at once; at most {SIGNALS_MAX}", "")


class Pace:
    """Counts signals by the time at which they go to the engine."""

    def __init__(self) -> None:
        self._sent: deque[Nanos] = deque(maxlen=SIGNALS_MAX)

    def allows(self, now: Nanos) -> bool:
        """Return whether one more may go now, and count it."""
        if len(self._sent) == SIGNALS_MAX and 0 <= now - self._sent[0] < SECOND:
            return False
        self._sent.append(now)
        return True
