"""Rows of positions that are not what the journal says, put right while the engine runs (E-43)."""

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
_CHANGED: Final = (
    "SELECT 1 FROM events WHERE seq > ? "
    "AND type IN ('OrderFilled', 'StopChanged', 'SessionStarted') LIMIT 1"
)
"""Entries that a row of a position may follow from."""
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
        expected, seq = await asyncio.to_thread(_expected, self._path, wanted)
        work = self._store.on_writer(lambda db: _put(db, wanted, expected, seq))
        try:
            return await asyncio.shield(work)
        except sqlite3.Error as error:
            raise NotWritten(f"{self._path}: {error}") from error


def _open_rows(db: sqlite3.Connection) -> list[OpenRow]:
    return [
        OpenRow(PositionId(str(id_)), InstrumentId(str(symbol)), str(side), text_of(qty))
        for id_, symbol, side, qty in db.execute(_OPEN)
    ]


def _expected(path: Path, wanted: Collection[PositionId]) -> tuple[dict[PositionId, SqlRow], int]:
    """Return the rows of `wanted` that the journal leads to, and how far it went."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("BEGIN")
        seq = int(db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
        fresh = audit.rebuilt(db)
    except sqlite3.Error as error:
        raise JournalRefused(f"{path}: cannot be read: {error}") from error
    finally:
        db.close()
    try:
        query = f"SELECT {', '.join(POSITIONS.columns)} FROM positions"  # noqa: S608 -- constants
        rows = {
            PositionId(str(row[_ID])): row for row in fresh.execute(query) if row[_ID] in wanted
        }
        return rows, seq
    finally:
        fresh.close()


def _put(
    db: sqlite3.Connection,
    wanted: Collection[PositionId],
    expected: Mapping[PositionId, SqlRow],
    seq: int,
) -> list[str]:
    """Write in one transaction. A row that is active by the journal is written only if nothing
    since entry `seq` can have changed it, while a closed one never changes again.
    """
    done: list[str] = []
    db.execute("BEGIN IMMEDIATE")
    try:
        is_current = db.execute(_CHANGED, (seq,)).fetchone() is None
        for id_ in wanted:
            row = expected.get(id_)
            if row is None:
                db.execute("DELETE FROM positions WHERE position_id = ?", (id_,))
                done.append(f"{id_}: removed, the journal has no such position")
            elif row[_STATUS] != "active" or is_current:
                POSITIONS.upsert.write(db, (row,))
                done.append(f"{id_}: {row[_STATUS]} again, as the journal says")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return done
