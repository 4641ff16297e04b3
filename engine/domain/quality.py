"""Data quality of a feed, per instrument (S-20, S-21): the checks, their weights, the score.

Score = 100 minus, for each check, its `points` x min(1, share / `full`), at least 0. The share is
that of the samples in a sliding window of five minutes (at least SAMPLES_MIN are assumed, so that
one bad sample does not condemn a quiet instrument); of a frozen price it is that of the window's
minutes. What an illiquid instrument does by nature (no trades, the same price all day, skipped
bars, identical prints) can cost it 40 points together: such an instrument is shown for what it
is, but never falls below the default gate. A price jump costs points and is traded on all the
same: a gap through a stop must fire the stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.records import dataclass

GATE: Final = 60.0
"""Entries on an instrument below this score are refused; exits never."""
WINDOW_S: Final = 300
SAMPLES_MIN: Final = 20
HELD_WEIGHT: Final = 4
"""Instruments with a position count so many times in the overall score."""


@dataclass(frozen=True, slots=True)
class Check:
    """What is looked for, and what it costs."""

    points: float
    """Lost at most."""
    full: float
    """Share of the samples (of the minutes, if `is_timed`) at which all of them are lost."""
    is_timed: bool = False


REFUSAL: Final = Check(60, 0.10)
"""Any reason for which a sample never became a tick, unless it stands in CHECKS."""

CHECKS: Final[Mapping[str, Check]] = {
    "price_invalid": REFUSAL,
    "unreadable": REFUSAL,
    "ohlc": REFUSAL,
    "future": REFUSAL,
    "volume_invalid": Check(40, 0.10),
    "oi_invalid": Check(40, 0.10),
    "book_invalid": Check(40, 0.10),
    "out_of_order": Check(30, 0.20),
    "price_jump": Check(20, 0.05),
    "crossed_book": Check(25, 0.20),
    "clock_skew": Check(20, 0.50),
    "frozen_price": Check(15, 1.0, is_timed=True),
    "missing_bars": Check(15, 0.50),
    "zero_volume": Check(5, 1.0),
    "duplicate": Check(5, 0.50),
}
REFUSING: Final = frozenset(
    {
        *("price_invalid", "unreadable", "ohlc", "future"),
        *("volume_invalid", "oi_invalid", "book_invalid", "out_of_order"),
    }
)
"""A sample found so never becomes a tick; every other check only counts."""


def score_of(counts: Mapping[str, int], samples: int) -> float:
    """Return 0 to 100 for what was found among `samples` of one window."""
    missing = counts.get("missing_bars", 0)
    whole = max(samples + missing, SAMPLES_MIN)
    lost = 0.0
    for name, count in counts.items():
        check = CHECKS.get(name, REFUSAL)
        share = count / (WINDOW_S // 60 if check.is_timed else whole)
        lost += check.points * min(1.0, share / check.full)
    return max(0.0, 100.0 - lost)


def overall(parts: Iterable[tuple[float, int, bool]], strays: int, samples: int) -> float:
    """Return the score of a feed from (score, samples, is held) of each instrument.

    A mean weighted by samples (and SAMPLES_MIN for being there), held instruments counting
    HELD_WEIGHT times, less up to 40 points for `strays`: samples that named no known instrument.
    """
    total = weight = 0.0
    for score, count, is_held in parts:
        share = (count + SAMPLES_MIN) * (HELD_WEIGHT if is_held else 1)
        total += score * share
        weight += share
    mean = total / weight if weight else 100.0
    stray_share = strays / max(samples + strays, SAMPLES_MIN)
    return max(0.0, mean - 40.0 * min(1.0, stray_share / 0.10))


@dataclass(frozen=True, slots=True)
class BadSample:
    """The last thing a check objected to, as text that is safe to keep (not yet to show)."""

    check: str
    at: Nanos
    text: str


@dataclass(frozen=True, slots=True)
class InstrumentQuality:
    instrument: InstrumentId
    score: float
    trend: float
    """Score now minus score one window ago."""
    samples: int
    counts: tuple[tuple[str, int], ...]
    """(check, how often) for every check that ever objected."""
    last_bad: BadSample | None
    examples: tuple[BadSample, ...] = ()
    """The last example of every check that ever objected."""


@dataclass(frozen=True, slots=True)
class QualityReport:
    at: Nanos
    score: float
    gate: float
    """Entries on an instrument below this are refused; exits never."""
    instruments: tuple[InstrumentQuality, ...]
    refused: tuple[tuple[str, int], ...] = ()
    """Samples that never became a tick: (reason, how often), e.g. price_not_positive."""
