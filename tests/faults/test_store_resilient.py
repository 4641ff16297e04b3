"""When the store fails, what happens is durable elsewhere and comes back, in order, each once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from engine.domain.event import Entry
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.domain.state import State
from engine.ports.journal import JournalConflict
from engine.store import resilient
from engine.store.ballast import Ballast
from engine.store.resilient import ResilientJournal, recover_spilled
from engine.store.spill import Spill
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import Desk, tick

STAMP = Stamp(Mode.PAPER, "paper")


@asynccontextmanager
async def opened(path: Path, commit_s: float = 0.3) -> AsyncIterator[ResilientJournal]:
    async with SqliteJournal.open(path, STAMP, Nanos(1)) as inner:
        yield ResilientJournal(inner, Spill(path, ()), Ballast(path, 4096), commit_s)


class Story:
    """A desk whose entries are appended as they come."""

    def __init__(self) -> None:
        self.desk = Desk().start()
        self.written = 0
        self.price = 3000

    def goes_on(self) -> tuple[list[Entry], State]:
        self.price += 10
        self.desk.tick(tick(f"{self.price // 100}.{self.price % 100:02}", self.price))
        self.desk.open(f"s{self.price}", size="75")
        new = self.desk.entries[self.written :]
        self.written = len(self.desk.entries)
        return new, self.desk.state


async def stored(path: Path) -> list[Entry]:
    async with SqliteJournal.open(path, STAMP, Nanos(2)) as journal:
        return await journal.read()


async def until_restored(journal: ResilientJournal) -> None:
    async with asyncio.timeout(20):
        while not await journal.restore():
            await asyncio.sleep(0.05)


async def test_a_locked_store_delays_nothing_and_loses_nothing(tmp_path: Path) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        safe = story.written
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            await journal.append(*story.goes_on())
        assert not journal.is_persisted
        assert "did not answer" in journal.error
        assert Spill(path, ()).read() == story.desk.entries[safe:]
        holder.execute("ROLLBACK")
        holder.close()
        await until_restored(journal)
        assert journal.is_persisted
        await journal.append(*story.goes_on())
    assert await stored(path) == story.desk.entries
    assert not (tmp_path / "holdfast.spill").exists()
    assert list((tmp_path / "spilled").iterdir())


async def test_a_disk_that_does_not_say_who_locks_it_delays_no_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, story, hung = tmp_path / "holdfast.db", Story(), Event()
    monkeypatch.setattr(resilient, "lockers", lambda _path: str(hung.wait(30)))
    async with opened(path) as journal:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(10):
            await journal.append(*story.goes_on())
        assert Spill(path, ()).read() == story.desk.entries
        hung.set()
        holder.execute("ROLLBACK")
        holder.close()
        await until_restored(journal)


async def test_a_process_that_dies_before_the_store_is_back_finds_its_entries(
    tmp_path: Path,
) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
    new, _ = story.goes_on()
    Spill(path, ()).append(new)  # and then the process was killed
    async with SqliteJournal.open(path, STAMP, Nanos(3)) as inner:
        assert await recover_spilled(inner, Spill(path, ())) == story.desk.state
        assert await inner.read() == story.desk.entries
        assert await recover_spilled(inner, Spill(path, ())) == inner.recovered.state


async def test_a_process_that_starts_while_the_store_is_still_away_goes_on_from_its_entries(
    tmp_path: Path,
) -> None:
    """Seen by hand on a full disk: every start failed, and nothing watched what was open."""
    path, story = tmp_path / "holdfast.db", Story()
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
    new, _ = story.goes_on()
    Spill(path, ()).append(new)
    other = sqlite3.connect(path, isolation_level=None)
    async with opened(path) as journal:
        other.execute("BEGIN IMMEDIATE")
        assert await journal.recover() == story.desk.state
        assert not journal.is_persisted
        assert journal.error
        assert await journal.read() == story.desk.entries
        await journal.append(*story.goes_on())
        assert Spill(path, ()).read()[-1] == story.desk.entries[-1]
        other.execute("ROLLBACK")
        other.close()
        await until_restored(journal)
        assert await journal.inner.read() == story.desk.entries
        assert Spill(path, ()).read() == []


@pytest.mark.parametrize("is_idle", [True, False])
@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_deleted_database_is_noticed_and_nothing_is_pretended(
    tmp_path: Path, *, comes_back: bool, is_idle: bool
) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    aside = tmp_path / "aside.db"
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        path.rename(aside)
        if is_idle:  # nothing is written: the look once a second notices it
            await journal.look()
            assert not journal.is_persisted
        await journal.append(*story.goes_on())
        assert not journal.is_persisted
        assert "gone" in journal.error or "deleted or replaced" in journal.error
        assert Spill(path, ()).read()[-3:] == story.desk.entries[-3:]
        if comes_back:
            aside.rename(path)
            await until_restored(journal)
        else:
            assert not await journal.restore()
            assert "is missing" in journal.error
    if comes_back:
        assert await stored(path) == story.desk.entries


def test_a_torn_or_damaged_line_does_not_count(tmp_path: Path) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    entries, _ = story.goes_on()
    spill = Spill(path, ())
    place = spill.append(entries)
    data = place.read_bytes()
    place.write_bytes(data[:-20])
    assert spill.read() == entries[:-1]
    place.write_bytes(data.replace(b"30.10", b"30.11"))
    assert spill.read() != entries


async def test_a_spill_that_does_not_follow_the_journal_is_refused(tmp_path: Path) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    story.goes_on()
    new, _ = story.goes_on()
    Spill(path, ()).append(new)
    async with SqliteJournal.open(path, STAMP, Nanos(3)) as inner:
        with pytest.raises(JournalConflict, match="goes on at entry"):
            await recover_spilled(inner, Spill(path, ()))
    assert Spill(path, ()).read() == new


def test_the_next_place_is_taken_when_the_first_takes_nothing(tmp_path: Path) -> None:
    path, story = tmp_path / "data" / "holdfast.db", Story()
    path.parent.mkdir()
    (path.parent / "holdfast.spill").mkdir()  # cannot be written as a file
    other = tmp_path / "other"
    other.mkdir()
    entries, _ = story.goes_on()
    place = Spill(path, (other,)).append(entries)
    assert place.parent == other
    assert place.stat().st_mode & 0o777 == 0o600


def test_ballast_takes_room_and_gives_it_back(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "holdfast.db", 8192)
    assert ballast.lay()
    assert (tmp_path / "holdfast.ballast").stat().st_blocks * 512 >= 8192
    assert ballast.release()
    assert not ballast.release()
