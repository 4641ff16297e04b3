"""Limits on entries and on losses. Limits never hold back an exit."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.ids import CommandId, Nanos
from engine.domain.records import dataclass

OPERATOR: Final = "operator"
"""Source of the block that a person sets."""
SAFE_MODE: Final = "safe-mode"
"""Source of the block that a crash loop causes; only a person lifts it."""
RECOVERY: Final = "recovery"
"""Source of the block while something that a crash left is not settled."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a session (S-8, E-17). None or 0 means no limit."""

    positions_max: int = 0
    positions_max_per_strategy: int = 0
    positions_max_per_instrument: int = 0
    cooldown_s: int = 0
    """Seconds without an entry on an instrument after a position on it was closed."""
    confidence_min: Decimal = Decimal(0)
    daily_loss: Decimal | None = None
    """Kill switch: loss of the day, in an account's currency, that flattens everything."""
    drawdown_max: Decimal | None = None
    """Kill switch: ratio (0.1) below the highest equity of the session."""
    capital_per_position: Decimal | None = None
    """Money put into a position whose signal names no quantity; None: one lot."""
    default_qty: Decimal | None = None
    """Quantity of a signal that names none (profile `nifty-paper`: 75)."""
    leverage: Decimal = Decimal(1)
    """Of perpetuals; everything else is paid in full."""
    price_age_max_s: int = 60
    """An older price prices nothing: no entry, no estimate, no paper fill."""
    exit_timeout_s: int = 10
    """An exit order unanswered for so long has an unknown outcome."""
    rearm_ms: int = 250
    """Protection is back so long after a failed close; doubles per failure, 1 s at most."""


@unique
class LatchCause(Enum):
    OPERATOR = "operator"
    KILL_SWITCH = "kill_switch"
    RISK_LIMIT = "risk_limit"


@dataclass(frozen=True)
class Latch:
    """Flatten in force: entries blocked, orders cancelled, everything closed, until a person
    lifts it with a reason. It survives restarts.
    """

    cause: LatchCause
    since: Nanos
    by: CommandId | None
    reason: str
    is_flat: bool = False
    """Set when the last position was seen closed."""
    who: str = ""
    """The person, or the engine."""
