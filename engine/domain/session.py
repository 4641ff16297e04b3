"""A trading session: from a start to an end, possibly over several processes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from engine.domain.ids import Nanos, SessionId
from engine.domain.money import Currency


@unique
class SessionStatus(Enum):
    ACTIVE = "active"
    COMPLETED = "completed"
    CRASHED = "crashed"


@unique
class Mode(Enum):
    """PAPER never reaches a live order path; the store is stamped with it."""

    PAPER = "paper"
    LIVE = "live"
    REPLAY = "replay"


@dataclass(frozen=True)
class Session:
    id: SessionId
    started_at: Nanos
    mode: Mode
    venue: str
    feed: str
    status: SessionStatus = SessionStatus.ACTIVE
    ended_at: Nanos | None = None


@dataclass(frozen=True)
class Account:
    """Money of one currency. `cash + tied == initial + realised - fees`, always, exactly."""

    currency: Currency
    initial: Decimal
    cash: Decimal
    realised: Decimal = Decimal(0)
    """Gross profit of everything closed this session."""
    fees: Decimal = Decimal(0)
    trades: int = 0
    wins: int = 0
    high_water: Decimal = Decimal(0)
    """Highest equity, open profit included; the drawdown limit counts from it."""
    forgiven: Decimal = Decimal(0)
    """Loss over which a person lifted the kill switch; the loss limit counts what comes on top."""
