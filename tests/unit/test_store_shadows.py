"""Interventions in the store: the worked example in SQL, edited rows, and older stores."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.evolve import evolve
from engine.domain.ids import CommandId, Seq
from engine.domain.money import price
from engine.domain.state import State
from engine.stops.time_stop import TimeStop
from engine.store import migrations
from engine.store.audit import differences, rebuilt, repair
from engine.store.chain import Head
from engine.store.projections import project
from engine.store.rows import rows_of
from engine.store.schema import TABLES
from tests.builders import SECOND, Desk, session, tick
from tests.unit.test_store_version_1 import old_store

REPORT = (
    "SELECT deed, done_by, operator_pnl, operator_status, strategy_pnl, strategy_status, "
    "difference_exact, why FROM operator_report ORDER BY seq"
)


def kept(desk: Desk) -> sqlite3.Connection:
    """Return tables made of a desk's journal, entry by entry, and the journal beside them."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in TABLES:
        db.execute(statement)
    state = State()
    for entry in desk.entries:
        after = evolve(state, entry)
        project(state, (entry,), after).write(db)
        state = after
    rows = rows_of(desk.entries, Head(Seq(0), b""), "s1")
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return db


def worked_example(*after: str) -> Desk:
    desk = Desk().start(session())
    go_on(desk, ["30.00"])
    held = desk.open("a")
    go_on(desk, ["29.85"])
    desk.give(ClosePosition(CommandId("x"), held.id, "console", note="=nervous"))
    go_on(desk, after)
    return desk


def go_on(desk: Desk, prices: Iterable[str]) -> None:
    for last in prices:
        desk.tick(tick(last, desk.now + SECOND))


def test_the_worked_example_in_sql() -> None:
    db = kept(worked_example("31.00", "33.50", "30.15"))
    assert db.execute(REPORT).fetchall() == [
        ("closed", "console", -11.25, "final", 11.25, "final", "-22.5", "")
    ]
    told = db.execute(
        "SELECT strategy_reason, strategy_price, operator_price, qty, note, currency, gaps "
        "FROM operator_report"
    ).fetchone()
    assert told == ("trailing_stop_hit", 30.15, 29.85, 75.0, "=nervous", "INR", 0)
    assert differences(db) == []


def test_an_open_shadow_is_told_at_the_last_mark_and_called_open() -> None:
    desk = worked_example("31.00")
    db = kept(desk)
    assert db.execute(REPORT).fetchone()[4:7] == (None, "open", None)  # no mark yet: not invented
    desk.pass_time(31)
    db = kept(desk)
    assert db.execute(REPORT).fetchone()[2:7] == (-11.25, "final", 75.0, "open", "-86.25")
    row = db.execute("SELECT last_price, last_price_at FROM shadows").fetchone()
    assert row == (31.0, "1970-01-01T00:00:03.000000000Z")
    assert differences(db) == []


def test_both_sides_of_a_changed_stop_are_open_until_each_has_ended() -> None:
    desk = Desk().start(session())
    go_on(desk, ["30.00"])
    held = desk.open("a")
    go_on(desk, ["33.50"])
    desk.give(ChangeStop(CommandId("e"), held.id, "cli", price("31.00"), None))
    desk.pass_time(31)
    assert kept(desk).execute(REPORT).fetchone()[2:7] == (262.5, "open", 262.5, "open", "0")
    go_on(desk, ["31.00"])
    assert kept(desk).execute(REPORT).fetchone()[2:4] == (75.0, "final")
    go_on(desk, ["30.15"])
    db = kept(desk)
    assert db.execute(REPORT).fetchall() == [
        ("restopped", "cli", 75.0, "final", 11.25, "final", "63.75", "")
    ]
    levels = db.execute("SELECT stop_loss, new_stop_loss FROM shadows").fetchone()
    assert levels == (None, 31.0)
    assert differences(db) == []


def test_an_unknown_profit_says_why() -> None:
    desk = Desk().start(session(rules=(TimeStop(1),)))
    go_on(desk, ["30.00"])
    desk.give(ClosePosition(CommandId("x"), desk.open("a").id, "console"))
    desk.pass_time(200)
    db = kept(desk)
    row = db.execute(REPORT).fetchone()
    assert row[2:7] == (0.0, "final", None, "unknown", None)
    assert row[7] == "the last price was 200 s old, allowed: 60 s"


def test_an_edited_row_is_named_and_repaired() -> None:
    db = kept(worked_example("33.50", "30.15"))
    db.execute("UPDATE shadows SET strategy_pnl = 99")
    (shadow,) = db.execute("SELECT shadow_id FROM shadows").fetchone()
    assert [str(d) for d in differences(db)] == [
        f"shadows {shadow} strategy_pnl: is '99', the journal says '11.25'"
    ]
    repair(db)
    assert differences(db) == []


def test_a_store_without_the_table_gets_it_and_older_journals_make_no_shadow(
    tmp_path: Path,
) -> None:
    path = tmp_path / "holdfast.db"
    old_store(path)
    db = sqlite3.connect(path, isolation_level=None)
    migrations.migrate(db, path, target=2)
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
    assert not names & {"shadows", "operator_report"}
    backup = migrations.migrate(db, path, target=3)
    assert backup == path.with_name("holdfast.db.v2.backup")
    assert db.execute("SELECT count(*) FROM operator_report").fetchone() == (0,)
    assert db.execute("SELECT count(*) FROM events WHERE type = 'StopChanged'").fetchone()[0] > 0
    migrations.migrate(db, path)
    fresh = rebuilt(db)
    assert fresh.execute("SELECT count(*) FROM shadows").fetchone() == (0,)
    assert differences(db) == []
