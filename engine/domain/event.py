"""Facts. Past tense, immutable, complete: replaying them needs no clock, market or venue."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from engine.domain.event_decision import (
    DecisionAsked,
    DecisionTaken,
    DecisionWithdrawn,
    OrderAdopted,
)
from engine.domain.event_operator import (
    CommandAccepted,
    CommandRefused,
    FlattenLatched,
    FlatVerified,
    LatchLifted,
    StopChanged,
)
from engine.domain.event_recovery import GapJudged, RecoverySettled
from engine.domain.event_session import (
    EntriesAllowed,
    EntriesBlocked,
    FeedChanged,
    InstrumentListed,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
)
from engine.domain.event_shadow import Levels, ShadowEnded
from engine.domain.event_strategy import (
    SignalAccepted,
    SignalRefused,
    StrategyChanged,
    StrategyFailed,
    StrategyNoted,
    StrategyRemembered,
)
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId, PositionId, Seq
from engine.domain.money import Money, Price
from engine.domain.order import ExitReason, Fill, Order
from engine.domain.records import dataclass

__all__ = [
    "CancelRequested",
    "CloseRearmed",
    "CommandAccepted",
    "CommandRefused",
    "DecisionAsked",
    "DecisionTaken",
    "DecisionWithdrawn",
    "EntriesAllowed",
    "EntriesBlocked",
    "Entry",
    "Event",
    "FeedChanged",
    "FlatVerified",
    "FlattenLatched",
    "GapJudged",
    "InstrumentListed",
    "LatchLifted",
    "Levels",
    "Mark",
    "OrderAccepted",
    "OrderAdopted",
    "OrderCancelled",
    "OrderFilled",
    "OrderRejected",
    "OrderRequested",
    "OrderTimedOut",
    "Peak",
    "PeaksRaised",
    "QuotesMarked",
    "RecoveryDecided",
    "RecoverySettled",
    "Resumed",
    "SessionCrashed",
    "SessionEnded",
    "SessionStarted",
    "ShadowEnded",
    "SignalAccepted",
    "SignalRefused",
    "StopChanged",
    "StopFired",
    "StrategyChanged",
    "StrategyFailed",
    "StrategyNoted",
    "StrategyRemembered",
]


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """We intend to send `order`. Journaled before the venue hears of it."""

    order: Order
    cause: CommandId | None = None


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The venue has the order."""

    order: OrderId
    venue_order: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """The venue executed (part of) an order."""

    fill: Fill
    oi: Decimal | None = None
    """Open interest at that moment; for an entry it becomes the OI stop's base."""


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The venue refused an order; nothing (more) is traded."""

    order: OrderId
    reason: str
    """Venue's kind of reason: insufficient_funds, lot_size, tick_size, market_closed, …"""
    text: str = ""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    order: OrderId
    cause: CommandId | None = None


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    order: OrderId
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderTimedOut:
    """No answer in time: the outcome is unknown until the venue gives evidence."""

    order: OrderId


@dataclass(frozen=True, slots=True)
class Peak:
    """Highest and lowest price of an instrument since the last entry that named it."""

    instrument: InstrumentId
    high: Price | None
    low: Price | None


@dataclass(frozen=True, slots=True)
class PeaksRaised:
    """New extremes, conflated to the last value per commit (E-51): one row, many instruments."""

    peaks: tuple[Peak, ...]
    equity: tuple[Money, ...] = ()
    """Accounts whose equity is higher than ever; told where a drawdown is limited."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Last price and session sums of an instrument with an open position."""

    instrument: InstrumentId
    last: Price
    at: Nanos
    turnover: Decimal
    volume: Decimal
    session_start: Nanos
    oi: Decimal | None = None


@dataclass(frozen=True, slots=True)
class QuotesMarked:
    """What the market last said, so that a restart knows VWAP sums and last prices."""

    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class StopFired:
    """A rule decided to close a position, having seen a price."""

    position: PositionId
    reason: ExitReason
    price: Price
    """Price that the rule saw; also the first tradable price on paper."""
    price_at: Nanos
    source: str
    age: Nanos
    """How old that price was when it was judged."""
    gap: Decimal | None
    """How far beyond the level the price was, in price units (0 for a touch)."""


@dataclass(frozen=True, slots=True)
class CloseRearmed:
    """A close failed; protection is back at `at` (at most 1 s later)."""

    position: PositionId
    order: OrderId
    why: str
    at: Nanos


Event: TypeAlias = (
    SessionStarted
    | SessionEnded
    | SessionCrashed
    | RecoveryDecided
    | GapJudged
    | RecoverySettled
    | Resumed
    | InstrumentListed
    | SignalAccepted
    | SignalRefused
    | OrderRequested
    | OrderAccepted
    | OrderFilled
    | OrderRejected
    | CancelRequested
    | OrderCancelled
    | OrderTimedOut
    | PeaksRaised
    | QuotesMarked
    | StopFired
    | CloseRearmed
    | ShadowEnded
    | StopChanged
    | EntriesBlocked
    | EntriesAllowed
    | FlattenLatched
    | FlatVerified
    | LatchLifted
    | CommandAccepted
    | CommandRefused
    | StrategyChanged
    | StrategyRemembered
    | StrategyNoted
    | StrategyFailed
    | FeedChanged
    | DecisionAsked
    | DecisionTaken
    | DecisionWithdrawn
    | OrderAdopted
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the journal."""

    seq: Seq
    at: Nanos
    event: Event
