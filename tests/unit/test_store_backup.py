"""Backups are made online, verified, rehearsed; a restore deletes nothing and forgets nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.ports.journal import JournalRefused
from engine.store import backup, watermark
from engine.store.lock import DirectoryHeld, held
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import Desk, tick

STAMP = Stamp(Mode.PAPER, "paper")
NOW = Nanos(1_764_568_800_000_000_000)


@pytest.fixture
def desk() -> Desk:
    made = Desk().start()
    made.tick(tick("30.00", 1))
    made.open("a")
    return made


async def kept(path: Path, desk: Desk, done: int = 0) -> int:
    async with SqliteJournal.open(path, STAMP, NOW) as journal:
        await journal.append(desk.entries[done:], desk.state)
    return len(desk.entries)


async def test_a_backup_made_beside_an_open_store_leads_to_the_same_state(
    tmp_path: Path, desk: Desk
) -> None:
    path = tmp_path / "holdfast.db"
    async with SqliteJournal.open(path, STAMP, NOW) as journal:
        await journal.append(desk.entries, desk.state)
        made = backup.make(path, tmp_path / "backups", NOW)
        assert made.state == desk.state
        assert made.path.stat().st_mode & 0o777 == 0o600
        assert backup.newest_good(tmp_path / "backups") == made


async def test_only_the_newest_are_kept(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "holdfast.db"
    await kept(path, desk)
    made = [
        backup.make(path, tmp_path / "backups", Nanos(NOW + i * 10**9), keep=2).path
        for i in range(4)
    ]
    assert backup.listed(tmp_path / "backups") == [made[3], made[2]]


async def test_a_restore_is_refused_where_entries_would_be_lost(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "holdfast.db"
    done = await kept(path, desk)
    made = backup.make(path, tmp_path / "backups", NOW)
    desk.tick(tick("20.00", 2))
    await kept(path, desk, done)
    lost = len(desk.entries) - done
    assert backup.rehearse(made.path, path).lost == lost
    with pytest.raises(JournalRefused, match=f"{lost} entries would be lost"):
        backup.restore(made.path, path, NOW)
    backup.restore(made.path, path, NOW, accept_loss=True)
    async with SqliteJournal.open(path, STAMP, NOW) as journal:
        assert journal.recovered.state == made.state
    (aside,) = (tmp_path / "replaced").iterdir()
    with sqlite3.connect(aside / "holdfast.db") as old:
        assert old.execute("SELECT max(seq) FROM events").fetchone()[0] == len(desk.entries)


async def test_a_store_that_became_an_empty_file_is_refused_and_comes_back_from_its_backup(
    tmp_path: Path, desk: Desk
) -> None:
    path = tmp_path / "holdfast.db"
    await kept(path, desk)
    made = backup.make(path, tmp_path / "backups", NOW)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(b"")
    with pytest.raises(JournalRefused, match="is empty"):
        async with SqliteJournal.open(path, STAMP, NOW):
            pass
    assert backup.restore(made.path, path, NOW).lost == 0
    async with SqliteJournal.open(path, STAMP, NOW) as journal:
        assert journal.recovered.state == desk.state


@pytest.mark.parametrize("step", ["moved", "in place"])
async def test_a_restore_killed_half_way_leaves_a_store_that_refuses_to_open(
    tmp_path: Path, desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "holdfast.db"
    done = await kept(path, desk)
    made = backup.make(path, tmp_path / "backups", NOW)
    desk.tick(tick("20.00", 2))
    await kept(path, desk, done)

    class Killed(BaseException):
        pass

    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if step == "moved" and self.name.endswith(".incoming"):
            raise Killed
        return real(self, target)

    def put(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Path, "rename", rename)
    if step == "in place":
        monkeypatch.setattr(backup, "_put_watermark", put)
    with pytest.raises(Killed):
        backup.restore(made.path, path, NOW, accept_loss=True)
    monkeypatch.undo()
    with pytest.raises(JournalRefused):
        async with SqliteJournal.open(path, STAMP, NOW):
            pass
    backup.restore(made.path, path, Nanos(NOW + 10**9), accept_loss=True)
    async with SqliteJournal.open(path, STAMP, NOW) as journal:
        assert journal.recovered.state == made.state


async def test_a_damaged_backup_is_refused_and_the_one_before_is_taken(
    tmp_path: Path, desk: Desk
) -> None:
    path = tmp_path / "holdfast.db"
    await kept(path, desk)
    good = backup.make(path, tmp_path / "backups", NOW)
    bad = backup.make(path, tmp_path / "backups", Nanos(NOW + 10**9))
    with sqlite3.connect(bad.path) as db:
        db.execute("UPDATE events SET at_ns = at_ns + 1 WHERE seq = 2")
    with pytest.raises(JournalRefused):
        backup.verified(bad.path)
    assert backup.newest_good(tmp_path / "backups") == good


async def test_a_running_engine_is_not_pulled_from_under(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "holdfast.db"
    await kept(path, desk)
    made = backup.make(path, tmp_path / "backups", NOW)
    before = watermark.read(watermark.beside(path))
    with held(tmp_path, NOW), pytest.raises(DirectoryHeld):
        backup.restore(made.path, path, NOW)
    assert watermark.read(watermark.beside(path)) == before
