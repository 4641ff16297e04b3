"""The projections compared with the journal, row by row, and rebuilt from it on request (E-55)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from engine.domain import event as ev
from engine.domain.errors import DomainError
from engine.domain.evolve import fold
from engine.domain.position import Position
from engine.domain.state import State
from engine.ports.journal import JournalRefused
from engine.store import tables
from engine.store.amounts import stored, text_of
from engine.store.codec import CodecError
from engine.store.projections import project
from engine.store.rows import entry_of
from engine.store.schema import AMOUNTS, TABLES
from engine.store.tables import SqlRow, Table

_CHUNK: Final = 500
_EVENTS: Final = "SELECT seq, at_ns, type, version, payload FROM events ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of a table that does not follow from the journal."""

    table: str
    key: str
    column: str
    """Empty: the whole row is missing or superfluous."""
    stored: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.table} {self.key}" + (f" {self.column}" if self.column else "")
        return f"{where}: is {self.stored}, the journal says {self.expected}"


def rebuilt(db: sqlite3.Connection) -> sqlite3.Connection:
    """Return an in-memory database with the projections that the journal in `db` leads to.

    Raises JournalRefused if an entry cannot be replayed.
    """
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    for statement in TABLES:
        fresh.execute(statement)
    state = State()
    entries = (entry_of(*row) for row in db.execute(_EVENTS))
    fresh.execute("BEGIN")
    try:
        for chunk in _chunks(entries):
            after = fold(chunk, state)
            project(state, chunk, after).write(fresh)
            state = after
    except (CodecError, DomainError, LookupError) as error:
        fresh.close()
        raise JournalRefused(f"after entry {state.seq}: cannot be replayed: {error}") from error
    fresh.execute("COMMIT")
    return fresh


def _chunks(entries: Iterator[ev.Entry]) -> Iterator[list[ev.Entry]]:
    while chunk := list(islice(entries, _CHUNK)):
        yield chunk


def differences(db: sqlite3.Connection) -> list[Difference]:
    """Return everything in the projections of `db` that its journal does not say."""
    fresh = rebuilt(db)
    try:
        return [d for table in tables.ALL for d in _compared(table, db, fresh)]
    finally:
        fresh.close()


_OPEN: Final = (
    "SELECT position_id, symbol, side, qty, entry_price, stop_loss, take_profit "
    "FROM positions WHERE status = 'active'"
)
_OPEN_COLUMNS: Final = ("symbol", "side", "qty", "entry_price", "stop_loss", "take_profit")


def open_differences(db: sqlite3.Connection, state: State) -> list[Difference]:
    """Return where the rows of open positions are not what `state`, the journal's fold, says.

    Costs what is open, not what ever was: done at every start. `differences` compares everything.
    """
    present = {str(row[0]): tuple(row[1:]) for row in db.execute(_OPEN)}
    expected = {str(p.id): _open_row(p) for p in state.positions.values()}
    found: list[Difference] = []
    for key in [*expected, *(k for k in present if k not in expected)]:
        was, is_ = present.get(key), expected.get(key)
        if was is None or is_ is None:
            found.append(Difference("positions", key, "", _presence(was), _presence(is_)))
            continue
        found += _unequal("positions", key, _OPEN_COLUMNS, was, is_)
    return found


def _open_row(position: Position) -> SqlRow:
    return (
        str(position.instrument),
        position.side.value,
        stored(position.qty),
        stored(position.entry),
        None if position.stop_loss is None else stored(position.stop_loss),
        None if position.take_profit is None else stored(position.take_profit),
    )


def repair(db: sqlite3.Connection) -> list[Difference]:
    """Replace the projections by what the journal says, in one transaction; return what changed."""
    fresh = rebuilt(db)
    db.execute("BEGIN IMMEDIATE")
    try:
        found = [d for table in tables.ALL for d in _compared(table, db, fresh)]
        for table in reversed(tables.ALL):  # children before parents
            db.execute(f"DELETE FROM {table.name}")  # noqa: S608 -- a constant
        for table in tables.ALL:
            table.upsert.write(db, tuple(_rows(table, fresh)))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    finally:
        fresh.close()
    return found


def _rows(table: Table, db: sqlite3.Connection) -> Iterator[SqlRow]:
    query = f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 -- constants
    yield from db.execute(query)


def _keyed(table: Table, db: sqlite3.Connection) -> dict[SqlRow, SqlRow]:
    places = [table.columns.index(name) for name in table.key]
    return {tuple(row[i] for i in places): row for row in _rows(table, db)}


def _compared(
    table: Table, db: sqlite3.Connection, fresh: sqlite3.Connection
) -> Iterator[Difference]:
    present, expected = _keyed(table, db), _keyed(table, fresh)
    for key in [*expected, *(k for k in present if k not in expected)]:
        name = "/".join(str(part) for part in key)
        was, is_ = present.get(key), expected.get(key)
        if was is None or is_ is None:
            yield Difference(table.name, name, "", _presence(was), _presence(is_))
            continue
        yield from _unequal(table.name, name, table.columns, was, is_)


def _unequal(
    table: str, key: str, columns: Sequence[str], was: SqlRow, is_: SqlRow
) -> Iterator[Difference]:
    for column, old, new in zip(columns, was, is_, strict=True):
        present, expected = _shown(column, old), _shown(column, new)
        if present != expected:
            yield Difference(table, key, column, present, expected)


def _shown(column: str, value: str | int | float | None) -> str:
    """Return a value as differences name it: an amount is the same however it was typed."""
    return repr(value if value is None or column not in AMOUNTS else text_of(value))


def _presence(row: SqlRow | None) -> str:
    return "missing" if row is None else "present"
