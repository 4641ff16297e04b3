"""The past, as consoles ask for it (C-15): questions, and what each is answered with.

An answer is of one moment of the store and bounded in size. Entries come in pages that stay
encoded until they are needed: `EngineLink.unfold` makes entries of one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar

from engine.domain.balance import PositionBook, SessionBook
from engine.domain.event import Entry
from engine.domain.ids import Nanos, Seq, SessionId
from engine.domain.records import dataclass
from engine.domain.session import Mode, SessionStatus
from engine.domain.state import State

A = TypeVar("A")


class NoPast(ConnectionError):
    """The engine answered and cannot tell: nothing is kept, or the store does not say."""


class Asks(Generic[A]):
    """A question that is answered with an A."""


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session as its row says; amounts are of its first account."""

    id: SessionId
    started_at: Nanos
    ended_at: Nanos | None
    status: SessionStatus
    mode: Mode
    venue: str
    feed: str
    currency: str | None
    opening: Decimal | None
    closing: Decimal | None
    pnl: Decimal | None
    pnl_pct: Decimal | None
    fees: Decimal | None
    trades: int
    wins: int


@dataclass(frozen=True, slots=True)
class PastSessions:
    """The newest sessions first."""

    total: int
    rows: tuple[PastSession, ...]


@dataclass(frozen=True, slots=True)
class PastCheckpoint:
    """A checkpoint: what was open and how many trades were closed then."""

    at: Nanos
    seq: Seq
    positions: int
    trades: int


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Where a session lies in the journal, and what became of it."""

    session: SessionId
    first: Seq
    last: Seq
    """Last entry when this was asked; the running session goes on."""
    open: int
    """Positions open after it."""
    report: tuple[Entry, ...]
    """Its start and end, and every crash, decision and resumption between."""
    checkpoints: tuple[PastCheckpoint, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True)
class Books:
    """What a proof of a session's balance reads, one page of its positions."""

    sessions: tuple[SessionBook, ...]
    """The session, and the one that followed it."""
    positions: tuple[PositionBook, ...]
    next: int | None
    """Ask for what comes after this; None: that was all."""


@dataclass(frozen=True, slots=True)
class StartState:
    """A state that the journal went through before a session; the empty one if none was kept."""

    state: State


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries in order, still encoded."""

    after: Seq
    last: Seq
    """The last entry in it; equal to `after`: there is none."""
    body: bytes


@dataclass(frozen=True, slots=True)
class AskSessions(Asks[PastSessions]):
    """Ask which sessions there were."""

    limit: int = 200


@dataclass(frozen=True, slots=True)
class AskSession(Asks[SessionRecord]):
    """Ask what became of a session."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class AskBooks(Asks[Books]):
    """Ask what the money of a session consists of."""

    session: SessionId
    after: int = 0


@dataclass(frozen=True, slots=True)
class AskStart(Asks[StartState]):
    """Ask from which state on a session can be folded."""

    session: SessionId


@dataclass(frozen=True, slots=True)
class AskEntries(Asks[EntryPage]):
    """Ask what happened after an entry, up to another one."""

    after: Seq
    until: Seq


Question: TypeAlias = AskSessions | AskSession | AskBooks | AskStart | AskEntries
