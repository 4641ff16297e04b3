"""Health as numbers with reasons (O-20, O-21). Pure: measurements in, scores and losses out."""

from __future__ import annotations

from enum import Enum, unique
from typing import Final

from engine.domain.ids import Nanos
from engine.domain.records import dataclass


@unique
class Level(Enum):
    """Half-open bands of the overall score, best first."""

    EXCELLENT = "Excellent"
    GOOD = "Good"
    FAIR = "Fair"
    POOR = "Poor"
    CRITICAL = "Critical"


@dataclass(frozen=True, slots=True)
class Loss:
    """Points that a component lost, and why: every lost point can be opened on screen."""

    points: float
    why: str


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the system: 100 minus its losses, at least 0."""

    name: str
    score: float
    weight: float
    is_critical: bool
    figures: tuple[tuple[str, str], ...]
    """The measurements behind the score, ready to read: (name, value with unit)."""
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """The whole, as one message."""

    at: Nanos
    score: float
    level: Level
    components: tuple[Component, ...]
    worst: str
    """The component that costs most, and its first reason, in one line."""


EXCELLENT: Final = 90.0
BANDS: Final[tuple[tuple[Level, float], ...]] = (
    (Level.EXCELLENT, EXCELLENT),
    (Level.GOOD, 75.0),
    (Level.FAIR, 60.0),
    (Level.POOR, 40.0),
    (Level.CRITICAL, 0.0),
)
"""Level and the least score that has it; half-open, best first."""
HYSTERESIS: Final = 2.0
"""A level gets better only this far above its least score; worse it gets at once."""
MARGIN: Final = 10.0
"""The whole is at most so much better than its worst critical component."""


def level_of(score: float, before: Level | None = None) -> Level:
    """Return the level of `score`; `before` is the level shown until now."""
    for level, least in BANDS:
        is_better = before is not None and _RANK[level] < _RANK[before]
        if score >= least + (HYSTERESIS if is_better else 0.0):
            return level
    return Level.CRITICAL


_RANK: Final = {level: rank for rank, (level, _) in enumerate(BANDS)}


def combine(components: tuple[Component, ...], at: Nanos, before: Level | None = None) -> Health:
    """Return the whole: the weighted mean, at most MARGIN above the worst critical component."""
    weight = sum(part.weight for part in components)
    mean = sum(part.score * part.weight for part in components) / weight if weight else 100.0
    critical = [part for part in components if part.is_critical]
    cap = min((part.score for part in critical), default=100.0) + MARGIN
    score = min(mean, cap)
    return Health(at, score, level_of(score, before), components, _worst(components, mean, cap))


def _worst(components: tuple[Component, ...], mean: float, cap: float) -> str:
    losing = [part for part in components if part.losses]
    if not losing:
        return ""
    critical = [part for part in losing if part.is_critical]
    if cap < mean and critical:
        worst = min(critical, key=lambda part: part.score)
    else:
        worst = max(losing, key=lambda part: part.weight * (100 - part.score))
    reason = max(worst.losses, key=lambda loss: loss.points)
    return f"{worst.name}: {reason.why}"
