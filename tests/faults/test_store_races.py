"""A store that fails while it is being brought back: nothing is lost, and the engine goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from engine.store import sqlite, writer
from engine.store.ballast import Ballast
from engine.store.projections import Changes
from engine.store.spill import Spill
from tests.faults.test_store_resilient import Story, opened, stored, until_restored


async def test_a_commit_that_fails_only_after_its_time_is_up_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BUSY_S", 0.6)
    path, story = tmp_path / "holdfast.db", Story()
    async with opened(path, commit_s=0.4) as journal:
        assert Ballast(path, 4096).lay()
        await journal.append(*story.goes_on())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await journal.append(*story.goes_on())  # too late at 0.4 s, "locked" at 0.6 s
        assert not journal.is_persisted
        holder.execute("ROLLBACK")
        holder.close()
        await until_restored(journal)
    assert await stored(path) == story.desk.entries


async def test_entries_that_were_spilled_once_are_still_known_when_the_file_goes_later(
    tmp_path: Path,
) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    backup = tmp_path / "backup.db"
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        _copy(path, backup)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await journal.append(*story.goes_on())
        holder.execute("ROLLBACK")
        holder.close()
        await until_restored(journal)
        await journal.append(*story.goes_on())
        path.unlink()
        await journal.look()
        assert Spill(path, ()).read() == story.desk.entries


async def test_what_went_with_the_file_is_made_durable_again_when_a_commit_notices_it(
    tmp_path: Path,
) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        path.unlink()
        await journal.append(*story.goes_on())
        assert Spill(path, ()).read() == story.desk.entries


async def test_a_folder_that_cannot_be_made_does_not_undo_what_is_restored(tmp_path: Path) -> None:
    path, story = tmp_path / "holdfast.db", Story()
    (tmp_path / "spilled").write_text("somebody's file")
    async with opened(path) as journal:
        await journal.append(*story.goes_on())
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await journal.append(*story.goes_on())
        holder.execute("ROLLBACK")
        holder.close()
        await until_restored(journal)
        assert journal.is_persisted
        await journal.append(*story.goes_on())
    assert await stored(path) == story.desk.entries
    assert Spill(path, ()).read() != []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # left to hang
async def test_a_commit_that_was_given_up_and_lands_during_the_restore_is_no_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CLOSE_S", 0.1)
    path, story = tmp_path / "holdfast.db", Story()
    hangs, goes_on = threading.Event(), threading.Event()
    write = Changes.write

    def slow(changes: Changes, db: sqlite3.Connection) -> None:
        if not hangs.is_set():  # the disk hangs once, in the middle of a transaction
            hangs.set()
            assert goes_on.wait(20)
        write(changes, db)

    async with opened(path, commit_s=0.3) as journal:
        await journal.append(*story.goes_on())
        monkeypatch.setattr(Changes, "write", slow)
        await journal.append(*story.goes_on())
        assert hangs.is_set()
        assert not journal.is_persisted
        async with asyncio.TaskGroup() as tasks:
            restoring = tasks.create_task(journal.restore())
            await asyncio.sleep(1)  # by now it waits for the lock; if not, there is no race
            goes_on.set()
        assert restoring.result()
    assert await stored(path) == story.desk.entries


def _copy(path: Path, to: Path) -> None:
    with sqlite3.connect(path) as source, sqlite3.connect(to) as target:
        source.backup(target)
