"""Orders, their life, and fills."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique

from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId, PositionId, StrategyName
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.records import dataclass


@unique
class Side(Enum):
    """Which way an order trades, or a position stands; `sign` turns a quantity signed."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def standing(self) -> str:
        """The word for a position on this side."""
        return "long" if self is Side.BUY else "short"


@unique
class OrderType(Enum):
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


@unique
class OrderStatus(Enum):
    """`REQUESTED` is durable and may be on its way; `UNKNOWN` waits for evidence."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@unique
class ExitKind(Enum):
    """Why a position was closed, as a closed set; the open part is `ExitReason.code`."""

    RULE = "rule"
    MANUAL = "manual"
    RISK = "risk"
    RECONCILED = "reconciled"


@dataclass(frozen=True, slots=True)
class ExitReason:
    """Why a position is closed. `code` is what trades and reports show."""

    kind: ExitKind
    code: str
    """stop_loss_hit, trailing_stop_hit, …, manual, risk_limit, closed_at_venue."""
    rule: str | None = None
    """Registered name of the rule that fired."""
    also_fired: tuple[str, ...] = ()
    """Exit reasons of the other rules that fired on the same tick."""
    level: Decimal | None = None
    """What the rule compared the price with."""
    note: str = ""
    """What the person who closed it wrote."""
    by: str = ""
    """Who asked for it by hand; empty: nobody, or the journal is from before this was kept."""


@dataclass(frozen=True, slots=True)
class Order:
    """An intent to trade; `exit` is set exactly when it closes (part of) a position."""

    id: OrderId
    instrument: InstrumentId
    side: Side
    qty: Qty
    position: PositionId
    type: OrderType = OrderType.MARKET
    price: Price | None = None
    """Limit price, or trigger of a stop or take-profit order; None for a market order."""
    exit: ExitReason | None = None
    strategy: StrategyName | None = None
    stop_loss: Price | None = None
    """Absolute stop that the opened position starts with."""
    take_profit: Price | None = None
    reference: Price | None = None
    """The price that the decision saw."""
    reference_at: Nanos | None = None
    reference_source: str | None = None


@dataclass(frozen=True)
class WorkingOrder:
    """An order that is not final, and what has become of it so far."""

    order: Order
    status: OrderStatus
    requested_at: Nanos
    filled: Decimal = ZERO
    cancel_requested: bool = False
    venue_order: str | None = None
    fills: tuple[FillId, ...] = ()
    """Executions already applied: each acts once."""
    adopted: bool = False
    """The venue executed it without us; `venue_order` is what it is called there."""

    @property
    def remaining(self) -> Decimal:
        return self.order.qty - self.filled


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of (part of) an order."""

    id: FillId
    order: OrderId
    price: Price
    qty: Qty
    fee: Money
    at: Nanos
