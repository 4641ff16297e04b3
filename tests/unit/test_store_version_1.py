"""A store that version 1 of the tables wrote is brought to this program's tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.domain.ids import Nanos, Seq
from engine.domain.session import Mode
from engine.store import watermark
from engine.store.audit import differences
from engine.store.chain import Head
from engine.store.schema import APPLICATION_ID, SCHEMA_VERSION
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp

DUMP = Path(__file__).parents[1] / "data" / "store-v1.sql"
STAMP = Stamp(Mode.PAPER, "paper")


def old_store(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript(DUMP.read_text())
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")
    db.execute("PRAGMA journal_mode = WAL")
    seq, hash_ = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    db.close()
    watermark.Watermark(watermark.beside(path), Head(Seq(seq), hash_)).close()


async def test_its_amounts_become_numbers_and_every_row_is_what_the_journal_says(
    tmp_path: Path,
) -> None:
    path = tmp_path / "holdfast.db"
    old_store(path)
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        assert journal.recovered.state.seq == 144
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert differences(db) == []
        kinds = db.execute("SELECT DISTINCT typeof(pnl) FROM trading_sessions").fetchall()
        assert kinds == [("real",)]
        counts = [
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("positions", "orders", "fills", "trading_sessions")
        ]
    assert counts == [20, 45, 49, 2]
    assert path.with_name("holdfast.db.v1.backup").exists()
