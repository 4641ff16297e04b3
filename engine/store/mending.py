"""Rows of positions that the journal does not call open, put right while the engine runs (E-43)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from engine.domain.ids import InstrumentId, PositionId
from engine.domain.truth import OpenRow
from engine.ports.journal import JournalRefused, NotWritten
from engine.store import audit
from engine.store.amounts import text_of
from engine.store.sqlite import SqliteJournal
from engine.store.tables import POSITIONS, SqlRow

_OPEN: Final = "SELECT position_id, symbol, side, qty FROM positions WHERE status = 'active'"
_ID: Final = POSITIONS.columns.index("position_id")
_STATUS: Final = POSITIONS.columns.index("status")


class Mending:
    """Implements engine.ports.tables.Tables on a store."""

    def __init__(self, store: SqliteJournal, path: Path) -> None:
        self._store, self._path = store, path

    async def open_rows(self) -> list[OpenRow]:
        """Return the rows that say a position is open, after everything committed so far."""
        return await self._store.on_writer(_open_rows)

    async def mend(self, positions: Collection[PositionId]) -> list[str]:
        """Replace or remove the rows of `positions`; the journal is replayed in another thread."""
        wanted = tuple(positions)
        expected = await asyncio.to_thread(_expected, self._path, wanted)
        work = self._store.on_writer(lambda db: _put(db, wanted, expected))
        try:
            return await asyncio.shield(work)
        except sqlite3.Error as error:
            raise NotWritten(f"{self._path}: {error}") from error


def _open_rows(db: sqlite3.Connection) -> list[OpenRow]:
    return [
        OpenRow(PositionId(str(id_)), InstrumentId(str(symbol)), str(side), text_of(qty))
        for id_, symbol, side, qty in db.execute(_OPEN)
    ]


def _expected(path: Path, wanted: Collection[PositionId]) -> dict[PositionId, SqlRow]:
    """Return the rows of `wanted` that the journal leads to."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("BEGIN")
        fresh = audit.rebuilt(db)
    except sqlite3.Error as error:
        raise JournalRefused(f"{path}: cannot be read: {error}") from error
    finally:
        db.close()
    try:
        query = f"SELECT {', '.join(POSITIONS.columns)} FROM positions"  # noqa: S608 -- constants
        return {
            PositionId(str(row[_ID])): row for row in fresh.execute(query) if row[_ID] in wanted
        }
    finally:
        fresh.close()


def _put(
    db: sqlite3.Connection,
    wanted: Collection[PositionId],
    expected: Mapping[PositionId, SqlRow],
) -> list[str]:
    """Write in one transaction. A row that is active by the journal is not touched: it may have
    been closed since it was replayed, while a closed one never changes again.
    """
    done: list[str] = []
    db.execute("BEGIN IMMEDIATE")
    try:
        for id_ in wanted:
            row = expected.get(id_)
            if row is None:
                db.execute("DELETE FROM positions WHERE position_id = ?", (id_,))
                done.append(f"{id_}: removed, the journal has no such position")
            elif row[_STATUS] != "active":
                POSITIONS.upsert.write(db, (row,))
                done.append(f"{id_}: {row[_STATUS]} again, as the journal says")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return done
