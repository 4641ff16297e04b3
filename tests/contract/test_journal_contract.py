"""What every journal promises, run against every journal we have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.domain.event import Entry, FeedChanged
from engine.domain.evolve import fold
from engine.domain.ids import Nanos, Seq
from engine.domain.session import Mode
from engine.domain.state import State
from engine.ports.journal import Journal, JournalConflict
from engine.store.memory import MemoryJournal
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History, batches


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
    else:
        stamp = Stamp(Mode.PAPER, "paper")
        async with SqliteJournal.open(tmp_path / "d" / "holdfast.db", stamp, Nanos(0)) as store:
            yield store


async def write(journal: Journal, entries: list[Entry], *, seed: int = 1) -> State:
    state = State()
    for batch in batches(entries, seed):
        state = fold(batch, state)
        await journal.append(batch, state)
    return state


async def test_reads_back_exactly_what_was_appended(journal: Journal) -> None:
    history = History(1).run(300)
    assert await write(journal, history.entries) == history.state
    assert await journal.read() == history.entries


async def test_the_fold_of_what_is_read_is_the_state(journal: Journal) -> None:
    history = History(2).run(300)
    await write(journal, history.entries)
    assert fold(await journal.read()) == history.state


async def test_reads_only_what_follows_a_sequence(journal: Journal) -> None:
    history = History(3).run(40)
    await write(journal, history.entries)
    assert await journal.read(after=Seq(25)) == history.entries[25:]


@pytest.mark.parametrize("seq", [1, 5], ids=["taken", "gap"])
async def test_refuses_a_sequence_that_does_not_follow(journal: Journal, seq: int) -> None:
    history = History().start()
    await journal.append(history.entries, history.state)
    other = Entry(Seq(seq), Nanos(7), FeedChanged("sim", is_up=False, why="other"))
    with pytest.raises(JournalConflict):
        await journal.append([other], history.state)
    assert await journal.read() == history.entries


async def test_appends_all_of_a_batch_or_none(journal: Journal) -> None:
    history = History().start()
    torn = [history.entries[0], history.entries[2]]
    with pytest.raises(JournalConflict):
        await journal.append(torn, history.state)
    assert await journal.read() == []


async def test_refuses_a_state_that_is_not_the_one_after_the_batch(journal: Journal) -> None:
    history = History().start()
    with pytest.raises(JournalConflict):
        await journal.append(history.entries, State())
    assert await journal.read() == []


async def test_a_refused_batch_does_not_stand_in_the_way_of_the_right_one(journal: Journal) -> None:
    history = History().start()
    with pytest.raises(JournalConflict):
        await journal.append(history.entries[1:], history.state)
    await journal.append(history.entries, history.state)
    assert await journal.read() == history.entries


async def test_the_very_same_entries_again_change_nothing(journal: Journal) -> None:
    history = History().run(50)
    await journal.append(history.entries, history.state)
    await journal.append(history.entries[10:20], history.state)
    await journal.append(history.entries, history.state)
    assert await journal.read() == history.entries


async def test_an_empty_batch_is_nothing(journal: Journal) -> None:
    await journal.append([], State())
    assert await journal.read() == []


async def test_appends_that_overlap_are_kept_in_the_order_of_the_calls(journal: Journal) -> None:
    history = History(4).run(200)
    state = State()
    async with asyncio.TaskGroup() as group:
        for batch in batches(history.entries, 2):
            state = fold(batch, state)
            group.create_task(journal.append(batch, state))
    assert await journal.read() == history.entries
