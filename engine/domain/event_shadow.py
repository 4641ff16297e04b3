"""Facts about what a person did to a position, and what its rules would have done (E-28)."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.ids import Nanos, ShadowId
from engine.domain.money import Price
from engine.domain.order import ExitReason
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Levels:
    """The absolute stop and target of a position; None: it has none of its own."""

    stop_loss: Price | None
    take_profit: Price | None


@dataclass(frozen=True, slots=True)
class ShadowEnded:
    """A rule would have closed what a person took out of its hands. Nothing was traded."""

    shadow: ShadowId
    reason: ExitReason
    price: Price | None
    """Price that the rule saw and would have traded at; None: nothing fresh to judge it by."""
    price_at: Nanos | None
    pnl: Decimal | None = None
    """Gross profit that the rule would have made of it; None: unknown."""
    why: str = ""
    """Why that is unknown."""
    fired_at: Nanos | None = None
    """When, if it was found by looking back at a gap; None: when it is journaled."""
