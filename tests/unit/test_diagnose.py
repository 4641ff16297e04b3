"""The doctor on real data directories: new, in use, damaged, wrongly configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bootstrap.diagnose import diagnose
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.runtime.clock import ManualClock
from engine.runtime.doctor import Finding, Grade, Question
from engine.store.lock import held
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History

CLOCK = ManualClock(Nanos(1_769_753_527 * 1_000_000_000))


@pytest.fixture
async def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a journal of some length."""
    monkeypatch.chdir(tmp_path)  # no .env of whoever runs the tests
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    history = History(seed=3).run(50)
    stamp = Stamp(Mode.PAPER, "paper")
    async with SqliteJournal.open(made / "holdfast.db", stamp, CLOCK.now()) as journal:
        await journal.append(history.entries, history.state)
    return made


def about(what: str, found: list[Finding]) -> Finding:
    (finding,) = (f for f in found if f.about == what)
    return finding


def test_a_store_that_is_whole_is_well(data_dir: Path) -> None:
    found = diagnose(data_dir, CLOCK)
    assert about("store", found).grade is Grade.OK
    assert "entries, all of them unbroken; mode paper" in about("store", found).what
    assert about("engine", found).what == "none is running here"
    assert about("configuration", found).what == "all defaults"


def test_a_damaged_entry_fails_and_is_not_touched(data_dir: Path) -> None:
    database = data_dir / "holdfast.db"
    data = bytearray(database.read_bytes())
    place = data.rindex(b"NIFTY")
    data[place : place + 5] = b"NIFTX"
    database.write_bytes(data)
    finding = about("store", diagnose(data_dir, CLOCK))
    assert finding.grade is Grade.FAIL
    assert "restore a backup" in finding.mend
    assert database.read_bytes() == data


def test_a_store_that_vanished_fails_and_a_new_directory_does_not(data_dir: Path) -> None:
    (data_dir / "holdfast.db").unlink()
    assert about("store", diagnose(data_dir, CLOCK)).grade is Grade.FAIL
    new = data_dir / "new"
    assert about("store", diagnose(new, CLOCK)).what == "none yet"
    assert not new.exists()


def test_a_wrong_value_is_named_with_its_place(data_dir: Path) -> None:
    (data_dir / "holdfast.toml").write_text("[exits.trailing]\npct = 7", "utf-8")
    finding = about("configuration", diagnose(data_dir, CLOCK))
    assert finding.grade is Grade.FAIL
    assert finding.what.startswith(f"{data_dir / 'holdfast.toml'}: exits.trailing.pct was 7")
    fixed = diagnose(data_dir, CLOCK, sets=["exits.trailing.pct=0.07"])
    assert "from --set" in about("configuration", fixed).what


def test_an_engine_at_work_is_named_and_not_disturbed(data_dir: Path) -> None:
    with held(data_dir, CLOCK.now()) as owner:
        found = diagnose(data_dir, CLOCK)
    assert about("engine", found).what == f"pid {owner.pid} runs here since 2026-01-30 06:12:07 UTC"
    assert about("store", found).grade is Grade.OK


def test_the_caller_adds_its_own_questions(data_dir: Path) -> None:
    more = [Question("terminal", lambda: "utf-8, 24 bit colour", "set TERM")]
    assert about("terminal", diagnose(data_dir, CLOCK, more=more)).grade is Grade.OK
