"""At every start the rows of open positions are held against the journal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.store.audit import Difference, open_differences
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import Desk, tick

STAMP = Stamp(Mode.PAPER, "paper")


async def differences(journal: SqliteJournal) -> list[Difference]:
    state = journal.recovered.state
    return await journal.on_writer(lambda db: open_differences(db, state))


async def store_with_a_position(path: Path) -> None:
    desk = Desk().start()
    desk.tick(tick("30.00", 1))
    desk.open("a")
    async with SqliteJournal.open(path, STAMP, Nanos(1)) as journal:
        await journal.append(desk.entries, desk.state)


async def test_an_untouched_store_has_no_differences(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    await store_with_a_position(path)
    async with SqliteJournal.open(path, STAMP, Nanos(2)) as journal:
        assert await differences(journal) == []


async def test_an_edited_an_added_and_a_closed_row_are_each_named(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    await store_with_a_position(path)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE positions SET qty = '999'")
    async with SqliteJournal.open(path, STAMP, Nanos(2)) as journal:
        (edited,) = await differences(journal)
        assert (edited.column, edited.stored, edited.expected) == ("qty", "'999'", "'75'")
    with sqlite3.connect(path) as db:
        db.execute("UPDATE positions SET qty = '75', status = 'closed'")
    async with SqliteJournal.open(path, STAMP, Nanos(3)) as journal:
        (closed,) = await differences(journal)
        assert (closed.column, closed.stored, closed.expected) == ("", "missing", "present")
        await journal.repair()
        assert await differences(journal) == []
