"""Facts about strategies and their signals."""

from __future__ import annotations

from engine.domain.ids import OrderId, StrategyName
from engine.domain.records import dataclass
from engine.domain.signal import Signal
from engine.domain.strategy import Phase


@dataclass(frozen=True, slots=True)
class SignalAccepted:
    signal: Signal
    order: OrderId


@dataclass(frozen=True, slots=True)
class SignalRefused:
    """Kept with its reason: `why no trade?` is answered from these."""

    signal: Signal
    reason: str


@dataclass(frozen=True, slots=True)
class StrategyChanged:
    """A strategy entered a phase, or waits for something else."""

    strategy: StrategyName
    kind: str
    phase: Phase
    waits_for: str
    why: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyRemembered:
    """A strategy's memory after a decision, as JSON."""

    strategy: StrategyName
    memory: str


@dataclass(frozen=True, slots=True)
class StrategyNoted:
    strategy: StrategyName
    text: str


@dataclass(frozen=True, slots=True)
class StrategyFailed:
    """It raised, looped or was too slow; exits and the other strategies go on."""

    strategy: StrategyName
    why: str
    traceback: str
