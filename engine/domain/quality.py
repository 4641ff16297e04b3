"""Data quality of a feed, per instrument (S-20, S-21). Pure: samples in, counts and scores out."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.ids import InstrumentId, Nanos


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


@dataclass(frozen=True, slots=True)
class QualityReport:
    at: Nanos
    score: float
    gate: float
    """Entries on an instrument below this are refused; exits never."""
    instruments: tuple[InstrumentQuality, ...]
    refused: tuple[tuple[str, int], ...] = ()
    """Samples that never became a tick: (reason, how often), e.g. price_not_positive."""
