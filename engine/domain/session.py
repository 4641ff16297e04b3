"""A trading session: from a start to an end, possibly over several processes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique

from engine.domain.ids import Nanos, PositionId, SessionId
from engine.domain.money import Currency


@unique
class SessionStatus(Enum):
    ACTIVE = "active"
    COMPLETED = "completed"
    CRASHED = "crashed"


@unique
class Recovery(Enum):
    """What is done with a session whose engine died (E-61, E-62)."""

    RESUME = "resume"
    FRESH = "fresh"


@unique
class Mode(Enum):
    """PAPER never reaches a live order path; the store is stamped with it."""

    PAPER = "paper"
    LIVE = "live"
    REPLAY = "replay"


@dataclass(frozen=True)
class Result:
    """How one account of a finished session stood when the next one took over."""

    currency: Currency
    pnl: Decimal
    """Of that session: closing less opening equity."""
    trades: int
    wins: int
    unrealised: Decimal
    """Open profit of what is held, at the last journaled prices."""
    equity: Decimal


@dataclass(frozen=True)
class Carryover:
    """What a new session takes over from a finished one (E-64)."""

    session: SessionId
    ended_at: Nanos
    results: tuple[Result, ...]
    positions: tuple[PositionId, ...] = ()
    """Held over night; they go on with their entries, stops and peaks."""


@dataclass(frozen=True)
class Session:
    id: SessionId
    started_at: Nanos
    mode: Mode
    venue: str
    feed: str
    status: SessionStatus = SessionStatus.ACTIVE
    ended_at: Nanos | None = None
    """Of a crashed session: when its last entry was made."""
    choice: Recovery | None = None
    """Decided after a crash and not carried out yet; outlives a crash during recovery."""
    carried: Carryover | None = None


@dataclass(frozen=True)
class DayResult:
    """What earlier sessions of the same day made in one currency."""

    currency: Currency
    net: Decimal
    """Realised profit less fees."""
    trades: int
    wins: int


@dataclass(frozen=True)
class Account:
    """Money of one currency. `cash + tied == initial - carried + realised - fees`, exactly."""

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
    earlier: DayResult | None = None
    """Earlier sessions of the same day; the loss limit counts them."""
    carried: Decimal = Decimal(0)
    """Open profit of positions held over night; `initial` counts it, cash does not have it yet."""

    @property
    def booked(self) -> Decimal:
        """Cash and what is tied up: the equity if all were closed at its cost."""
        return self.initial - self.carried + self.realised - self.fees

    @property
    def lost_today(self) -> Decimal:
        """Loss of everything closed today, fees included; negative for a gain."""
        before = self.earlier.net if self.earlier else Decimal(0)
        return self.fees - self.realised - before

    @property
    def trades_today(self) -> int:
        return self.trades + (self.earlier.trades if self.earlier else 0)

    @property
    def wins_today(self) -> int:
        return self.wins + (self.earlier.wins if self.earlier else 0)
