"""Questions to a store while no engine runs, or beside one. Never writes, never checkpoints.

Rows are dictionaries of what the tables hold: amounts as decimal text, times as ISO-8601.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from engine.domain.balance import PositionBook, Proof, SessionBook, prove
from engine.domain.money import Currency
from engine.domain.session import Account, Mode
from engine.ports.journal import JournalRefused
from engine.store.amounts import text_of
from engine.store.chain import Head, genesis
from engine.store.opening import follow
from engine.store.schema import AMOUNTS, APPLICATION_ID, SCHEMA_VERSION
from engine.store.stamp import Stamp

Record: TypeAlias = dict[str, str | int | float | None]

TRADE_COLUMNS: Final = (
    "position_id AS id, session_id, symbol, strategy, direction, side, option_right, qty, "
    "entry_time, entry_price, exit_time, exit_price, exit_reason, exit_rule, exit_level, "
    "also_fired, exit_note, gross_pnl, fees, pnl, pnl_pct, currency, duration_minutes, closed_seq"
)


class StoreReader:
    """One read-only connection."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db, self._path = db, path

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[StoreReader]:
        """Open the store at `path` for reading. Raises JournalRefused if there is none."""
        if not path.exists():
            raise JournalRefused(f"{path}: there is no store")
        uri = f"{path.absolute().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0)
        try:
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA trusted_schema = OFF")
            db.row_factory = sqlite3.Row
            _require_known(db, path)
            yield cls(db, path)
        except sqlite3.DatabaseError as error:
            raise JournalRefused(f"{path}: {error}") from error
        finally:
            db.close()

    def stamp(self) -> Record:
        """Return mode, venue, account and time of creation."""
        return self._rows("SELECT mode, venue, account, created_at FROM store")[0]

    def sessions(self, limit: int = 50) -> list[Record]:
        """Return the newest sessions first."""
        return self._rows("SELECT * FROM trading_sessions ORDER BY start_time DESC LIMIT ?", limit)

    def positions(self, status: str | None = "active") -> list[Record]:
        """Return positions by their time of entry; `status` None: open and closed ones."""
        return self._rows(
            "SELECT * FROM positions WHERE ?1 IS NULL OR status = ?1 ORDER BY entry_time", status
        )

    def trades(self, session: str | None = None, limit: int = -1, after: int = 0) -> list[Record]:
        """Return trades closed after entry `after`, in the order of closing: the last `limit`."""
        query = (
            f"SELECT * FROM (SELECT {TRADE_COLUMNS} FROM positions "  # noqa: S608 -- a constant
            "WHERE status = 'closed' AND closed_seq > ?3 AND (?1 IS NULL OR session_id = ?1) "
            "ORDER BY closed_seq DESC LIMIT ?2) ORDER BY closed_seq"
        )
        return self._rows(query, session, limit, after)

    def interventions(self, session: str | None = None) -> list[Record]:
        """Return what persons did to positions, with both sides, oldest first (E-28)."""
        return self._rows(
            "SELECT * FROM shadows WHERE ?1 IS NULL OR session_id = ?1 ORDER BY seq", session
        )

    def orders(self, session: str | None = None, limit: int = -1) -> list[Record]:
        """Return orders, newest first."""
        return self._rows(
            "SELECT * FROM orders WHERE ?1 IS NULL OR session_id = ?1 "
            "ORDER BY requested_at DESC LIMIT ?2",
            session,
            limit,
        )

    def fills(self, order: str) -> list[Record]:
        """Return the executions of an order."""
        return self._rows("SELECT * FROM fills WHERE order_id = ? ORDER BY seq", order)

    def strategies(self) -> list[Record]:
        """Return all strategies by name."""
        return self._rows("SELECT * FROM strategies ORDER BY name")

    def events(self, limit: int = 50, after: int = 0) -> list[Record]:
        """Return the last `limit` entries after `after`, oldest first; `hash` is left out."""
        return self._rows(
            "SELECT * FROM (SELECT seq, at, session_id, type, payload, cause FROM events "
            "WHERE seq > ? ORDER BY seq DESC LIMIT ?) ORDER BY seq",
            after,
            limit,
        )

    def portfolio(self, after: int = 0) -> list[Record]:
        """Return account snapshots of the checkpoints with an id above `after`, oldest first."""
        return self._rows(
            "SELECT id, session_id, checkpoint_time, account_snapshot, active_positions_count, "
            "closed_trades_count, seq FROM position_checkpoints WHERE id > ? ORDER BY id",
            after,
        )

    def balance(self) -> tuple[Proof, ...]:
        """Return whether the money of each session adds up, oldest first."""
        self._db.execute("BEGIN")  # one moment of a store that an engine may be writing to
        try:
            return self._balance()
        finally:
            self._db.execute("COMMIT")

    def _balance(self) -> tuple[Proof, ...]:
        sessions = [
            SessionBook(
                row["session_id"],
                msgspec.json.decode(row["accounts"], type=tuple[Account, ...]),
                None if row["end_time"] is None else _amount(row["final_portfolio_value"]),
                row["mode"] != Mode.REPLAY.value,
            )
            for row in self._db.execute("SELECT * FROM trading_sessions ORDER BY rowid")
        ]
        positions = [
            PositionBook(
                row["position_id"],
                row["session_id"],
                Currency(row["currency"]),
                _amount(row["gross_pnl"]),
                _amount(row["fees"]),
                _amount(row["pnl"]) if row["status"] == "closed" else None,
                _amount(row["cost"]) if row["status"] == "active" else None,
            )
            for row in self._db.execute("SELECT * FROM positions ORDER BY rowid")
        ]
        return prove(sessions, positions)

    def verify_chain(self) -> Head:
        """Follow the whole hash chain; return its end. Raises JournalRefused."""
        stamp = [str(value) for value in self.stamp().values()]
        return follow(self._db, self._path, genesis(*stamp))

    def _rows(self, query: str, *values: str | int | None) -> list[Record]:
        return [_record(row) for row in self._db.execute(query, values)]


def _record(row: sqlite3.Row) -> Record:
    return {
        name: value if value is None or name not in AMOUNTS else text_of(value)
        for name, value in zip(row.keys(), row, strict=True)
    }


def _amount(value: object) -> Decimal:
    return Decimal(0) if value is None else Decimal(text_of(value))


def _require_known(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise JournalRefused(f"{path}: not a Holdfast store")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise JournalRefused(f"{path}: tables version {version}, this program has {SCHEMA_VERSION}")


def stamp_of(path: Path) -> Stamp:
    """Return what the store at `path` is for. Raises JournalRefused if there is none."""
    with StoreReader.open(path) as reader:
        record = reader.stamp()
        return Stamp(Mode(record["mode"]), str(record["venue"]), str(record["account"]))
