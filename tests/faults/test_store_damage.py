"""Everything that can have happened to a store's files: each is refused by name, none is mended."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.ports.journal import JournalConflict, JournalRefused, NotWritten, OutcomeUnknown
from engine.store import sqlite as sqlite_module
from engine.store import watermark
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History

STAMP = Stamp(Mode.PAPER, "paper", "a1")


async def filled(path: Path, count: int = 60, seed: int = 1) -> History:
    history = History(seed).run(count)
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(history.entries, history.state)
    return history


async def refusal(path: Path, stamp: Stamp = STAMP) -> str:
    with pytest.raises(JournalRefused) as refused:
        async with SqliteJournal.open(path, stamp, Nanos(6)):
            pass
    return str(refused.value)


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 8192 * 4096)


def text(path: Path) -> None:
    path.write_text("these are not the pages you are looking for\n" * 200)


def other_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE notes (text TEXT)")
    db.close()


def blank_database(path: Path) -> None:
    path.unlink()
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()


def sql(statement: str) -> Callable[[Path], None]:
    def run(path: Path) -> None:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute(statement)
        db.close()

    return run


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(truncate, "is empty, but its journal was at entry", id="emptied"),
        pytest.param(Path.unlink, "is missing, but its journal was at entry", id="deleted"),
        pytest.param(half, "", id="cut in half"),
        pytest.param(text, "not a database", id="text"),
        pytest.param(other_program, "not a Holdfast store", id="of another program"),
        pytest.param(blank_database, "holds nothing, but its journal was at entry", id="blank"),
        pytest.param(
            sql("DELETE FROM events WHERE seq > 20"), "the file ends at 20", id="tail deleted"
        ),
        pytest.param(sql("DELETE FROM events WHERE seq = 20"), "entry 20 is missing", id="hole"),
        pytest.param(
            sql("UPDATE events SET payload = replace(payload, '3', '4') WHERE seq = 9"),
            "entry 9 is not the one that was written",
            id="payload edited",
        ),
        pytest.param(
            sql("UPDATE events SET at = '2026-01-01T00:00:00.000000000Z' WHERE seq = 9"),
            "entry 9 is not the one that was written",
            id="time edited",
        ),
        pytest.param(sql("PRAGMA user_version = 99"), "written by a newer program", id="newer"),
        pytest.param(sql("DELETE FROM store"), "stamp is gone", id="stamp deleted"),
        pytest.param(
            sql("UPDATE store SET created_at = '2001'"), "entry 1 is not", id="stamp edited"
        ),
    ],
)
async def test_a_damaged_store_is_refused_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "holdfast.db"
    await filled(path)
    damage(path)
    before = path.read_bytes() if path.exists() else None
    assert said in await refusal(path)
    assert (path.read_bytes() if path.exists() else None) == before
    assert await refusal(path)


async def test_a_database_without_its_wal_is_refused(tmp_path: Path) -> None:
    path, copy = tmp_path / "holdfast.db", tmp_path / "copy" / "holdfast.db"
    history = History().run(60)
    copy.parent.mkdir()
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(history.entries, history.state)
        shutil.copy(path, copy)
        shutil.copy(watermark.beside(path), watermark.beside(copy))
    assert "journal was at entry" in await refusal(copy)


async def test_another_store_put_in_its_place_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path / "a.db", seed=1)
    await filled(tmp_path / "b.db", seed=2, count=90)
    shutil.copy(tmp_path / "b.db", tmp_path / "a.db")
    assert "is not the one that was written here" in await refusal(tmp_path / "a.db")


async def test_a_store_without_its_watermark_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    await filled(path)
    watermark.beside(path).unlink()
    assert "watermark is gone or damaged" in await refusal(path)


async def test_a_torn_watermark_slot_does_not_hide_the_other_one(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    history = await filled(path)
    mark = watermark.beside(path)
    content = mark.read_bytes()
    mark.write_bytes(content[:20] + bytes(40) + content[60:])
    async with SqliteJournal.open(path, STAMP, Nanos(6)) as journal:
        assert journal.recovered.state == history.state


@pytest.mark.parametrize(
    "other",
    [
        Stamp(Mode.LIVE, "paper", "a1"),
        Stamp(Mode.PAPER, "kite", "a1"),
        Stamp(Mode.PAPER, "paper", "a2"),
    ],
    ids=str,
)
async def test_a_store_of_another_mode_venue_or_account_is_refused(
    tmp_path: Path, other: Stamp
) -> None:
    path = tmp_path / "holdfast.db"
    history = await filled(path)
    said = await refusal(path, other)
    assert "paper on paper, account a1" in said
    assert str(other) in said
    async with SqliteJournal.open(path, STAMP, Nanos(6)) as journal:
        assert await journal.read() == history.entries


async def test_files_are_private_from_their_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "new" / "holdfast.db"
    history = History().run(30)
    mask = os.umask(0)
    try:
        async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
            await journal.append(history.entries, history.state)
            modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in path.parent.iterdir()}
    finally:
        os.umask(mask)
    assert set(modes.values()) == {0o600}
    assert {"holdfast.db", "holdfast.db-wal", "holdfast.db.watermark"} <= modes.keys()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_every_writing_connection_is_durable_and_strict(tmp_path: Path) -> None:
    async with SqliteJournal.open(tmp_path / "holdfast.db", STAMP, Nanos(5)) as journal:

        def pragmas(db: sqlite3.Connection) -> dict[str, object]:
            names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "mmap_size")
            return {name: (db.execute(f"PRAGMA {name}").fetchone() or (0,))[0] for name in names}

        found = await journal._submit(lambda: journal._writer.run(pragmas))
        strict = await journal._submit(
            lambda: journal._writer.run(
                lambda db: db.execute(
                    "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' "
                    "AND type = 'table' AND name NOT LIKE 'sqlite_%'"
                ).fetchall()
            )
        )
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "mmap_size": 0,
    }
    assert len(strict) == 10
    assert all(is_strict for _, is_strict in strict)


async def test_a_second_writer_is_found_out_as_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    history = History().run(40)
    first, rest = history.entries[:20], history.entries[20:]
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(first, fold(first))
        async with SqliteJournal.open(path, STAMP, Nanos(6)) as intruder:
            await intruder.append(rest, history.state)
        moved = [replace(entry, at=Nanos(entry.at + 1)) for entry in rest]
        with pytest.raises(JournalConflict):
            await journal.append(moved, fold(moved, fold(first)))


async def test_a_full_disk_is_not_written_and_the_same_append_works_later(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.db"
    history = History().run(2000)
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:

        def limit(pages: int) -> Callable[[], object]:
            return lambda: journal._writer.run(
                lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone()
            )

        await journal._submit(limit(40))
        with pytest.raises(NotWritten, match="SQLITE_FULL"):
            await journal.append(history.entries, history.state)
        assert await journal.read() == []
        await journal._submit(limit(1_000_000))
        await journal.append(history.entries, history.state)
        assert await journal.read() == history.entries
        assert await journal.differences() == []


async def test_a_database_deleted_under_a_running_engine_takes_no_more_entries(
    tmp_path: Path,
) -> None:
    path = tmp_path / "holdfast.db"
    history = History().run(40)
    first = history.entries[:20]
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(first, fold(first))
        path.rename(tmp_path / "elsewhere.db")
        with pytest.raises(NotWritten, match="the file is gone"):
            await journal.append(history.entries[20:], history.state)
        (tmp_path / "elsewhere.db").rename(path)
        await journal.append(history.entries[20:], history.state)


class FailingCommit(sqlite3.Connection):
    """A connection whose next commit raises; the transaction survives it, or does not."""

    armed: str = ""

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT" and FailingCommit.armed:
            survives, FailingCommit.armed = FailingCommit.armed == "survives", ""
            super().execute("COMMIT" if survives else "ROLLBACK")
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("fate", ["survives", "is lost"])
async def test_a_commit_that_raised_is_unknown_and_the_same_append_again_settles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    path = tmp_path / "holdfast.db"
    monkeypatch.setattr(
        sqlite_module,
        "connect",
        lambda p: sqlite3.connect(p, isolation_level=None, factory=FailingCommit),
    )
    history = History().run(40)
    first = history.entries[:20]
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(first, fold(first))
        FailingCommit.armed = fate
        with pytest.raises(OutcomeUnknown):
            await journal.append(history.entries[20:], history.state)
        await journal.append(history.entries[20:], history.state)
        assert await journal.read() == history.entries
        assert await journal.differences() == []
        more = History().run(60)
        await journal.append(more.entries[len(history.entries) :], more.state)
    assert len(more.entries) > len(history.entries)


async def test_a_cancelled_append_is_whole_or_absent_and_nothing_is_stuck(tmp_path: Path) -> None:
    history = History(5).run(400)
    async with SqliteJournal.open(tmp_path / "holdfast.db", STAMP, Nanos(5)) as journal:
        position = 0
        while position < len(history.entries):
            batch = history.entries[position : position + 5]
            state = fold(batch, fold(history.entries[:position]))
            task = asyncio.ensure_future(journal.append(batch, state))
            for _ in range(position % 4):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await journal.append(batch, state)  # again: what was cancelled may have landed
            position += len(batch)
        assert await journal.read() == history.entries
        assert await journal.differences() == []


async def test_a_watermark_that_cannot_be_synced_stops_the_next_commit_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    history = History().run(60)
    parts = [history.entries[:20], history.entries[20:40], history.entries[40:]]
    async with SqliteJournal.open(tmp_path / "holdfast.db", STAMP, Nanos(5)) as journal:
        with monkeypatch.context() as patch:
            patch.setattr("engine.store.watermark.os.fdatasync", broken)
            patch.setattr("engine.store.watermark.os.fsync", broken)
            await journal.append(parts[0], fold(parts[0]))
            with pytest.raises(OutcomeUnknown, match="watermark"):
                await journal.append(parts[1], fold(history.entries[:40]))
            with pytest.raises(JournalRefused, match="Input/output error"):
                await journal.append(parts[1], fold(history.entries[:40]))
        await journal.append(parts[1], fold(history.entries[:40]))
        await journal.append(parts[2], history.state)
        assert await journal.read() == history.entries


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    history = History().start()
    async with SqliteJournal.open(tmp_path / "holdfast.db", STAMP, Nanos(5)) as journal:
        pass
    with pytest.raises(NotWritten, match="closed"):
        await journal.append(history.entries, history.state)
