"""What each open position is worth and how close it is to its end, from the replica. Pure.

A hundred positions with seven rules each cost more than a frame allows, so figures are kept until
their instrument moves, and rows that nobody sees are brought up to date a few at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.money import ZERO, Price
from engine.domain.position import Position
from engine.domain.session import Account
from engine.domain.state import State
from engine.domain.stop import ExitRule, Reading, Unit, View, view_of
from tui.replica import Replica

UNSEEN_PER_FRAME: Final = 12
"""Rows out of sight that are brought up to date in one frame."""
TARGET: Final = "take_profit"


@dataclass(frozen=True, slots=True)
class Figures:
    """One position as it stands: everything a row or the stop panel shows."""

    position: Position
    instrument: Instrument | None
    quote: Quote | None
    peak: Price
    pnl: Decimal | None
    """Gross profit of what is open, before fees; None without a price."""
    gain: Decimal | None
    readings: tuple[Reading, ...] = ()
    nearest: Reading | None = None
    """The armed stop with the least room; a target is not a stop."""

    @property
    def room(self) -> Decimal | None:
        """Return the distance to the nearest stop as a ratio of its level."""
        return self.nearest.distance if self.nearest is not None else None

    def danger(self) -> tuple[int, Decimal, str]:
        """Return the sort key: closing and unpriced first, then the least room."""
        if self.position.close is not None or self.position.rearm_at is not None:
            return (0, ZERO, self.position.id)
        if self.quote is None:
            return (1, ZERO, self.position.id)
        room = self.room
        return (3, ZERO, self.position.id) if room is None else (2, room, self.position.id)


def figures(position: Position, state: State, replica: Replica, now: Nanos) -> Figures:
    """Return the figures of one position."""
    instrument = replica.instrument(position.instrument)
    quote = replica.quotes.get(position.instrument)
    peak = state.peak(position)
    if quote is None or instrument is None:
        return Figures(position, instrument, quote, peak, None, None)
    view = view_of(position, instrument, quote, now, peak)
    readings = tuple(_reading(rule, view) for rule in state.rules)
    return Figures(
        position,
        instrument,
        quote,
        view.peak,
        position.pnl(quote.last, instrument),
        position.gain(quote.last),
        readings,
        nearest(readings),
    )


def _reading(rule: ExitRule, view: View) -> Reading:
    try:
        return rule.reading(view)
    except ArithmeticError as error:
        why = f"cannot be read: {type(error).__name__}"
        return Reading(rule.code, Unit.PRICE, None, is_armed=False, why=why)


def nearest(readings: Iterable[Reading]) -> Reading | None:
    """Return the armed stop with the least room."""
    armed = [
        (reading.distance, index, reading)
        for index, reading in enumerate(readings)
        if reading.is_armed and reading.distance is not None and reading.rule != TARGET
    ]
    return min(armed)[2] if armed else None


class Book:
    """Figures of every open position, brought up to date only where something moved."""

    def __init__(self) -> None:
        self._figures: dict[PositionId, Figures] = {}
        self._stale: dict[PositionId, None] = {}
        self._state: State | None = None

    def __len__(self) -> int:
        return len(self._figures)

    def __getitem__(self, name: PositionId) -> Figures:
        return self._figures[name]

    @property
    def is_behind(self) -> bool:
        """Whether rows out of sight still wait to be brought up to date."""
        return bool(self._stale)

    def get(self, name: PositionId) -> Figures | None:
        """Return the figures of a position; None when it is not open."""
        return self._figures.get(name)

    def all(self) -> Collection[Figures]:
        """Return the figures of all open positions."""
        return self._figures.values()

    def update(
        self,
        replica: Replica,
        now: Nanos,
        moved: Collection[InstrumentId],
        seen: Collection[PositionId],
    ) -> None:
        """Bring up to date what moved: all that is seen, some of what is not."""
        state = replica.state
        if state is not self._state:
            self._positions_changed(state)
            self._state = state
        if moved:
            for name, position in state.positions.items():
                if position.instrument in moved:
                    self._stale[name] = None
        for name in seen:
            if name in self._stale:
                self._renew(name, replica, now)
        for name in tuple(self._stale)[:UNSEEN_PER_FRAME]:
            self._renew(name, replica, now)

    def _positions_changed(self, state: State) -> None:
        for name in self._figures.keys() - state.positions.keys():
            del self._figures[name]
            self._stale.pop(name, None)
        before = self._state
        same_rules = before is not None and before.rules is state.rules
        same_extremes = before is not None and before.extremes is state.extremes
        for name, position in state.positions.items():
            known = self._figures.get(name)
            if known is None or known.position is not position or not same_rules:
                instrument = known.instrument if known else None
                peak = state.peak(position)
                if known is None:
                    self._figures[name] = Figures(position, instrument, None, peak, None, None)
                self._stale[name] = None
            elif not same_extremes:
                self._stale[name] = None

    def _renew(self, name: PositionId, replica: Replica, now: Nanos) -> None:
        self._stale.pop(name, None)
        position = replica.state.positions.get(name)
        if position is not None:
            self._figures[name] = figures(position, replica.state, replica, now)


@dataclass(frozen=True, slots=True)
class Totals:
    """The account in one line."""

    currency: str
    equity: Decimal
    """Cash, money tied up and open profit."""
    day: Decimal
    """Profit since the session's start, fees and open positions included."""
    day_ratio: Decimal | None
    realised: Decimal
    """Net of fees."""
    open: Decimal
    others: int = 0
    """Accounts in other currencies."""
    is_partial: bool = False
    """A position has no price: the sum is without it."""


def totals(replica: Replica, book: Book) -> Totals | None:
    """Return the sums of the main account; None before a session exists."""
    accounts = replica.state.accounts
    if not accounts:
        return None
    account: Account = next(iter(accounts.values()))
    open_pnl, tied, is_partial = ZERO, ZERO, False
    for item in book.all():
        if item.position.currency != account.currency:
            continue
        tied += item.position.cost
        if item.pnl is None:
            is_partial = True
        else:
            open_pnl += item.pnl
    realised = account.realised - account.fees
    day = realised + open_pnl - account.carried
    ratio = day / account.initial if account.initial else None
    return Totals(
        account.currency,
        account.cash + tied + open_pnl,
        day,
        ratio,
        realised,
        open_pnl,
        len(accounts) - 1,
        is_partial,
    )
