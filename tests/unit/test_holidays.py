"""Holidays come from the calendar library, in another process, and stay on file."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from engine.runtime import holidays as module
from engine.runtime.holidays import Holidays, HolidaysUnknown, holidays

TODAY = date(2025, 11, 25)
DIWALI = date(2025, 10, 22)
THANKSGIVING = date(2025, 11, 27)


def written(path: Path, **change: object) -> None:
    """Change what is kept, so that a test sees whether it was read."""
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")


async def test_the_library_is_asked_once_and_its_answer_is_kept_privately(tmp_path: Path) -> None:
    nse = await holidays("NSE", TODAY, tmp_path)
    assert (nse.is_session(DIWALI), nse.is_session(TODAY)) == (False, True)
    assert nse.is_session(date(2025, 11, 23)) is False
    file = tmp_path / "holidays-NSE.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    written(file, closed=["2025-11-25"])
    assert (await holidays("NSE", TODAY, tmp_path)).is_session(TODAY) is False


def test_the_process_that_asks_never_loads_the_library(tmp_path: Path) -> None:
    asking = (
        "import asyncio, sys; from datetime import date; from pathlib import Path; "
        "from engine.runtime.holidays import holidays; "
        "asyncio.run(holidays('NSE', date(2025, 11, 25), Path(sys.argv[1]))); "
        "print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", asking, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    assert (tmp_path / "holidays-NSE.json").exists()


async def test_an_early_close_is_known_in_local_time(tmp_path: Path) -> None:
    nyse = await holidays("NYSE", TODAY, tmp_path)
    assert nyse.is_session(THANKSGIVING) is False
    assert nyse.early[date(2025, 11, 28)] == "13:00"


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"first": 1}', '{"first": "2025-01-01"}'])
async def test_a_damaged_file_is_asked_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "holidays-NSE.json"
    file.write_text(text, "utf-8")
    assert (await holidays("NSE", TODAY, tmp_path)).is_session(DIWALI) is False
    assert json.loads(file.read_text("utf-8"))["made_by"].startswith("XBOM 2025 ")


async def test_another_year_or_library_is_asked_anew(tmp_path: Path) -> None:
    await holidays("NSE", TODAY, tmp_path)
    file = tmp_path / "holidays-NSE.json"
    written(file, closed=[], made_by="XBOM 2025 exchange_calendars 1.0")
    assert (await holidays("NSE", TODAY, tmp_path)).closed
    written(file, closed=[])
    assert (await holidays("NSE", date(2026, 1, 1), tmp_path)).closed


async def test_a_directory_that_cannot_be_written_only_costs_the_next_question(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    assert (await holidays("NSE", TODAY, blocked)).is_session(DIWALI) is False


async def test_what_the_library_does_not_know_is_said(tmp_path: Path) -> None:
    with pytest.raises(HolidaysUnknown, match="only of NSE"):
        await holidays("24/7", TODAY, tmp_path)
    with pytest.raises(HolidaysUnknown, match="XBOM is known until"):
        await holidays("NSE", date(2150, 1, 1), tmp_path)
    assert not list(tmp_path.iterdir())


async def test_a_library_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIMIT_S", 0.0)
    with pytest.raises(HolidaysUnknown, match="no answer within 0 s"):
        await holidays("NSE", TODAY, tmp_path)


def test_outside_the_known_range_nothing_is_claimed() -> None:
    known = Holidays(
        "NSE",
        date(2025, 1, 1),
        date(2025, 12, 31),
        frozenset({DIWALI}),
        frozenset({date(2025, 2, 1)}),
    )
    assert known.is_session(date(2024, 12, 31)) is None
    assert known.is_session(date(2026, 1, 1)) is None
    assert known.is_session(date(2025, 12, 31)) is True
    assert known.is_session(date(2025, 2, 1)) is True  # a Saturday with a budget session
