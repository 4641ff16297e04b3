"""Everything that can be given to `decide`. A restart and the passing of time are inputs too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.domain.command import Command
from engine.domain.event import (
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
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
    SignalRefused,
    StrategyChanged,
    StrategyFailed,
    StrategyNoted,
    StrategyRemembered,
)
from engine.domain.ids import PositionId
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.money import Money

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


Opening: TypeAlias = SessionStarted | SessionCrashed | RecoveryDecided | Resumed
"""How a process takes over a journal, entry by entry."""
Fact: TypeAlias = Listing | StrategyReport | Notice | Opening | SessionEnded
"""What is journaled as it is."""

Input: TypeAlias = Crossing | BarSeen | Reported | TimePassed | Fact | Command
