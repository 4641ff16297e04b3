"""The sessions of the store as far as they have been told: rows first, then what became of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engine.domain.balance import PositionBook, Proof, prove
from engine.domain.event import Entry, RecoveryDecided, SessionCrashed, SessionStarted
from engine.domain.ids import SessionId
from engine.domain.session import Carryover, SessionStatus
from engine.link.protocol import EngineLink
from engine.link.protocol_past import (
    AskBooks,
    AskSession,
    AskSessions,
    NoPast,
    PastSession,
    SessionRecord,
)

BOOKS_MAX: Final = 20_000
"""Positions that a proof on screen reads; `holdfast sessions` proves any number."""


@dataclass(slots=True)
class Sessions:
    """What screen 6 shows. Figures that were not told yet are absent, never guessed."""

    rows: dict[SessionId, PastSession] = field(default_factory=dict)
    """Newest first."""
    total: int = 0
    records: dict[SessionId, SessionRecord] = field(default_factory=dict)
    proofs: dict[SessionId, Proof] = field(default_factory=dict)
    unproved: dict[SessionId, str] = field(default_factory=dict)
    """Why a session's balance was not checked."""
    why: str = ""
    """Why nothing can be told; empty: it can."""
    is_asking: bool = False
    selected: SessionId | None = None
    """The session under the cursor."""
    round: int = 0
    """Changes whenever something new was told."""

    async def learn(self, link: EngineLink, on_news: Callable[[], None]) -> None:
        """Ask for everything, newest first; `on_news` is called after every answer."""
        self.is_asking, self.why = True, ""
        try:
            told = await link.ask(AskSessions())
            self.rows, self.total = {row.id: row for row in told.rows}, told.total
            self._told(on_news)
            for row in told.rows:
                if not self._is_known(row):
                    await self._learn_one(link, row)
                    self._told(on_news)
        except ConnectionError as error:
            self.why = str(error)
        finally:
            self.is_asking = False
            self._told(on_news)

    def _is_known(self, row: PastSession) -> bool:
        """Return whether a row's record cannot change any more: it ended, and so did the next."""
        newest = next(iter(self.rows), None)
        is_over = row.status is not SessionStatus.ACTIVE and row.id != newest
        return is_over and row.id in self.records and row.id in self.proofs

    async def _learn_one(self, link: EngineLink, row: PastSession) -> None:
        try:
            self.records[row.id] = await link.ask(AskSession(row.id))
            await self._prove(link, row.id)
        except NoPast as error:
            self.unproved[row.id] = str(error)

    async def _prove(self, link: EngineLink, session: SessionId) -> None:
        books = await link.ask(AskBooks(session))
        positions: list[PositionBook] = [*books.positions]
        while books.next is not None and len(positions) <= BOOKS_MAX:
            books = await link.ask(AskBooks(session, books.next))
            positions += books.positions
        if books.next is not None:
            self.unproved[session] = f"more than {BOOKS_MAX:,} positions"
            return
        if books.sessions:
            self.proofs[session] = prove(books.sessions, positions)[0]

    def _told(self, on_news: Callable[[], None]) -> None:
        self.round += 1
        on_news()

    # What is asked of it.

    def balance(self, session: SessionId) -> str:
        """Return OK, BROKEN, or nothing while it is not known."""
        proof = self.proofs.get(session)
        if proof is None:
            return "unchecked" if session in self.unproved else ""
        return "OK" if proof.is_ok else "BROKEN"

    def crashes(self, session: SessionId) -> list[Entry]:
        """Return the crashes of a session, oldest first."""
        record = self.records.get(session)
        report = record.report if record is not None else ()
        return [entry for entry in report if isinstance(entry.event, SessionCrashed)]


def carried(record: SessionRecord) -> Carryover | None:
    """Return what a session took over."""
    starts = (e.event.carried for e in record.report if isinstance(e.event, SessionStarted))
    return next(starts, None)


def decision_after(record: SessionRecord, crash: Entry) -> Entry | None:
    """Return the decision that followed a crash."""
    return next(
        (e for e in record.report if e.seq > crash.seq and isinstance(e.event, RecoveryDecided)),
        None,
    )
