"""Health as numbers with reasons (O-20, O-21). Pure: measurements in, scores and losses out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

from engine.domain.ids import Nanos


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
