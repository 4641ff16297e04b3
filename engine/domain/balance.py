"""Proof of balance: what sessions and trades say of money must add up, to the last unit.

Opening equity + realised + change of open profit - fees = closing equity, per session, and every
session opens with what the one before closed with. Pure: figures come from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise

from engine.domain.money import EXACT, ZERO, Currency, plain
from engine.domain.records import dataclass
from engine.domain.session import Account


@dataclass(frozen=True, slots=True)
class SessionBook:
    """What the row of a session says; `closing` (of its first account) is None while it runs."""

    session: str
    accounts: tuple[Account, ...]
    closing: Decimal | None
    is_carried: bool = True
    """False for a replay: each begins with its own capital."""


@dataclass(frozen=True, slots=True)
class PositionBook:
    """What the row of a position says; `pnl` is None while it is open, `cost` once it is closed."""

    position: str
    session: str
    currency: Currency
    gross: Decimal
    fees: Decimal
    pnl: Decimal | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether one session adds up; `breaks` names the row that does not, and by how much."""

    session: str
    breaks: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.breaks

    def __str__(self) -> str:
        return "OK" if self.is_ok else f"BROKEN: {self.breaks}"


def prove(sessions: Sequence[SessionBook], positions: Sequence[PositionBook]) -> tuple[Proof, ...]:
    """Return one proof per session; `sessions` oldest first."""
    with localcontext(EXACT):
        following: Mapping[str, SessionBook] = {a.session: b for a, b in pairwise(sessions)}
        proofs = []
        for book in sessions:
            after = following.get(book.session)
            rows = [row for row in positions if row.session == book.session]
            breaks = _rows(rows) or (_carried(book, after) if after else _held(book, positions))
            proofs.append(Proof(book.session, breaks))
        return tuple(proofs)


def _rows(rows: Sequence[PositionBook]) -> str:
    for row in rows:
        if row.pnl is not None and row.pnl != row.gross - row.fees:
            off = row.pnl - row.gross + row.fees
            return f"position {row.position}: P&L is off by {plain(off)} {row.currency}"
    return ""


def _carried(book: SessionBook, after: SessionBook) -> str:
    """Check an earlier session against what the one after it took over."""
    if not after.is_carried:
        return ""
    opened = {account.currency: account for account in after.accounts}
    for index, account in enumerate(book.accounts):
        opening = opened.get(account.currency)
        if opening is None:
            continue
        off = opening.initial - account.booked - opening.carried
        if off:
            what = f"session {after.session} opened off by {plain(off)} {account.currency}"
            return f"{what} from what session {book.session} made"
        if index == 0 and book.closing is not None and book.closing != opening.initial:
            off = book.closing - opening.initial
            return f"session {book.session}: closing equity is off by {plain(off)}"
    return ""


def _held(book: SessionBook, positions: Sequence[PositionBook]) -> str:
    """Check the newest session against what is open."""
    for account in book.accounts:
        costs = (p.cost for p in positions if p.pnl is None and p.currency == account.currency)
        off = account.cash + sum((c for c in costs if c is not None), ZERO) - account.booked
        if off:
            return f"session {book.session}: {account.currency} is off by {plain(off)}"
    return ""
