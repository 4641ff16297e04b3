"""The doctor names what is wrong and its mend, on real directories, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.domain.ids import Nanos
from engine.runtime.clock import ManualClock
from engine.runtime.doctor import (
    Finding,
    Grade,
    Question,
    answer,
    disk,
    examine,
    judge_free,
    permissions,
    python,
    sqlite,
    time_zones,
    wall_clock,
    worst,
)

NOW = Nanos(1_764_063_000 * 1_000_000_000)  # 25 Nov 2025


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    return made


def bad(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.grade is not Grade.OK]


def test_a_new_and_private_directory_is_well(home: Path) -> None:
    found = examine(home, ManualClock(NOW))
    assert not [f for f in bad(found) if f.about != "disk"]
    assert {f.about for f in found} == {
        *("python", "sqlite", "time zones", "clock", "disk", "data directory", "files")
    }


def test_everything_that_is_not_well_says_how_it_is_mended(home: Path) -> None:
    home.chmod(0o755)
    (home / "holdfast.db").touch()
    (home / "holdfast.db").chmod(0o644)  # whatever the umask of this process is by now
    found = examine(home, ManualClock(Nanos(0)), [Question("store", lambda: 1 / 0, "restore")])  # type: ignore[arg-type, return-value]
    assert {f.about for f in bad(found)} >= {"clock", "data directory", "files", "store"}
    assert all(finding.mend for finding in bad(found))
    assert worst(found) is Grade.FAIL


def test_files_that_others_may_read_are_named_with_their_command(home: Path) -> None:
    (home / "logs").mkdir(0o700)
    for name in ("holdfast.db", "logs/holdfast.log", "token"):
        (home / name).touch()
        (home / name).chmod(0o600)
    assert not bad(list(permissions(home)))
    log = home / "logs" / "holdfast.log"
    log.chmod(0o640)
    [finding] = bad(list(permissions(home)))
    assert (finding.grade, finding.mend) == (Grade.WARN, f"chmod 600 {log}")
    assert "0640" in finding.what


def test_a_directory_that_is_not_there_would_be_made(tmp_path: Path) -> None:
    [finding] = permissions(tmp_path / "a" / "b")
    assert finding.grade is Grade.OK
    assert not (tmp_path / "a").exists()
    assert disk(tmp_path / "a" / "b").what.endswith(str(tmp_path))


def test_a_file_in_the_place_of_the_directory_fails(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    [finding] = permissions(blocked)
    assert (finding.grade, finding.what) == (Grade.FAIL, f"{blocked} is no directory")
    [below] = permissions(blocked / "data")
    assert below.grade is Grade.FAIL


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_may_not_be_written_fails(home: Path) -> None:
    home.chmod(0o500)
    [finding] = permissions(home)
    assert finding.grade is Grade.FAIL


@pytest.mark.parametrize(
    ("free", "grade"),
    [(49.9, Grade.FAIL), (50, Grade.WARN), (999.9, Grade.WARN), (1_000, Grade.OK)],
)
def test_little_space_warns_and_none_fails(free: float, grade: Grade) -> None:
    assert judge_free(free, Path("/data")).grade is grade


@pytest.mark.parametrize(
    ("version", "grade"), [((3, 10, 9), Grade.FAIL), ((3, 11, 0), Grade.OK), ((3, 14, 1), Grade.OK)]
)
def test_pythons(version: tuple[int, ...], grade: Grade) -> None:
    assert python(version).grade is grade


def test_an_sqlite_with_the_wal_fault_is_noted_and_one_without_strict_tables_fails() -> None:
    assert "WAL-reset" in sqlite((3, 40, 1)).what
    assert "WAL-reset" in sqlite((3, 51, 2)).what
    assert sqlite((3, 51, 3)) == Finding(Grade.OK, "sqlite", "3.51.3")
    assert sqlite((3, 36, 0)).grade is Grade.FAIL


@pytest.mark.parametrize(
    ("now", "grade"),
    [(0, Grade.FAIL), (NOW, Grade.OK), (4_000_000_000 * 1_000_000_000, Grade.WARN)],
)
def test_a_clock_that_cannot_be_right_is_named(now: int, grade: Grade) -> None:
    assert wall_clock(ManualClock(Nanos(now))).grade is grade


def test_a_zone_that_is_missing_fails() -> None:
    assert time_zones().grade is Grade.OK
    assert time_zones(["Mars/Olympus"]).mend == "pip install tzdata"


def test_what_a_question_raises_becomes_its_finding() -> None:
    def refuse() -> str:
        raise ValueError("exits.trailing.pct was 7")

    good = Question("configuration", lambda: "3 values set", "mend it")
    assert answer(good) == Finding(Grade.OK, "configuration", "3 values set")
    expected = Question("configuration", refuse, "mend it", (ValueError,))
    assert answer(expected) == Finding(
        Grade.FAIL, "configuration", "exits.trailing.pct was 7", "mend it"
    )
    odd = Question("terminal", refuse, "mend it", (OSError,), is_needed=False)
    assert answer(odd).what == "ValueError: exits.trailing.pct was 7"
    assert answer(odd).grade is Grade.WARN


def test_the_worst_finding_decides() -> None:
    ok, warn = Finding(Grade.OK, "a", ""), Finding(Grade.WARN, "b", "", "x")
    assert (worst([]), worst([ok]), worst([ok, warn, ok])) == (Grade.OK, Grade.OK, Grade.WARN)
