"""Facts. Past tense, immutable, complete: replaying them needs no clock, market or venue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from engine.domain.ids import (
    CommandId,
    InstrumentId,
    Nanos,
    OrderId,
    PositionId,
    Seq,
    SessionId,
    StrategyName,
)
from engine.domain.instrument import Instrument
from engine.domain.money import Money, Price
from engine.domain.order import ExitReason, Fill, Order
from engine.domain.risk import LatchCause, Limits
from engine.domain.session import Mode, SessionStatus
from engine.domain.signal import Signal
from engine.domain.stop import ExitRule
from engine.domain.strategy import Phase


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """A session opened with `cash` (carried over, or from configuration)."""

    session: SessionId
    mode: Mode
    venue: str
    feed: str
    cash: tuple[Money, ...]
    rules: tuple[ExitRule, ...]
    """Exit rules in force, in the order of the specification's table."""
    limits: Limits
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionEnded:
    session: SessionId
    status: SessionStatus
    by: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """A process took over this journal; the market is unknown until it ticks again."""

    pid: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentListed:
    """The terms of an instrument that is traded in this session."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class SignalAccepted:
    signal: Signal
    order: OrderId


@dataclass(frozen=True, slots=True)
class SignalRefused:
    """Kept with its reason: `why no trade?` is answered from these."""

    signal: Signal
    reason: str


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


@dataclass(frozen=True, slots=True)
class StopChanged:
    """The operator's absolute stop and target of a position."""

    position: PositionId
    stop_loss: Price | None
    take_profit: Price | None
    cause: CommandId
    by: str


@dataclass(frozen=True, slots=True)
class EntriesBlocked:
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class EntriesAllowed:
    source: str


@dataclass(frozen=True, slots=True)
class FlattenLatched:
    cause: LatchCause
    reason: str
    by: str
    command: CommandId | None = None


@dataclass(frozen=True, slots=True)
class FlatVerified:
    """The latch is in force and nothing is open any more."""


@dataclass(frozen=True, slots=True)
class LatchLifted:
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CommandAccepted:
    """A command was understood and acts; what it caused follows."""

    command: CommandId
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command could not be carried out; the operator is told why."""

    command: CommandId
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class StrategyChanged:
    """A strategy entered a phase, or waits for something else."""

    strategy: StrategyName
    kind: str
    phase: Phase
    waits_for: str
    why: str = ""
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyRemembered:
    """A strategy's memory after a decision, as JSON."""

    strategy: StrategyName
    memory: str


@dataclass(frozen=True, slots=True)
class StrategyNoted:
    strategy: StrategyName
    text: str


@dataclass(frozen=True, slots=True)
class StrategyFailed:
    """It raised, looped or was too slow; exits and the other strategies go on."""

    strategy: StrategyName
    why: str
    traceback: str


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """A feed was lost, found silent, or is back."""

    feed: str
    is_up: bool
    why: str


Event: TypeAlias = (
    SessionStarted
    | SessionEnded
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
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the journal."""

    seq: Seq
    at: Nanos
    event: Event
