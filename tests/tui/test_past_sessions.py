"""Screen 6: the sessions of the store, and what became of the one under the cursor (C-15)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.past_days import days
from tests.tui.past_rig import listed, opened, s2, until, with_past
from tests.tui.staged import frame, shown


def lines(rig: object, name: str) -> str:
    return "\n".join(rig.app.stage.panels[name].shown)  # type: ignore[attr-defined]


async def test_sessions_are_listed_newest_first_with_status_result_and_proof(
    tmp_path: Path,
) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        head, *rows = rig.app.stage.panels["sessions"].shown[1:5]
        assert "STATUS" in head
        assert [row.split()[2] for row in rows] == ["running", "recovered", "ended"]
        assert "+352.50" in rows[2]
        assert "-502.50" in rows[1]
        assert all("OK" in row for row in rows)
        assert "Sessions 3" in lines(rig, "sessions")


async def test_a_crash_its_report_and_the_decision_are_told(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        await pilot.press("j")
        await frame(rig, pilot)
        told = lines(rig, "session")
        assert s2() in told
        assert "CRASHED" in told
        assert "found 12m00s later, 1 position and 0 orders were open" in told
        assert "resume by operator: the stops stand" in told
        assert "by process 4711: the engine died" in told
        assert "session s1 of" in told
        assert "1 position held on, it had made +352.50 INR" in told
        assert "checkpoints" in told


async def test_a_broken_balance_names_its_row(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        with sqlite3.connect(tmp_path / "holdfast.db") as db:
            db.execute("UPDATE positions SET pnl = pnl + 5 WHERE position_id = 's1-4'")
        db.close()
        await listed(rig, pilot)
        await pilot.press("j", "j")
        await frame(rig, pilot)
        assert "BROKEN" in rig.app.stage.panels["sessions"].shown[4]
        assert "position s1-4: P&L is off by 5 INR" in lines(rig, "session")


async def test_the_table_is_sorted_filtered_and_searched_like_the_others(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        rig.app.act("filter.use", "recovered")
        await frame(rig, pilot)
        assert "Sessions 1 of 3" in lines(rig, "sessions")
        rig.app.act("filter.use", "!recovered")
        await frame(rig, pilot)
        assert "Sessions 2 of 3" in lines(rig, "sessions")
        await pilot.press("escape", "s", "s")
        await frame(rig, pilot)
        assert "by pnl" in lines(rig, "sessions")
        assert "-502.50" in rig.app.stage.panels["sessions"].shown[2]
        await pilot.press("S")
        await frame(rig, pilot)
        assert "+352.50" in rig.app.stage.panels["sessions"].shown[2]


async def test_without_a_store_the_screen_says_that_there_is_no_past() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("6")
        await until(pilot, lambda: bool(rig.app.desk.sessions.why))
        await frame(rig, pilot)
        assert "no past: nothing is kept" in rig.text()


async def test_a_lost_engine_is_said_and_leaves_the_list_standing(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        rig.link.is_down = True
        await pilot.press("1", "6")
        await until(pilot, lambda: rig.app.desk.sessions.why == "the engine is gone")
        await frame(rig, pilot)
        assert "Sessions 3" in lines(rig, "sessions")


async def test_enter_opens_the_time_line_of_the_row(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        await pilot.press("j", "enter")
        past = rig.app.past
        assert past is not None
        await until(pilot, lambda: past.bringing.is_over)
        assert past.bringing.session == s2()


async def test_a_session_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await opened(rig, pilot, "nobody")
        assert "there is no session nobody" in rig.text()
        await pilot.press("escape")
        assert rig.app.past is None


async def test_the_command_line_opens_a_session_by_its_name(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        await listed(rig, pilot)
        await pilot.press("colon", *"session s1", "enter")
        past = rig.app.past
        assert past is not None
        await until(pilot, lambda: past.bringing.is_over)
        assert past.line is not None
        assert past.line.record.session == "s1"
        assert past.line.record.last < len(days())


async def test_a_long_decision_is_read_to_its_end_on_a_narrow_screen(tmp_path: Path) -> None:
    async with with_past(tmp_path, (60, 30)) as (rig, pilot):
        await listed(rig, pilot)
        await pilot.press("j", "tab")
        await frame(rig, pilot)
        told = " ".join(" ".join(rig.app.stage.panels["session"].shown).split())
        assert "found 12m00s later, 1 position and 0 orders were open" in told
        assert "it had made +352.50 INR" in told
        assert "…" not in told
