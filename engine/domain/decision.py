"""Decisions: what the engine found and does not settle by itself, and the answers to it (C-18).

A decision blocks entries at most, never an exit. Its id follows from what was found, so that the
same finding is asked once, whatever crashes in between.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.gap import GapFinding
from engine.domain.ids import DecisionId, InstrumentId, Nanos, PositionId
from engine.domain.money import ZERO
from engine.domain.records import dataclass
from engine.domain.truth import Execution


@unique
class Matter(Enum):
    """What a decision is about."""

    GONE = "gone"
    """E-42: open here, nothing at the venue, and no fills that explain it."""
    UNKNOWN_HERE = "unknown"
    """E-44: open at the venue, nothing here."""
    DIFFERS = "differs"
    """E-45: open at both, another size or side."""
    STRAY_ORDER = "stray"
    """E-46: an order of somebody else works at the venue."""
    GAP = "gap"
    """E-63: a rule would have fired while the engine was away."""
    CRASH = "crash"
    """E-62: the last engine died with nothing open."""


@unique
class Choice(Enum):
    """What can be answered; of these a decision offers some."""

    BOOK = "book"
    """Book what fills prove; of a gap: at its first tradable price (paper)."""
    ESTIMATE = "estimate"
    """Book at the present fresh price, and mark the trade as estimated."""
    ADOPT = "adopt"
    """Take over what the venue has."""
    CLOSE = "close"
    """Take it over and close it."""
    CANCEL = "cancel"
    LEAVE = "leave"
    """Leave and watch; not asked again while it stays as it is."""
    EXIT_NOW = "exit_now"
    KEEP = "keep"
    RESUME = "resume"
    FRESH = "fresh"
    INSPECT = "inspect"
    """Look around first: asked again, without a time by which the policy acts."""


RECONCILED: Final = frozenset(
    {Matter.GONE, Matter.UNKNOWN_HERE, Matter.DIFFERS, Matter.STRAY_ORDER}
)
"""Matters that reconciliation asks, and withdraws when the difference is gone."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One question, whole: nobody needs anything else to answer it."""

    id: DecisionId
    matter: Matter
    subject: str
    """The trades, the order or the session that it is about."""
    text: str
    """One sentence: what was found and what it means."""
    choices: tuple[Choice, ...]
    proposal: Choice
    """What the policy would do; LEAVE or KEEP if that is nothing."""
    asked_at: Nanos
    instrument: InstrumentId | None = None
    position: PositionId | None = None
    due_at: Nanos | None = None
    """When the policy acts if nobody answers; None: it waits for a person."""
    here: Decimal = ZERO
    """Signed quantity by the journal."""
    there: Decimal = ZERO
    """Signed quantity at the venue."""
    fills: tuple[Execution, ...] = ()
    """Executions at the venue that the journal does not have."""
    average: Decimal | None = None
    """Average price that the venue tells for what it has open."""
    gap: GapFinding | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and by whom."""

    decision: Decision
    choice: Choice
    by: str
    at: Nanos

    @property
    def stands(self) -> bool:
        """Return whether what was found may still be so, and only the asking is over."""
        choices = {Choice.LEAVE, Choice.CANCEL}
        return self.decision.matter in RECONCILED and self.choice in choices
