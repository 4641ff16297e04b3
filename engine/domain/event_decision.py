"""Facts about decisions, and about orders that the venue executed without us."""

from __future__ import annotations

from engine.domain.decision import Choice, Decision
from engine.domain.ids import DecisionId
from engine.domain.order import Order
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class DecisionAsked:
    """Something was found that is not settled without a person or the policy."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """It was answered; what it leads to follows in the same commit."""

    decision: DecisionId
    choice: Choice
    by: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class DecisionWithdrawn:
    """What was asked, or was left as it is, is so no more: it settled itself."""

    decision: DecisionId
    why: str


@dataclass(frozen=True, slots=True)
class OrderAdopted:
    """An order that the venue executed without us is booked as ours; nothing is sent for it.

    Its fills follow as OrderFilled, so that a position stays the sum of its fills.
    """

    order: Order
    venue_order: str
    """What the venue calls the order that was executed."""
    cause: DecisionId | None = None
