"""The queries of the manual work beside a writing engine, and mean what they say."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.event import Entry, Resumed, SessionCrashed
from engine.domain.evolve import fold
from engine.domain.ids import SECOND, Nanos, Seq
from engine.domain.session import Mode
from engine.domain.state import State
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.store.times import iso
from tests.decided_history import DecidedHistory
from tests.hand_histories import HandHistory
from tests.histories import History, batches

MANUAL = Path(__file__).parents[2] / "docs" / "manual.md"
STAMP = Stamp(Mode.PAPER, "paper")


def queries() -> dict[str, str]:
    section = MANUAL.read_text().partition("### SQL\n")[2].partition("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
    found = re.findall(r"-- (.+)\n((?:(?!-- ).+\n?)+)", code)
    return {title: query.strip() for title, query in found}


async def written(path: Path, history: History, journal: SqliteJournal) -> State:
    state = State()
    for batch in batches(history.entries, 3):
        state = fold(batch, state)
        await journal.append(batch, state)
    await journal.checkpoint(state, Nanos(9))
    return state


def sessions() -> History:
    """Return sessions whose results differ in sign and number of digits; the last one runs."""
    history = History(3).run(300).close_all()
    for length in (140, 500, 190, 700):
        history.end()
        history.start().run(len(history.entries) + length).close_all()
    history.end()
    history.start()
    while not history.state.positions:
        history.run(len(history.entries) + 5)
    return history


@pytest.mark.parametrize("title", queries())
async def test_a_query_of_the_manual_runs_beside_the_writer(tmp_path: Path, title: str) -> None:
    path = tmp_path / "holdfast.db"
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        history = HandHistory(3).run(400) if "by hand" in title else sessions()
        if "was asked" in title:
            history = DecidedHistory(3).run(400)
        await written(path, history, journal)
        with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as db:
            rows = db.execute(queries()[title]).fetchall()
        shell = shutil.which("sqlite3")
        if shell is not None:
            command = [shell, "-list", f"{path.as_uri()}?mode=ro", queries()[title]]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            assert len(said.stdout.splitlines()) == len(rows)
    if title not in {"the last crash, and what was known then", "why signals were refused"}:
        assert rows or "POSITION-ID" in queries()[title]


async def test_finished_sessions_stand_in_the_order_of_their_profit(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await written(path, sessions(), journal)
        with sqlite3.connect(path) as db:
            rows = db.execute(queries()["finished sessions, the best first"]).fetchall()
    results = [Decimal(str(row[5])) for row in rows]
    assert len(results) == 5
    assert results == sorted(results, reverse=True)
    assert [str(r) for r in results] != sorted((str(r) for r in results), reverse=True)


async def test_what_was_known_at_the_last_crash_is_not_what_became_known_since(
    tmp_path: Path,
) -> None:
    path, history = tmp_path / "holdfast.db", sessions()
    state = fold(history.entries)
    assert state.session is not None
    last = history.entries[-1].at
    known, crash, later = (Nanos(last + n * SECOND) for n in (1, 9, 30))
    held = len(state.positions)
    died = SessionCrashed(state.session.id, last, Nanos(9 * SECOND), held, len(state.orders))
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await written(path, history, journal)
        await journal.checkpoint(state, known)
        more = [Entry(Seq(state.seq + 1), crash, died), Entry(Seq(state.seq + 2), crash, Resumed())]
        after = fold(more, state)
        await journal.append(more, after)
        await journal.checkpoint(after, later)
        with sqlite3.connect(path) as db:
            rows = db.execute(queries()["the last crash, and what was known then"]).fetchall()
    ((session, _start, found_at, checkpoint_at, open_then, _snapshot),) = rows
    assert (session, found_at, checkpoint_at) == (state.session.id, iso(crash), iso(known))
    assert open_then == held
