"""What goes wrong in the simulated market, on demand: gaps, halts and bad ticks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

from engine.domain.ids import InstrumentId


@unique
class Trouble(Enum):
    """Kinds of disturbance; the value is what a configuration says."""

    GAP = "gap"
    """The price jumps by `size` (a ratio)."""
    HALT = "halt"
    """No ticks for `seconds`; an index takes its options with it."""
    NOT_A_NUMBER = "nan"
    ZERO = "zero"
    NEGATIVE = "negative"
    LATE = "late"
    """A tick whose time lies `seconds` before the one already sent."""
    JUMP = "jump"
    """One tick at (1 + `size`) times the price; the next is ordinary again."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that goes wrong, `at` seconds after the simulation began."""

    trouble: Trouble
    symbol: InstrumentId
    at: float
    size: float = 0.05
    seconds: float = 10.0


BAD_TICKS = frozenset(
    {Trouble.NOT_A_NUMBER, Trouble.ZERO, Trouble.NEGATIVE, Trouble.LATE, Trouble.JUMP}
)
