"""What the console never hides, never claims and never repaints (C-3, C-6, C-7, C-20)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain import event as ev
from engine.domain.ids import CommandId, FillId, OrderId, Seq
from engine.domain.money import Currency, Money
from engine.domain.order import Fill
from engine.domain.risk import LatchCause
from engine.domain.session import Mode
from engine.link.protocol import Disconnected, Lease, LogRecord, Quotes
from tests.tui.rig import NOW, Rig, price, pulse, welcome
from tests.tui.rig_crowd import crowd
from tests.tui.staged import frame, row, shown
from tui.settings import ConsoleSettings


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


async def test_before_the_engine_answers_the_start_is_told_and_nothing_is_called_lost() -> None:
    rig = Rig()
    rig.link.attach = lambda on_update: None  # type: ignore[method-assign]
    rig.app.desk.opening = "engine process 4242 started"
    async with rig.app.run_test(size=(100, 30)) as pilot:
        await frame(rig, pilot)
        text = rig.text()
        assert "STARTING" in text
        assert "engine process 4242 started" in text
        assert "takes up its positions" in text
        for wrong in ("LOST", "NOT PERSISTED", "FEED", "no open positions", "NO SESSION"):
            assert wrong not in text
        rig.pass_time(7, with_pulse=False)
        await frame(rig, pilot)
        assert "7s" in rig.text()
        assert "engine.out" in rig.text()


async def test_an_engine_that_comes_back_is_said_to_be_back_with_what_it_holds() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await frame(rig, pilot)
        rig.link.push(Disconnected("the engine is gone"))
        await frame(rig, pilot)
        assert "LINK LOST" in rig.text()
        rig.link.push(replace(rig.link.welcome, engine_pid=77))
        await frame(rig, pilot)
        assert "engine restarted (pid 77), 9 open positions watched" in rig.text()
        assert "LINK LOST" not in rig.text()


async def test_a_fresh_console_tells_what_happened_to_a_position_before_it_came() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        old = next(t for t in rig.link.state.closed if t.instrument == "TCS")
        text = "sold 10 TCS at 4050.00"
        logs = (LogRecord(old.entry_at, "info", "fill", text),)
        rig.link.push(replace(rig.link.welcome, logs=logs))
        await pilot.press("2", "tab")
        panel = rig.app.stage.panels["trades"]
        panel.grid.select(old.id)  # type: ignore[attr-defined]
        panel.show()
        await frame(rig, pilot)
        await frame(rig, pilot)
        assert text in rig.text()


async def test_an_answer_to_a_key_rings_nothing_counts_nothing_and_leaves_by_itself() -> None:
    async with shown((120, 36)) as (rig, pilot):
        rung, count = rig.app.desk.alerts.rung, rig.app.desk.alerts.count
        await pilot.press("t")
        await frame(rig, pilot)
        assert "theme " in rig.text()
        assert (rig.app.desk.alerts.rung, rig.app.desk.alerts.count) == (rung, count)
        rig.pass_time(9)
        await frame(rig, pilot)
        assert "theme " not in rig.text()


async def test_the_answer_to_the_newest_key_stands_before_an_older_command() -> None:
    async with shown((120, 36)) as (rig, pilot):
        rig.app.desk.progress.sent(CommandId("c"), "close TCS", rig.clock.monotonic())
        rig.app.stage.draw_frame()
        await frame(rig, pilot)
        assert "close TCS" in rig.text()
        rig.pass_time(1)
        await pilot.press("t")
        await frame(rig, pilot)
        assert "theme " in rig.text()
        assert "close TCS ▸" not in rig.text()


async def test_a_closed_trade_stays_chosen_while_its_detail_has_the_keys() -> None:
    async with shown((120, 36)) as (rig, pilot):
        await pilot.press("2", "tab")
        await frame(rig, pilot)
        chosen = rig.app.desk.selected
        assert chosen in {trade.id for trade in rig.link.state.closed}
        await pilot.press("tab")
        rig.pass_time(1)
        rig.tick("TCS", "3990.00")
        await frame(rig, pilot)
        assert rig.app.stage.focused is rig.app.stage.panels["detail"]
        assert rig.app.desk.selected == chosen
        await pilot.press("1")
        await frame(rig, pilot)
        assert rig.app.desk.selected in rig.link.state.positions
