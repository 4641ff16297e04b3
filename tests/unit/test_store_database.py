"""The tables as a person sees them, checkpoints, audit and repair."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.ports.journal import JournalRefused, NotWritten
from engine.store import migrations
from engine.store.amounts import text_of
from engine.store.checkpoint import SNAPSHOTS_KEPT, STATES_KEPT
from engine.store.reader import StoreReader, stamp_of
from engine.store.schema import SCHEMA_VERSION
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History, batches

STAMP = Stamp(Mode.PAPER, "paper")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as opened:
        yield opened


async def write(journal: SqliteJournal, history: History) -> None:
    state = journal.recovered.state
    for batch in batches(history.entries[state.seq :], 1):
        state = fold(batch, state)
        await journal.append(batch, state)


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def edit(path: Path, statement: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(statement)
    db.close()


async def test_named_columns_of_the_specification_exist(journal: SqliteJournal, path: Path) -> None:
    promised = {
        "trading_sessions": "session_id start_time end_time status symbols duration_minutes "
        "scan_interval_seconds initial_portfolio_value final_portfolio_value pnl pnl_pct "
        "total_trades created_at updated_at",
        "positions": "session_id symbol entry_time exit_time entry_price exit_price qty direction "
        "side stop_loss take_profit order_id status exit_reason pnl pnl_pct duration_minutes",
        "position_checkpoints": "session_id checkpoint_time positions_snapshot account_snapshot "
        "active_positions_count closed_trades_count",
        "strategies": "name instrument status config state",
        "orders": "order_id",
        "fills": "fill_id",
        "events": "seq at session_id type payload cause",
        "trades": "symbol pnl",
        "equity": "at equity",
    }
    for table, columns in promised.items():
        ask(path, f"SELECT {', '.join(columns.split())} FROM {table}")


async def test_money_in_the_tables_is_exact_and_in_the_views_it_sorts(
    journal: SqliteJournal, path: Path
) -> None:
    history = History(2).run(900)
    await write(journal, history.close_all())
    rows = ask(path, "SELECT pnl, pnl_exact, trade_id FROM trades ORDER BY pnl")
    assert [row[0] for row in rows] == sorted(float(str(row[1])) for row in rows)
    exact = {str(row[2]): Decimal(str(row[1])) for row in rows}
    for trade in history.state.closed:
        assert exact[trade.id] == trade.pnl
    ((total,),) = ask(path, "SELECT sum(pnl) FROM trades")
    assert total == pytest.approx(float(sum(Decimal(str(row[1])) for row in rows)))


async def test_the_equity_view_ends_at_the_account(journal: SqliteJournal, path: Path) -> None:
    history = History(4).run(300).close_all()
    await write(journal, history)
    account = next(iter(history.state.accounts.values()))
    ((last,),) = ask(
        path,
        "SELECT equity FROM equity WHERE currency = 'INR' ORDER BY seq DESC LIMIT 1",
    )
    refused_fees = account.initial + account.realised - account.fees
    assert last == pytest.approx(float(refused_fees))


async def test_a_finished_session_says_its_result(journal: SqliteJournal, path: Path) -> None:
    history = History(4).run(300).close_all()
    history.end()
    await write(journal, history)
    account = next(iter(history.state.accounts.values()))
    ((status, symbols, final, pnl, trades, ended),) = ask(
        path,
        "SELECT status, symbols, final_portfolio_value, pnl, total_trades, end_time "
        "FROM trading_sessions",
    )
    assert status == "completed"
    assert json.loads(str(symbols)) == ["NIFTY26JAN25900PE", "BTC_USD-PERPETUAL"]
    assert Decimal(str(final)) == account.cash
    assert Decimal(str(pnl)) == account.cash - account.initial
    assert trades == account.trades
    assert str(ended).endswith("Z")


async def test_recovery_is_the_newest_checkpoint_and_the_tail(path: Path) -> None:
    history = History(5).run(600)
    early = fold(history.entries[:400])
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(history.entries[:400], early)
        assert journal.since_checkpoint == 400
        await journal.checkpoint(early, Nanos(6))
        assert journal.since_checkpoint == 0
        await journal.append(history.entries[400:], history.state)
    async with SqliteJournal.open(path, STAMP, Nanos(7)) as journal:
        assert journal.recovered.state == history.state
        assert journal.since_checkpoint == len(history.entries) - 400
        assert journal.recovered.from_checkpoint == 400
        assert journal.recovered.folded == len(history.entries) - 400


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM position_checkpoints",
        "UPDATE position_checkpoints SET state = replace(state, '\"seq\":400', '\"seq\":401')",
        "UPDATE position_checkpoints SET hash = x'00'",
        "UPDATE position_checkpoints SET seq = 399",
        "UPDATE position_checkpoints SET state = NULL",
    ],
)
async def test_a_lost_or_damaged_checkpoint_costs_time_and_nothing_else(
    path: Path, damage: str
) -> None:
    history = History(5).run(600)
    early = fold(history.entries[:400])
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(history.entries[:400], early)
        await journal.checkpoint(early, Nanos(6))
        await journal.append(history.entries[400:], history.state)
    edit(path, damage)
    async with SqliteJournal.open(path, STAMP, Nanos(7)) as journal:
        assert journal.recovered.from_checkpoint == 0
        assert journal.recovered.state == history.state


async def test_a_state_ahead_of_the_journal_makes_no_checkpoint(
    journal: SqliteJournal, path: Path
) -> None:
    history = History(6).run(50)
    await write(journal, history)
    history.run(60)
    with pytest.raises(NotWritten, match="is not durable"):
        await journal.checkpoint(history.state, Nanos(1))
    assert ask(path, "SELECT count(*) FROM position_checkpoints") == [(0,)]


async def test_old_checkpoints_get_thin(journal: SqliteJournal, path: Path) -> None:
    history = History(6).run(50)
    await write(journal, history)
    for number in range(SNAPSHOTS_KEPT + 5):
        await journal.checkpoint(history.state, Nanos(number))
    ((rows, states, snapshots),) = ask(
        path, "SELECT count(*), count(state), count(positions_snapshot) FROM position_checkpoints"
    )
    assert (rows, states, snapshots) == (SNAPSHOTS_KEPT + 5, STATES_KEPT, SNAPSHOTS_KEPT)


async def test_edited_projections_are_named_value_by_value_and_repaired_on_request(
    journal: SqliteJournal, path: Path
) -> None:
    await write(journal, History(7).run(400))
    assert await journal.differences() == []
    ((key, fee),) = ask(path, "SELECT position_id, fees FROM positions ORDER BY 1 LIMIT 1")
    edit(path, f"UPDATE positions SET fees = '999' WHERE position_id = '{key}'")
    ((gone,),) = ask(path, "SELECT fill_id FROM fills ORDER BY seq LIMIT 1")
    edit(path, f"DELETE FROM fills WHERE fill_id = '{gone}'")
    edit(
        path,
        "INSERT INTO strategies SELECT 'ghost', session_id, kind, instrument, status, since,"
        " waits_for, config, state, failure, signals, refused, last_refusal, updated_at"
        " FROM strategies LIMIT 1",
    )
    said = [str(difference) for difference in await journal.differences()]
    assert len(said) == 3
    right = f"positions {key} fees: is '999', the journal says {text_of(fee)!r}"
    assert any(right in line for line in said)
    assert any(f"{gone}: is missing, the journal says present" in line for line in said)
    assert any("strategies ghost: is present, the journal says missing" in line for line in said)
    assert [str(difference) for difference in await journal.repair()] == said
    assert await journal.differences() == []


async def test_the_reader_sees_a_store_beside_its_writer_and_after_it(path: Path) -> None:
    history = History(8).run(300)
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await write(journal, history)
        with StoreReader.open(path) as reader:
            assert {p["position_id"] for p in reader.positions()} == set(history.state.positions)
    with StoreReader.open(path) as reader:
        assert [t["id"] for t in reader.trades()][-3:] == [t.id for t in history.state.closed[-3:]]
        assert reader.sessions()[0]["session_id"] == "s1"
        assert {o["order_id"] for o in reader.orders()} >= set(history.state.orders)
        assert [e["seq"] for e in reader.events(limit=3)] == [e.seq for e in history.entries[-3:]]
        assert reader.strategies()[0]["name"] == "momentum"
        assert reader.verify_chain().seq == history.state.seq
    assert stamp_of(path) == STAMP


async def test_the_reader_cannot_write_and_makes_no_store(tmp_path: Path, path: Path) -> None:
    with pytest.raises(JournalRefused, match="there is no store"), StoreReader.open(path):
        pass
    assert list(tmp_path.iterdir()) == []
    async with SqliteJournal.open(path, STAMP, Nanos(5)):
        pass
    with pytest.raises(JournalRefused, match="readonly"), StoreReader.open(path) as reader:
        reader._db.execute("DELETE FROM store")


def old_database(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT")
    db.execute("INSERT INTO notes VALUES (1, 'kept')")
    return db


def add_column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE notes ADD COLUMN tag TEXT NOT NULL DEFAULT 'new'")


def fail_half_way(db: sqlite3.Connection) -> None:
    add_column(db)
    raise sqlite3.OperationalError("disk I/O error")


def test_a_migration_runs_after_a_backup_that_holds_the_old_tables(path: Path) -> None:
    db = old_database(path)
    backup = migrations.migrate(db, path, target=1, migrations={0: add_column})
    assert backup is not None
    assert db.execute("SELECT * FROM notes").fetchall() == [(1, "kept", "new")]
    assert migrations.version_of(db) == 1
    assert migrations.migrate(db, path, target=1, migrations={0: add_column}) is None
    db.close()
    assert ask(backup, "SELECT * FROM notes") == [(1, "kept")]
    assert ask(backup, "PRAGMA user_version") == [(0,)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    db = old_database(path)
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(db, path, target=2, migrations={0: add_column, 1: fail_half_way})
    assert migrations.version_of(db) == 0
    assert db.execute("SELECT * FROM notes").fetchall() == [(1, "kept")]
    db.close()


def test_a_version_without_a_way_from_it_is_refused(path: Path) -> None:
    db = old_database(path)
    with pytest.raises(JournalRefused, match="no migration from version 1"):
        migrations.migrate(db, path, target=2, migrations={0: add_column})
    db.close()


def test_there_is_a_way_from_every_released_version() -> None:
    assert set(migrations.MIGRATIONS) == set(range(1, SCHEMA_VERSION))


async def test_closing_a_stuck_store_takes_bounded_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from engine.store import sqlite as module

    monkeypatch.setattr(module, "CLOSE_S", 0.05)
    disk = threading.Event()
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        stuck = journal._submit(disk.wait)
        await asyncio.sleep(0)
        await journal.close()  # returns although the database thread hangs
        assert not stuck.done()
        assert journal._db._thread.daemon
        disk.set()
        await stuck
        await journal._db.close()


async def test_entries_of_one_instant_keep_their_time_to_the_nanosecond(
    journal: SqliteJournal, path: Path
) -> None:
    history = History().start()
    moved = [replace(entry, at=Nanos(1_700_000_000_000_000_001)) for entry in history.entries]
    await journal.append(moved, fold(moved))
    assert {row[0] for row in ask(path, "SELECT at FROM events")} == {
        "2023-11-14T22:13:20.000000001Z"
    }
