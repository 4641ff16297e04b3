"""Everything that can be given to `decide`. A restart and the passing of time are inputs too."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from engine.domain.command import Command
from engine.domain.decision import Choice
from engine.domain.event import (
    DecisionAsked,
    DecisionWithdrawn,
    EntriesAllowed,
    EntriesBlocked,
    FeedChanged,
    Mark,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderTimedOut,
    Peak,
    RecoveryDecided,
    RecoverySettled,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
    ShadowEnded,
    SignalRefused,
    StrategyChanged,
    StrategyFailed,
    StrategyNoted,
    StrategyRemembered,
)
from engine.domain.gap import Gap
from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick, Traded
from engine.domain.money import Money
from engine.domain.truth import Execution

VenueReport: TypeAlias = (
    OrderAccepted | OrderFilled | OrderRejected | OrderCancelled | OrderTimedOut
)
StrategyReport: TypeAlias = (
    StrategyChanged | StrategyRemembered | StrategyNoted | StrategyFailed | SignalRefused
)
Notice: TypeAlias = EntriesBlocked | EntriesAllowed | FeedChanged
"""What gates and feeds report; journaled as it is unless it changes nothing."""


@dataclass(slots=True)
class Crossing:
    """A tick that left its band: these positions have to be judged."""

    tick: Tick
    due: tuple[PositionId, ...]
    peak: Peak | None
    """Extremes since the last PeaksRaised of this instrument, this tick included."""
    equity: tuple[Money, ...] = ()
    """Highest equity of accounts since the last PeaksRaised; for the drawdown limit."""


@dataclass(slots=True)
class BarSeen:
    """A bar of a recording: each position walks its path (interfaces.md, Bars)."""

    bar: Bar
    path: str
    """pessimistic, ohlc or olhc."""
    peak: Peak | None = None


@dataclass(slots=True)
class Reported:
    """What the venue says of an order, and the extremes that belong before it."""

    report: VenueReport
    peak: Peak | None = None


@dataclass(slots=True)
class TimePassed:
    """The clock moved on; lets timed rules fire in a silent market and conflated values out."""

    peaks: tuple[Peak, ...] = ()
    marks: tuple[Mark, ...] = ()
    due: tuple[PositionId, ...] = ()
    """Positions to judge although nothing ticks: a timed rule is due, or protection is back."""
    equity: tuple[Money, ...] = ()


@dataclass(slots=True)
class Listing:
    """An instrument is about to be traded for the first time in this session."""

    instrument: Instrument


@dataclass(slots=True)
class GapSeen:
    """What looking back at a gap came to (E-63)."""

    gaps: tuple[Gap, ...]
    peaks: tuple[Peak, ...]
    """Extremes of the gap, and of the market since (the core adds what it has not journaled)."""
    policy: Choice
    """What is done if nobody answers."""
    due_at: Nanos | None = None
    """When the policy acts; None: it waits for a person."""
    is_answered: bool = False
    """Nobody is there to be asked: the policy acts at once."""
    traded: tuple[Traded, ...] = ()
    """What was traded meanwhile: it belongs to the session's VWAP."""
    can_book: bool = False
    """The venue is on paper: an exit can be booked inside the gap."""
    shadows: tuple[ShadowEnded, ...] = ()
    """What would have ended meanwhile of what was taken from its rules by hand."""


@dataclass(slots=True)
class Proof:
    """Executions that lead exactly from what is open here to what is open at the venue."""

    instrument: InstrumentId
    here: Decimal
    there: Decimal
    fills: tuple[Execution, ...]


Question: TypeAlias = DecisionAsked | DecisionWithdrawn
"""What reconciliation asks a person, and takes back; journaled unless it changes nothing."""
Opening: TypeAlias = SessionStarted | SessionCrashed | RecoveryDecided | Resumed
"""How a process takes over a journal, entry by entry."""
Fact: TypeAlias = (
    Listing | StrategyReport | Notice | Opening | SessionEnded | RecoverySettled | Question
)
"""What is journaled as it is."""

Input: TypeAlias = Crossing | BarSeen | Reported | TimePassed | GapSeen | Proof | Fact | Command
