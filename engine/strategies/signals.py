"""Signals given from outside: a file, standard input, HTTP (S-14).

It has no opinion of its own. What it was given it passes on; the strategist lets a signal act on
the first tick of its symbol at or after its time, and the engine's limits and gates apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Holding, Moment, Needs, Phase


@dataclass(frozen=True, slots=True)
class SignalsSettings:
    """It has none: the confidence gate is the session's limit `confidence_min`, for everybody."""


class Signals:
    """Waits for signals; which of them acted is remembered by the strategist and the engine."""

    Settings: Final = SignalsSettings

    def __init__(self, name: StrategyName, settings: SignalsSettings) -> None:
        self.name = name
        self._open = 0

    def needs(self) -> Needs:
        """Return nothing: signals come by the strategist's `offer`, not by the tape."""
        return Needs()

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        self._open = 0 if holding is None else max(1, self._open)
        return self._stand()

    def on_bars(self, moment: Moment) -> Advice:
        return Advice()

    def on_tick(self, tick: Tick) -> Advice:
        return Advice()

    def on_opened(self, holding: Holding) -> Advice:
        self._open += 1
        return self._stand()

    def on_closed(self, holding: Holding, reason: str, pnl: Decimal, now: Nanos) -> Advice:
        self._open = max(0, self._open - 1)
        return self._stand()

    def on_refused(self, signal: Signal, reason: str) -> Advice:
        return self._stand(f"next signal; {signal.id} was refused: {reason}")

    def memory(self) -> dict[str, Any]:
        return {"open": self._open}

    def restore(self, memory: Mapping[str, Any]) -> None:
        self._open = int(memory["open"])

    def _stand(self, waits_for: str = "next signal") -> Advice:
        return Advice((), (), Phase.POSITION_OPEN if self._open else Phase.ANALYZING, waits_for)
