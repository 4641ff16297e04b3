"""What a killed engine is held to: what it was heard to say, against what its journal holds.

The witness keeps every acknowledgement as the bytes that the store would keep. The examiner
reads the journal from outside, counts everything again with the domain and with a book of its
own, and names whatever does not agree.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from engine.domain.errors import DomainError
from engine.domain.event import (
    CommandAccepted,
    Entry,
    OrderAdopted,
    OrderFilled,
    OrderRequested,
    SessionStarted,
    SignalAccepted,
)
from engine.domain.evolve import evolve
from engine.domain.ids import InstrumentId, OrderId, Seq
from engine.domain.money import ZERO, Currency
from engine.domain.order import Order
from engine.domain.state import State
from engine.link.protocol import Update, Welcome
from engine.store import watermark
from engine.store.chain import COLUMNS, Head, RowTuple, genesis
from engine.store.codec import encode_event, encode_state
from engine.store.rows import broken_at, entry_of
from engine.venues.paper.book import Book

Told: TypeAlias = tuple[int, str, int, str]
"""An acknowledged entry as its row has it: time, type, version, payload."""
BOOK_SLACK: Final = Decimal("1e-9")
"""The venue's book rounds the share of a partial exit in its own way; whole exits are exact."""
LOST, TWICE, LEDGER, OTHER = "lost", "twice", "ledger", "other"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a kill must not cause."""

    kind: str
    """lost, twice, ledger or other."""
    text: str
    amount: Decimal = ZERO
    """Of a ledger: the difference."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass(slots=True)
class Witness:
    """Hears an engine through its link, over all its lives."""

    told: dict[Seq, Told] = field(default_factory=dict)
    claims: dict[Seq, bytes] = field(default_factory=dict)
    """The whole state that the engine said, or that its entries led to, after an entry."""
    state: State | None = None
    """What a console would show now."""
    faults: list[Fault] = field(default_factory=list)

    def hear(self, update: Update) -> None:
        """Take in one update."""
        if isinstance(update, Welcome):
            self._welcomed(update.state)
        elif isinstance(update, Entry) and self.state is not None:
            self._heard(update, self.state)

    def settle(self) -> None:
        """Note what everything heard so far led to; call it when the engine is gone."""
        if self.state is not None:
            self.claims[self.state.seq] = encode_state(self.state)

    def _welcomed(self, state: State) -> None:
        self.faults += went_back(self.state, state)
        self.state = state
        self.claims[state.seq] = encode_state(state)

    def _heard(self, entry: Entry, state: State) -> None:
        kind, version, body = encode_event(entry.event)
        told = (entry.at, kind, version, body.decode())
        if self.told.setdefault(entry.seq, told) != told:
            self.faults.append(Fault(LOST, f"entry {entry.seq} was told anew as another one"))
        if entry.seq <= state.seq:
            return
        try:
            self.state = evolve(state, entry)
        except DomainError as error:
            self.faults.append(Fault(OTHER, f"told out of order: {error}"))


def went_back(before: State | None, after: State) -> list[Fault]:
    """Return what `after`, shown by a new engine, has lost of `before`, shown by the killed one."""
    if before is None:
        return []
    found = []
    if after.seq < before.seq:
        found.append(Fault(LOST, f"it came back at entry {after.seq}, was at {before.seq}"))
    for id_, old in before.positions.items():
        new = after.positions.get(id_)
        if new is None or new.opened_seq != old.opened_seq:
            continue  # closed meanwhile: the journal says how, and is examined
        best, was, sign = after.peak(new), before.peak(old), old.side.sign
        if (best - was) * sign < 0:
            found.append(Fault(LOST, f"{id_}: its best price was {was}, is {best}"))
    return found


class Examiner:
    """Reads a journal from outside as it grows; knows at every entry what must be true."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._head: Head | None = None
        self.state = State()
        self._book = Book({}, Decimal(1))
        self._orders: dict[OrderId, Order] = {}
        self._filled: dict[OrderId, Decimal] = {}
        self._once: set[str] = set()
        self.fills = 0

    @property
    def seq(self) -> Seq:
        return self.state.seq

    def examine(self, witness: Witness) -> list[Fault]:
        """Read what is new and return every fault, in it and in what the witness heard."""
        faults: list[Fault] = list(witness.faults)
        witness.faults.clear()
        begin = self.state.seq
        stored: dict[Seq, Told] = {}
        with closing(_read_only(self._database)) as db:
            db.execute("BEGIN")
            start = self._head or _genesis(db)
            faults += self._same_head(db, start)
            rows = _rows_after(db, start.seq)
            self._head, wrong = broken_at(rows, start)
            if wrong is not None:
                faults.append(Fault(OTHER, wrong))
            faults += self._marked(db)
        for seq, at, at_ns, _, kind, version, payload, *_ in rows:
            stored[Seq(seq)] = (at_ns, kind, version, payload)
            faults += self._follow(entry_of(seq, at_ns, kind, version, payload), witness, at)
        faults += _missing(witness, stored, begin, self.state.seq)
        faults += self._books_agree()
        return faults

    def _same_head(self, db: sqlite3.Connection, head: Head) -> Iterator[Fault]:
        row = db.execute("SELECT hash FROM events WHERE seq = ?", (head.seq,)).fetchone()
        if head.seq and (row is None or row[0] != head.hash):
            yield Fault(LOST, f"entry {head.seq} is not the one that was examined before")

    def _marked(self, db: sqlite3.Connection) -> Iterator[Fault]:
        """Compare the watermark beside the database, which may be written on meanwhile."""
        mark = watermark.read(watermark.beside(self._database))
        if mark is None:
            yield Fault(OTHER, "the watermark is gone")
            return
        row = db.execute("SELECT hash FROM events WHERE seq = ?", (mark.seq,)).fetchone()
        newer = self._head is not None and mark.seq > self._head.seq
        if mark.seq and not newer and (row is None or row[0] != mark.hash):
            yield Fault(OTHER, f"the watermark's entry {mark.seq} is not the journal's")

    def _follow(self, entry: Entry, witness: Witness, at: str) -> Iterator[Fault]:
        try:
            self.state = evolve(self.state, entry)
        except (DomainError, LookupError) as error:
            yield Fault(OTHER, f"entry {entry.seq} of {at} does not follow: {error}")
            return
        yield from self._counted(entry)
        claim = witness.claims.pop(entry.seq, None)
        if claim is not None and claim != encode_state(self.state):
            yield Fault(OTHER, f"the state shown after entry {entry.seq} is not the journal's")

    def _counted(self, entry: Entry) -> Iterator[Fault]:
        event = entry.event
        match event:
            case SessionStarted(cash=cash, limits=limits):
                held = {i: lot for i, lot in self._book.lots.items() if i in self.state.positions}
                self._book = Book({money.currency: money.amount for money in cash}, limits.leverage)
                self._book.lots = held  # what goes on over the night
            case OrderRequested(order=order):
                yield from self._first(f"order {order.id}")
                self._orders[order.id] = order
                if order.exit is not None:
                    yield from self._one_exit(order)
            case OrderAdopted(order=order):  # the venue executed it: no exit that we sent
                yield from self._first(f"order {order.id}")
                self._orders[order.id] = order
            case OrderAdopted(order=order):
                self._orders[order.id] = order
            case SignalAccepted(signal=signal):
                yield from self._first(f"signal {signal.id}")
            case CommandAccepted(command=command):
                yield from self._first(f"command {command}")
            case OrderFilled():
                yield from self._executed(event)
                yield from self._balanced(entry.seq)
            case _:
                return

    def _first(self, what: str) -> Iterator[Fault]:
        if what in self._once:
            yield Fault(TWICE, what)
        self._once.add(what)

    def _one_exit(self, order: Order) -> Iterator[Fault]:
        flying = [
            working.order.id
            for working in self.state.orders.values()
            if working.order.exit is not None and working.order.position == order.position
        ]
        if len(flying) > 1:
            yield Fault(TWICE, f"exits {', '.join(flying)} of one position at a time")

    def _executed(self, event: OrderFilled) -> Iterator[Fault]:
        fill = event.fill
        self.fills += 1
        # One execution may be dealt out among positions, to an adopted order each.
        yield from self._first(f"fill {fill.id} of {fill.order}")
        order = self._orders.get(fill.order)
        if order is None:
            yield Fault(TWICE, f"fill {fill.id} of an order that was never requested")
            return
        done = self._filled[order.id] = self._filled.get(order.id, ZERO) + fill.qty
        if done > order.qty:
            yield Fault(TWICE, f"order {order.id} of {order.qty} was filled with {done}")
        self._book.apply(order, fill, self.state.instruments[order.instrument])

    def _balanced(self, seq: Seq) -> Iterator[Fault]:
        tied: dict[Currency, Decimal] = {}
        for position in self.state.positions.values():
            tied[position.currency] = tied.get(position.currency, ZERO) + position.cost
        for currency, account in self.state.accounts.items():
            owned = account.cash + tied.get(currency, ZERO)
            off = owned - account.booked
            if off:
                yield Fault(LEDGER, f"{currency} is off by {off} after entry {seq}", abs(off))

    def _books_agree(self) -> Iterator[Fault]:
        """Compare the state with a paper venue's book that saw the same fills."""
        held: dict[InstrumentId, Decimal] = {}
        for position in self.state.positions.values():
            signed = position.side.sign * position.qty
            held[position.instrument] = held.get(position.instrument, ZERO) + signed
        held = {instrument: qty for instrument, qty in held.items() if qty}
        if held != self._book.net():
            yield Fault(LEDGER, f"positions are {held}, the venue's book says {self._book.net()}")
        for currency, account in self.state.accounts.items():
            off = abs(account.cash - self._book.cash.get(currency, ZERO))
            if off > BOOK_SLACK:
                yield Fault(LEDGER, f"{currency} cash is {off} off the venue's book", off)


def _missing(witness: Witness, stored: dict[Seq, Told], begin: Seq, end: Seq) -> Iterator[Fault]:
    """Compare what was told with the rows; what is examined is forgotten."""
    for seq in [seq for seq in witness.told if seq > begin]:
        row = stored.get(seq)
        if row != witness.told[seq]:
            what = "is not in the journal" if row is None else "is stored as another one"
            yield Fault(LOST, f"acknowledged entry {seq} {what}; the journal ends at {end}")


def _read_only(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)


def _rows_after(db: sqlite3.Connection, seq: Seq) -> list[RowTuple]:
    query = f"SELECT {COLUMNS} FROM events WHERE seq > ? ORDER BY seq"  # noqa: S608 -- a constant
    return db.execute(query, (seq,)).fetchall()


def _genesis(db: sqlite3.Connection) -> Head:
    return genesis(*db.execute("SELECT mode, venue, account, created_at FROM store").fetchone())
