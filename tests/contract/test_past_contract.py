"""What an engine tells of the past, in the same loop and over the socket alike (C-15)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from engine.domain import event as ev
from engine.domain.balance import prove
from engine.domain.evolve import fold
from engine.domain.ids import Seq, SessionId
from engine.domain.session import SessionStatus
from engine.domain.state import State
from engine.link.archive import NOTHING_KEPT
from engine.link.protocol import EngineLink, Welcome
from engine.link.protocol_past import (
    AskBooks,
    AskEntries,
    AskSession,
    AskSessions,
    AskStart,
    NoPast,
    SessionRecord,
)
from engine.store.reader import StoreReader
from tests.linked import PATIENCE, Ear, Room, room
from tests.past_days import days, kept

pytestmark = pytest.mark.parametrize("how", ["local", "socket"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.db"


@pytest.fixture
async def here(tmp_path: Path, path: Path) -> AsyncIterator[Room]:
    await kept(path, days())
    async with room(tmp_path, path) as made:
        yield made


async def joined(here: Room, how: str, *, is_read_only: bool = False) -> EngineLink:
    ear = Ear()
    link = here.link(how, is_read_only=is_read_only)
    link.attach(ear)
    await ear.hears(Welcome)
    return link


async def records(link: EngineLink) -> list[SessionRecord]:
    sessions = await link.ask(AskSessions())
    return [await link.ask(AskSession(row.id)) for row in reversed(sessions.rows)]


async def test_sessions_come_newest_first_as_their_rows_say(
    here: Room, path: Path, how: str
) -> None:
    link = await joined(here, how)
    told = await link.ask(AskSessions())
    state = fold(days())
    assert told.total == len(told.rows) == 3
    assert [row.status for row in told.rows] == [
        SessionStatus.ACTIVE,
        SessionStatus.COMPLETED,
        SessionStatus.COMPLETED,
    ]
    with StoreReader.open(path) as reader:
        rows = reader.sessions()
    assert [row.id for row in told.rows] == [row["session_id"] for row in rows]
    assert [None if row.pnl is None else f"{row.pnl:f}" for row in told.rows] == [
        row["pnl"] for row in rows
    ]
    assert state.session is not None
    assert told.rows[0].started_at == state.session.started_at
    assert (await link.ask(AskSessions(1))).rows == told.rows[:1]


async def test_sessions_cover_the_journal_without_a_gap_and_say_what_was_open(
    here: Room, how: str
) -> None:
    link = await joined(here, how)
    found = await records(link)
    entries = days()
    assert found[0].first == 1
    assert found[-1].last == len(entries)
    for one, other in pairwise(found):
        assert other.first == one.last + 1
    for record in found:
        state = fold(entries[: record.last])
        assert record.open == len(state.positions)
        started = entries[record.first - 1].event
        assert isinstance(started, ev.SessionStarted)
        assert started.session == record.session


async def test_a_record_reports_crash_decision_and_resumption_and_its_checkpoints(
    here: Room, how: str
) -> None:
    _, record, _ = await records(await joined(here, how))
    kinds = [type(entry.event).__name__ for entry in record.report]
    crash = ["SessionCrashed", "RecoveryDecided", "Resumed"]
    assert kinds == ["SessionStarted", *crash, "SessionEnded"]
    entries = days()
    assert all(entry == entries[entry.seq - 1] for entry in record.report)
    assert record.checkpoints
    for checkpoint in record.checkpoints:
        state = fold(entries[: checkpoint.seq])
        assert checkpoint.positions == len(state.positions)
        assert checkpoint.at == entries[checkpoint.seq - 1].at


async def test_from_its_base_and_pages_a_session_folds_to_the_engines_own_state(
    here: Room, how: str
) -> None:
    link = await joined(here, how)
    entries = days()
    for record in await records(link):
        base = (await link.ask(AskStart(record.session))).state
        assert base.seq < record.first
        assert base == fold(entries[: base.seq])
        told: list[ev.Entry] = []
        after = base.seq
        while after < record.last:
            page = await link.ask(AskEntries(after, record.last))
            told += link.unfold(page)
            assert page.last == told[-1].seq
            after = page.last
        assert told == entries[base.seq : record.last]
        assert fold(told, base) == fold(entries[: record.last])


async def test_the_last_checkpoint_of_a_session_is_the_base_of_the_next(
    here: Room, how: str
) -> None:
    link = await joined(here, how)
    found = await records(link)
    for record in found[1:]:
        assert (await link.ask(AskStart(record.session))).state.seq == record.first - 1


async def test_a_damaged_checkpoint_is_no_base(here: Room, path: Path, how: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE position_checkpoints SET state = replace(state, '100', '101')")
    db.close()
    link = await joined(here, how)
    newest = (await records(link))[-1]
    assert (await link.ask(AskStart(newest.session))).state.seq == 0


async def test_a_checkpoint_of_another_version_is_no_base(here: Room, path: Path, how: str) -> None:
    state = '{"of": "another version"}'
    with sqlite3.connect(path) as db:
        made = sha256(state.encode()).digest()
        db.execute("UPDATE position_checkpoints SET state = ?, state_digest = ?", (state, made))
    db.close()
    link = await joined(here, how)
    newest = (await records(link))[-1]
    assert (await link.ask(AskStart(newest.session))).state == State()


async def test_the_books_prove_what_the_store_proves(here: Room, path: Path, how: str) -> None:
    link = await joined(here, how)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE positions SET pnl = pnl + 5 WHERE rowid = 1")
    db.close()
    with StoreReader.open(path) as reader:
        proofs = {proof.session: proof for proof in reader.balance()}
    assert {proof.is_ok for proof in proofs.values()} == {True, False}
    for record in await records(link):
        books = await link.ask(AskBooks(record.session))
        proof = prove(books.sessions, books.positions)[0]
        assert proof == proofs[record.session]


async def test_nothing_follows_the_last_entry(here: Room, how: str) -> None:
    link = await joined(here, how)
    last = Seq(len(days()))
    page = await link.ask(AskEntries(last, Seq(last + 100)))
    assert (page.last, link.unfold(page)) == (last, [])


async def test_a_console_that_only_reads_may_ask(here: Room, how: str) -> None:
    link = await joined(here, how, is_read_only=True)
    assert (await link.ask(AskSessions())).total == 3


async def test_a_session_that_never_was_is_said_to_be_none(here: Room, how: str) -> None:
    link = await joined(here, how)
    with pytest.raises(NoPast, match="no session nobody"):
        await link.ask(AskSession(SessionId("nobody")))
    assert (await link.ask(AskSessions())).total == 3


async def test_a_store_that_went_away_is_said_and_hurts_nobody(
    here: Room, path: Path, how: str
) -> None:
    link = await joined(here, how)
    path.unlink()
    with pytest.raises(NoPast, match="there is no store"):
        await link.ask(AskSessions())
    here.tick("100")
    async with asyncio.timeout(PATIENCE):
        while not here.source.quotes:
            await asyncio.sleep(0)


async def test_an_engine_without_a_store_says_that_there_is_no_past(
    tmp_path: Path, how: str
) -> None:
    async with room(tmp_path) as here:
        link = await joined(here, how)
        with pytest.raises(NoPast, match=NOTHING_KEPT):
            await link.ask(AskSessions())


async def test_many_questions_at_once_are_each_answered_or_refused(here: Room, how: str) -> None:
    link = await joined(here, how)
    outcomes: list[str] = []

    async def one() -> None:
        try:
            outcomes.append(str((await link.ask(AskSessions())).total))
        except NoPast as error:
            outcomes.append(str(error)[:8])

    async with asyncio.TaskGroup() as tasks:
        for _ in range(60):
            tasks.create_task(one())
    assert len(outcomes) == 60
    assert set(outcomes) <= {"3", "too many"}
    assert "3" in outcomes
    assert (await link.ask(AskSessions())).total == 3
