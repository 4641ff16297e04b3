"""The dashboard on a scripted engine: what is shown, what keys do, what is never hidden."""

from __future__ import annotations

import pytest

from tests.tui.staged import cursor, frame, row, shown
from tui.panels.positions import PositionsPanel
from tui.settings import ConsoleSettings


async def test_a_row_says_price_age_room_profit_and_side() -> None:
    async with shown() as (rig, _):
        line = row(rig, "NIFTY25DEC25900PUT")
        for part in ("33.50", "now", "11.11%", "+262.50", "+11.67%", "LONG PUT", "75", "30.15"):
            assert part in line


async def test_rows_are_sorted_by_danger_closing_first() -> None:
    async with shown() as (rig, _):
        names = [line[1:].split(" ")[0] for line in rig.app.stage.panels["positions"].shown[2:6]]
        assert names == ["SBIN", "TCS", "RELIANCE", "HDFCBANK"]


async def test_ce_and_pe_are_never_on_screen() -> None:
    for view in ("dashboard", "positions", "strategies", "health", "logs"):
        async with shown((200, 50), settings=ConsoleSettings(view=view)) as (rig, _):
            text = rig.text()
            assert "00CE" not in text
            assert "00PE" not in text


async def test_a_stale_price_is_marked_and_grey() -> None:
    async with shown() as (rig, _):
        assert "?1m" in row(rig, "HDFCBANK")
        spans = rig.app.stage.panels["positions"].shown_spans
        line = next(s for s in spans if any("HDFCBANK" in text for text, _ in s))
        assert {token for text, token in line if "1,628.20" in text} == {"stale"}


async def test_the_worked_example_reads_to_the_paisa_on_the_ladder() -> None:
    async with shown() as (rig, pilot):
        for _ in range(7):
            await pilot.press("j")
        await frame(rig, pilot)
        ladder = "\n".join(rig.app.stage.panels["stops"].shown)
        assert cursor(rig) == "p1"
        for part in ("33.50", "+11.67%", "22.50", "48.89%", "30.15", "11.11%"):
            assert part in ladder


async def test_a_losing_position_shows_vwap_and_open_interest() -> None:
    async with shown() as (rig, pilot):
        rig.app.stage.panels["positions"].grid.select("p2")  # type: ignore[attr-defined]
        await frame(rig, pilot)
        await pilot.press("j", "k")
        ladder = "\n".join(rig.app.stage.panels["stops"].shown)
        for part in ("VWAP now", "38.52", "OI now", "+6.30%"):
            assert part in ladder


async def test_the_cursor_stays_on_its_position_when_rows_move() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("j")
        assert cursor(rig) == "p7"
        rig.pass_time(3)
        rig.tick("TCS", "4500.00")
        await frame(rig, pilot)
        assert cursor(rig) == "p7"
        assert ">TCS" in row(rig, "TCS")
        assert rig.app.stage.panels["positions"].shown[3][1:9] == "RELIANCE"


async def test_rows_keep_their_places_for_two_seconds_after_a_cursor_key() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("j")
        rig.pass_time(1)
        rig.tick("TCS", "4500.00")
        await frame(rig, pilot)
        assert rig.app.stage.panels["positions"].shown[3][1:4] == "TCS"
        rig.pass_time(1.1)
        await frame(rig, pilot)
        assert rig.app.stage.panels["positions"].shown[3][1:9] == "RELIANCE"


async def test_resizing_keeps_focus_and_selection() -> None:
    async with shown((200, 50)) as (rig, pilot):
        await pilot.press("j", "j")
        for size in ((40, 10), (20, 5), (1, 1), (80, 24), (250, 70)):
            await pilot.resize_terminal(*size)
            await frame(rig, pilot)
        assert cursor(rig) == "p5"
        assert isinstance(rig.app.stage.focused, PositionsPanel)


async def test_forty_by_ten_has_status_six_rows_and_keys() -> None:
    async with shown((40, 10)) as (rig, _):
        lines = rig.text().split("\n")
        assert "PAPER" in lines[0]
        assert "11:42:07" in lines[0]
        rows = lines[3:9]
        assert all("%" in line or "CLOSING" in line for line in rows)
        assert "Help" in lines[9]


async def test_below_forty_by_ten_stands_a_notice() -> None:
    async with shown((39, 9)) as (rig, _):
        assert "needs 40x10" in rig.text()
        assert "the engine goes on" in rig.text()


@pytest.mark.parametrize("columns", [60, 70, 79, 80, 100, 140])
async def test_narrow_tables_drop_columns_and_never_cut_a_figure(columns: int) -> None:
    async with shown((columns, 24)) as (rig, _):
        line = row(rig, "BANKNIFTY25DEC55200PUT")
        for part in ("188.40", "6.46%", "+756.00"):
            assert part in line
        assert "…" not in "\n".join(rig.app.stage.panels["positions"].shown[2:])


async def test_each_screen_is_one_key_away_and_seven_does_nothing() -> None:
    wanted = {"2": "Closed", "3": "Strategies", "4": "Components", "5": "Record", "6": "Session"}
    async with shown() as (rig, pilot):
        for key, title in wanted.items():
            await pilot.press(key)
            await frame(rig, pilot)
            assert title in rig.text()
        await pilot.press("1")
        before = rig.app.stage.view
        await pilot.press("7")
        assert rig.app.stage.view == before


async def test_zoom_gives_the_screen_to_one_panel_and_back() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("z")
        await frame(rig, pilot)
        assert "Log" not in [p.TITLE for p in rig.app.stage.visible_panels]
        await pilot.press("escape")
        await frame(rig, pilot)
        assert len(rig.app.stage.visible_panels) == 4


async def test_tab_reaches_panels_that_are_folded_away() -> None:
    async with shown((80, 24)) as (rig, pilot):
        assert "Health" not in [p.TITLE for p in rig.app.stage.visible_panels]
        for _ in range(5):
            await pilot.press("tab")
        await frame(rig, pilot)
        assert rig.app.stage.focused is rig.app.stage.panels["health"]
        assert "exit path" in rig.text()
