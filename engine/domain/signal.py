"""What a strategy (or anybody outside) wants to enter, and why."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.money import Price, Qty
from engine.domain.order import Side
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A wish to open a position; the engine may refuse it, with a reason."""

    id: str
    """Acts once: the same id again is refused."""
    instrument: InstrumentId
    side: Side
    at: Nanos
    qty: Qty | None = None
    """None: sized by the account's profile."""
    confidence: Decimal = Decimal(1)
    """0 to 1."""
    reason: str = ""
    stop_loss: Price | None = None
    take_profit: Price | None = None
    strategy: StrategyName = StrategyName("signals")
    inputs: tuple[tuple[str, str], ...] = ()
    """What the decision was made from, as (name, text) pairs."""
