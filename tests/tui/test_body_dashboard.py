"""The dashboard on a scripted engine: what is shown, what keys do, what is never hidden."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.ids import CommandId, FillId, OrderId, Seq
from engine.domain.money import Currency, Money
from engine.domain.order import Fill
from engine.domain.risk import LatchCause
from engine.domain.session import Mode
from engine.link.protocol import Disconnected, Lease, Quotes, Welcome
from tests.tui.rig import NOW, Rig, price, pulse, welcome
from tests.tui.rig_crowd import crowd
from tui.panels.positions import PositionsPanel
from tui.settings import ConsoleSettings


@asynccontextmanager
async def shown(
    size: tuple[int, int] = (120, 36),
    start: Welcome | None = None,
    settings: ConsoleSettings | None = None,
) -> AsyncIterator[tuple[Rig, Pilot[int]]]:
    rig = Rig(settings, start)
    async with rig.app.run_test(size=size) as pilot:
        rig.app.painter.start(1e6)  # frames are drawn by hand
        await frame(rig, pilot)
        yield rig, pilot


async def frame(rig: Rig, pilot: Pilot[int]) -> None:
    await pilot.pause()
    rig.draw()
    await pilot.pause()


def row(rig: Rig, name: str) -> str:
    lines = rig.app.stage.panels["positions"].shown
    return next(line for line in lines if name in line)


def cursor(rig: Rig) -> str | None:
    return rig.app.desk.selected


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


async def test_each_screen_is_one_key_away_and_six_and_seven_do_nothing() -> None:
    wanted = {"2": "Closed", "3": "Strategies", "4": "Components", "5": "Record", "1": "Stops"}
    async with shown() as (rig, pilot):
        for key, title in wanted.items():
            await pilot.press(key)
            await frame(rig, pilot)
            assert title in rig.text()
        before = rig.app.stage.view
        await pilot.press("6", "7")
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


async def test_a_silent_engine_shows_within_two_seconds_and_greys_every_figure() -> None:
    async with shown() as (rig, pilot):
        rig.pass_time(2.1, with_pulse=False)
        await frame(rig, pilot)
        assert "ENGINE SILENT 2 s" in rig.text()
        assert rig.app.is_grey
        assert "2s old" in rig.text()
        rig.link.push(pulse(rig.clock.now()))
        await frame(rig, pilot)
        assert "ENGINE SILENT" not in rig.text()
        assert not rig.app.is_grey


async def test_a_lost_link_greys_every_figure_and_counts() -> None:
    async with shown() as (rig, pilot):
        rig.link.push(Disconnected("socket closed"))
        for seconds in (0, 5):
            rig.pass_time(seconds, with_pulse=False)
            await frame(rig, pilot)
            assert f"LINK LOST {seconds} s: socket closed" in rig.text()
        assert rig.app.look.style("profit", is_grey=True) == rig.app.look.style("stale")


async def test_not_persisted_cannot_be_overlooked_in_any_view() -> None:
    async with shown((80, 24)) as (rig, pilot):
        rig.link.push(pulse(NOW, is_persisted=False, is_feed_up=True))
        for key in "12345":
            await pilot.press(key)
            await frame(rig, pilot)
            assert rig.text().count("NOT PERSISTED") == 2


async def test_live_mode_is_red_and_reverse_in_every_theme() -> None:
    rig = Rig()
    for look in rig.app.looks.values():
        style = look.style("live")
        assert style.reverse
        assert style.bold
        assert style.color is not None
        assert style.color.name in {"red", "#a00c1e"}


async def test_the_display_pauses_and_the_engine_does_not() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("space")
        rig.tick("BTC-PERP", "99999.0")
        rig.pass_time(4)
        await frame(rig, pilot)
        assert "DISPLAY PAUSED 4 s" in rig.text()
        assert "98,102.00" in row(rig, "BTC-PERP")
        await pilot.press("space")
        await frame(rig, pilot)
        assert "99,999.00" in row(rig, "BTC-PERP")


async def test_a_fired_exit_becomes_an_alert_until_acknowledged() -> None:
    async with shown() as (rig, pilot):
        await pilot.press("a")
        order = rig.link.state.orders[OrderId("x8")].order
        fee = Money(Decimal(1), Currency("INR"))
        fill = Fill(FillId("f-x8"), order.id, price("812.00"), order.qty, fee, NOW)
        rig.link.happen(NOW, ev.OrderFilled(fill))
        await frame(rig, pilot)
        assert "SBIN closed: manual" in rig.text()
        assert not any("SBIN" in line for line in rig.app.stage.panels["positions"].shown)
        await pilot.press("a")
        await frame(rig, pilot)
        assert "SBIN closed" not in rig.text()


async def test_a_flatten_in_force_stands_over_everything() -> None:
    async with shown() as (rig, pilot):
        latched = ev.FlattenLatched(LatchCause.OPERATOR, "news", "console")
        rig.link.happen(NOW, latched)
        await frame(rig, pilot)
        assert "FLATTEN 9 still open (operator): news" in rig.text()


async def test_a_filter_keeps_what_matches() -> None:
    async with shown() as (rig, pilot):
        positions = rig.app.stage.panels["positions"]
        for text, count in (("nifty", 3), ("!nifty", 6), ("pnl<0", 4), ("stop<0.5", 1), ("x", 0)):
            rig.app.act("filter.use", text)
            await frame(rig, pilot)
            assert len(positions.grid.order) == count  # type: ignore[attr-defined]
        await pilot.press("escape")
        await frame(rig, pilot)
        assert len(positions.grid.order) == 9  # type: ignore[attr-defined]


async def test_the_log_follows_until_the_cursor_moves_up() -> None:
    async with shown((120, 36), settings=ConsoleSettings(view="logs")) as (rig, pilot):
        rig.log("one more")
        await frame(rig, pilot)
        assert "one more" in rig.text()
        await pilot.press("k", "k")
        rig.log("later")
        await frame(rig, pilot)
        assert "held, 3 newer" in rig.text()
        await pilot.press("f")
        await frame(rig, pilot)
        assert "later" in "\n".join(rig.app.stage.panels["record"].shown)


async def test_the_log_shows_the_level_asked_for_and_above() -> None:
    async with shown(settings=ConsoleSettings(view="logs")) as (rig, pilot):
        rig.app.act("logs.level", "error")
        await frame(rig, pilot)
        lines = [line for line in rig.app.stage.panels["log"].shown[1:] if line.strip()]
        assert len(lines) == 1
        assert "ERROR" in lines[0]


async def test_an_entry_out_of_step_fetches_a_fresh_snapshot() -> None:
    async with shown() as (rig, pilot):
        entry = ev.Entry(Seq(rig.link.state.seq + 7), NOW, ev.EntriesAllowed("x"))
        rig.link.push(entry)
        await frame(rig, pilot)
        assert "console fault in replica" in rig.text()
        assert rig.app.desk.replica.lost == ""
        assert rig.app.desk.replica.state.seq == rig.link.welcome.state.seq


async def test_a_panel_that_fails_becomes_an_alert_and_the_rest_goes_on() -> None:
    async with shown() as (rig, pilot):
        rig.app.stage.panels["stops"].draw = lambda width, height: 1 // 0  # type: ignore[assignment, return-value]
        rig.tick("BTC-PERP", "98200.0")
        await frame(rig, pilot)
        assert "console fault in show_guarded: ZeroDivisionError" in rig.text()
        assert "98,200.00" in row(rig, "BTC-PERP")


async def test_nothing_is_repainted_when_nothing_changed() -> None:
    async with shown() as (rig, pilot):
        rig.app.stage.panels["positions"].put(rig.app.stage.panels["positions"].shown_spans)
        assert not rig.app.stage.panels["positions"]._repaint_regions
        rig.link.push(Quotes(()))
        rig.draw()
        assert not any(panel._repaint_regions for panel in rig.app.stage.visible_panels)
        await pilot.pause()


async def test_one_changed_price_repaints_only_its_cells() -> None:
    async with shown() as (rig, _):
        panel = rig.app.stage.panels["positions"]
        rig.tick("BTC-PERP", "98102.5")
        rig.draw()
        regions = panel._repaint_regions
        assert len(regions) == 1
        (region,) = regions
        assert region.height == 1
        assert region.width < 60


async def test_a_hundred_positions_are_all_brought_up_to_date() -> None:
    async with shown((120, 36), crowd(100)) as (rig, pilot):
        for _ in range(12):
            rig.link.push(pulse(rig.clock.now()))
            await frame(rig, pilot)
        assert all(item.pnl is not None for item in rig.app.desk.book.all())
        assert "Positions 100" in rig.text()


async def test_what_needs_control_is_refused_with_the_reason_while_another_has_it() -> None:
    async with shown(start=welcome(is_mine=False)) as (rig, pilot):
        await pilot.press("x")
        await frame(rig, pilot)
        assert "console pid 12 on box is in control" in rig.text()
        rig.link.push(Lease("me", is_mine=True))
        await pilot.press("x")
        await pilot.pause()
        assert rig.app.screen is not rig.app.stage


async def test_a_command_is_followed_from_sent_to_refused() -> None:
    async with shown() as (rig, pilot):
        command = CommandId("console-1")
        rig.app.desk.progress.sent(command, "close TCS", rig.clock.now())
        await frame(rig, pilot)
        rig.app.stage.draw_frame()
        await pilot.pause()
        assert "close TCS ▸ sent" in rig.text()
        rig.link.happen(NOW, ev.CommandRefused(command, "console", "price moved 3 %"))
        await frame(rig, pilot)
        assert "close TCS ▸ refused: price moved 3 %" in rig.text()


async def test_a_live_session_says_live_first() -> None:
    state = welcome().state
    assert state.session is not None
    live = replace(welcome(), state=replace(state, session=replace(state.session, mode=Mode.LIVE)))
    async with shown((80, 24), live) as (rig, _):
        assert rig.text().startswith(" LIVE ")
