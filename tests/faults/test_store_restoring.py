"""A store that is away is tried again soon, but a long one not at the price of a whole core."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from engine.bootstrap.chores import Keeper
from engine.domain import operator
from engine.domain.event import CommandAccepted, Entry
from engine.domain.ids import CommandId, Nanos, Seq
from engine.domain.state import State
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.store import restoring
from engine.store.resilient import ResilientJournal
from engine.store.restoring import WAIT_MAX, Restoring, obstacle
from tests.faults.test_store_resilient import Story, opened, stored
from tests.faults.virtual import VirtualClock, VirtualLoop

HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def long_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every journal count as a long one: a really long one takes minutes to write."""
    monkeypatch.setattr(restoring, "SHORT", 0)


@asynccontextmanager
async def away(path: Path, story: Story) -> AsyncIterator[tuple[ResilientJournal, Path]]:
    """Yield a journal whose database was moved away, and where to: entries are pending."""
    aside = path.with_name("aside.db")
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        path.rename(aside)
        await journal.append(*story.goes_on())
        assert not journal.is_persisted
        yield journal, aside


async def turns(tries: Restoring, count: int) -> list[int]:
    """Let so many seconds pass; return in which of them the store was opened and checked."""
    found = []
    for second in range(1, count + 1):
        before = tries.tries
        assert not await tries.turn()
        if tries.tries > before:
            found.append(second)
    return found


@pytest.mark.usefixtures("long_journal")
async def test_a_long_store_whose_fault_is_not_seen_is_tried_at_longer_and_longer_intervals(
    tmp_path: Path,
) -> None:
    path = tmp_path / "holdfast.db"
    async with away(path, Story()) as (journal, _aside):
        path.write_bytes(b"this is no database, though a file is there and can be written\n" * 99)
        tries = Restoring(journal)
        assert await turns(tries, 125) == [1, 3, 7, 15, 31, 61, 91, 121]
        tries.ask()  # a person wants it
        assert await turns(tries, WAIT_MAX - 1) == [1]


@pytest.mark.usefixtures("long_journal")
async def test_a_long_store_that_is_seen_to_be_away_is_left_alone_and_taken_at_once_when_back(
    tmp_path: Path,
) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    async with away(path, story) as (journal, aside):
        tries = Restoring(journal)
        assert await turns(tries, 64) == [30, 60]
        aside.rename(path)
        assert await tries.turn()
        assert journal.is_persisted
        assert not await tries.turn()  # nothing is left to be brought back
        assert tries.tries == 3
    assert await stored(path) == story.desk.entries


async def test_a_short_store_is_tried_every_second(tmp_path: Path) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    async with away(path, story) as (journal, aside):
        tries = Restoring(journal)
        assert await turns(tries, 40) == list(range(1, 41))
        aside.rename(path)
        assert await tries.turn()
    assert await stored(path) == story.desk.entries


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux says who holds a lock")
async def test_the_obstacle_is_named_and_nothing_is_left_beside_the_database(
    tmp_path: Path,
) -> None:
    path = tmp_path / "holdfast.db"
    assert "No such file" in obstacle(path)
    async with opened(path) as journal:
        await journal.append(*Story().goes_on())
        before = sorted(tmp_path.iterdir())
        assert obstacle(path) == ""
        words = (sys.executable, "-c", HOLD, str(path))
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdin is not None
            holder.stdout.readline()
            assert f"locked by pid {holder.pid}" in obstacle(path)
            holder.stdin.close()
            holder.wait()
        assert obstacle(path) == ""
        assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_is_an_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    path.write_bytes(b"there")
    path.with_name("holdfast.db.probe").symlink_to("/dev/full")  # the real thing, without root
    assert "No space left" in obstacle(path)
    assert not path.with_name("holdfast.db.probe").is_symlink()


@pytest.mark.usefixtures("long_journal")
async def test_who_asks_to_reconcile_has_the_store_tried_at_once(tmp_path: Path) -> None:
    with closing(VirtualLoop()) as loop:
        clock = VirtualClock(loop)
    async with away(tmp_path / "holdfast.db", Story()) as (journal, _aside):
        engine = Engine(Core({}, State()), journal, clock)
        keeper = Keeper(journal, engine, clock, Logbook(tmp_path / "logs", clock), tmp_path)
        restoring_ = keeper.restoring
        assert restoring_ is not None
        assert await turns(restoring_, 9) == []
        asked = CommandAccepted(CommandId("c1"), "someone", operator.RECONCILE)
        other = CommandAccepted(CommandId("c2"), "someone", "pause entries")
        keeper.on_entry(Entry(Seq(9), Nanos(9), other), State())
        assert await turns(restoring_, 1) == []
        keeper.on_entry(Entry(Seq(10), Nanos(10), asked), State())
        assert await turns(restoring_, 9) == [1]
