"""Facts about sessions, what is traded in them, and what holds entries back."""

from __future__ import annotations

from engine.domain.ids import Nanos, SessionId
from engine.domain.instrument import Instrument
from engine.domain.money import Money
from engine.domain.records import dataclass
from engine.domain.risk import Limits
from engine.domain.session import Carryover, DayResult, Mode, Recovery, SessionStatus
from engine.domain.stop import ExitRule


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
    earlier: tuple[DayResult, ...] = ()
    """What sessions of the same day made before; at most one per currency."""
    carried: Carryover | None = None
    """What is taken over from the session before; one entry, so that no part of it can be lost."""
    absent_since: Nanos | None = None
    """Since when nobody watched the positions that it takes over; None: there is no gap to judge,
    or the entry is from before this was kept."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    session: SessionId
    status: SessionStatus
    by: str


@dataclass(frozen=True, slots=True)
class SessionCrashed:
    """A session was found still active although its engine is dead (E-60)."""

    session: SessionId
    last_at: Nanos
    """When the dead engine made its last entry."""
    away: Nanos
    """How long ago that was when it was found."""
    positions: int
    """Open then."""
    orders: int
    """Not final then."""


@dataclass(frozen=True, slots=True)
class RecoveryDecided:
    """What is done with a crashed session, and who chose it (E-68)."""

    session: SessionId
    choice: Recovery
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """A process took over this journal; the market is unknown until it ticks again."""

    pid: int = 0
    reason: str = ""
    absent_since: Nanos | None = None
    """Since when nobody watched what is open, after an orderly end; None: nothing is, or it was a
    crash, which has its own entry."""


@dataclass(frozen=True, slots=True)
class InstrumentListed:
    """The terms of an instrument that is traded in this session."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class EntriesBlocked:
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class EntriesAllowed:
    source: str


@dataclass(frozen=True, slots=True)
class FeedChanged:
    """A feed was lost, found silent, or is back."""

    feed: str
    is_up: bool
    why: str
