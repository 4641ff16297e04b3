"""Closing: nothing is confirmed blind, and what is sent is what was seen (C-2, C-3)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.command import ClosePosition
from engine.domain.evolve import evolve
from engine.domain.ids import InstrumentId, Seq
from engine.domain.instrument import Instrument, Kind
from engine.domain.money import Currency
from engine.domain.order import ExitKind, ExitReason, Side
from engine.domain.state import State
from engine.link.protocol import Disconnected, Lease
from tests.tui.asked import readable, ready, said, select
from tests.tui.rig import NOW, Rig, scripted_state, welcome
from tests.tui.rig_script import HOSTILE, PUT, _fill, _order
from tui.dialog import Dialog
from tui.screens.close import CloseDialog
from tui.screens.flatten import FlattenDialog
from tui.screens.partial import PartialDialog
from tui.settings import ConsoleSettings
from tui.stage import Stage


async def test_y_after_a_look_closes_the_position_that_was_shown() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.position == "p5"
        assert command.qty is None
        assert command.seen_qty == 100
        assert command.seen_price == Decimal("2941.35")
        assert command.slack == Decimal("0.02")
        assert not command.accept_stale
        assert command.by == "console"


async def test_the_dialog_says_what_is_closed_at_which_price_and_what_it_gives_up() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("x")
        await pilot.pause()
        text = rig.text()
        assert "NIFTY25DEC25900PUT  LONG 75" in text
        assert "33.50  just now" in text
        assert "+262.50 INR" in text
        assert "initial 22.50, trailing 30.15" in text
        assert "holdfast close p1" in text
        assert "cancels in 20 s" in text


async def test_price_age_and_profit_in_the_dialog_live_on() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.tick(PUT, "33.80")
        rig.pass_time(5)
        _dialog(rig).tick()
        await pilot.pause()
        text = rig.text()
        assert "33.80  5s old" in text
        assert "+285.00 INR" in text


async def test_keys_typed_ahead_are_dropped() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x", "y", "y")
        await pilot.pause()
        assert rig.link.sent == []
        assert isinstance(rig.app.screen, CloseDialog)
        rig.pass_time(0.299)
        await pilot.press("y")
        assert rig.link.sent == []
        rig.pass_time(0.001)
        await pilot.press("y")
        await pilot.pause()
        assert len(rig.link.sent) == 1


@pytest.mark.parametrize("key", ["x", "percent_sign", "e", "X", "K"])
async def test_enter_on_opening_cancels(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press(key)
        await readable(rig, pilot)
        assert isinstance(rig.app.screen, Dialog)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.link.sent == []


@pytest.mark.parametrize("key", ["escape", "n"])
async def test_escape_and_n_cancel(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x", key)
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.link.sent == []


@pytest.mark.parametrize("key", ["x", "percent_sign", "e", "X", "K", "U"])
async def test_no_single_key_however_often_trades_anything(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        for _ in range(8):
            await pilot.press(key)
            await readable(rig, pilot)
        assert rig.link.sent == []


async def test_a_row_that_moves_under_the_cursor_does_not_change_what_is_closed() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        rig.tick("TCS", "4100.00")
        rig.tick(PUT, "30.20")
        await readable(rig, pilot, 3)
        rig.tick("RELIANCE", "2941.35")
        rig.draw()
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.position == "p5"


async def test_a_price_that_moved_too_far_sends_nothing_and_says_so() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.tick("RELIANCE", "2860.00")
        await pilot.press("y", "y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "PRICE MOVED 2,941.35 → 2,860.00 (-2.77%)" in said(rig)
        assert "nothing was sent" in said(rig)
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.seen_price == Decimal("2860.00")


async def test_a_price_within_the_limit_is_sent_with_the_price_that_was_looked_at() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.tick("RELIANCE", "2950.00")
        await pilot.press("y")
        await pilot.pause()
        assert len(rig.link.sent) == 1


async def test_a_quantity_that_changed_sends_nothing() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        _part_closed(rig, "p5", "RELIANCE", "40")
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "QUANTITY CHANGED 100 → 60" in said(rig)


async def test_a_position_that_closed_meanwhile_sends_nothing_and_says_why_it_closed() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        _part_closed(rig, "p5", "RELIANCE", "100")
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "RELIANCE is closed: stop loss hit" in said(rig)


async def test_a_close_in_flight_cannot_be_confirmed_again() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p8")
        await pilot.press("x")
        await readable(rig, pilot)
        assert "A close is in flight already: accepted" in said(rig)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []


async def test_a_stale_price_needs_its_own_line_before_y() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p9")
        await pilot.press("x")
        await readable(rig, pilot)
        assert "the price is STALE: 1m32s old. Press s" in said(rig)
        await pilot.press("y")
        await readable(rig, pilot)
        assert rig.link.sent == []
        await pilot.press("s")
        await readable(rig, pilot)
        assert "You accepted that" in said(rig)
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.accept_stale


async def test_a_fresh_price_cannot_be_accepted_as_stale_ahead_of_time() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        await pilot.press("s")
        assert not _dialog(rig).accepts_doubt


async def test_a_silent_engine_needs_its_own_line_too() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await pilot.pause()
        rig.pass_time(4, with_pulse=False)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "SILENT for 4s" in said(rig)


async def test_the_dialog_cancels_itself_after_20_seconds() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot, 12)
        _dialog(rig).tick()
        await pilot.pause()
        assert "cancels in 8 s" in rig.text()
        rig.pass_time(8)
        _dialog(rig).tick()
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.link.sent == []
        assert any("nobody answered" in alert.text for alert in rig.app.desk.alerts.waiting)


async def test_losing_control_while_looking_sends_nothing() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.link.push(Lease("console pid 9", is_mine=False))
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "console pid 9 is in control" in said(rig)


async def test_a_lost_engine_sends_nothing() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.link.push(Disconnected("socket closed"))
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "socket closed" in said(rig)


@pytest.mark.parametrize("key", ["x", "percent_sign", "e", "X", "K", "U", "p"])
async def test_a_read_only_console_sends_nothing_and_says_why(key: str) -> None:
    rig = Rig(ConsoleSettings(has_bell=False, is_read_only=True))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press(key)
        await readable(rig, pilot)
        assert isinstance(rig.app.screen, Stage)
        assert "read-only" in rig.app.desk.alerts.waiting[-1].text
        await pilot.press("y")
        assert rig.link.sent == []


async def test_a_console_that_only_watches_names_who_is_in_control() -> None:
    rig = Rig(start=welcome(is_mine=False))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        assert isinstance(rig.app.screen, Stage)
        assert "console pid 12 on box is in control" in rig.app.desk.alerts.waiting[-1].text


async def test_part_of_a_position_is_rounded_down_to_whole_lots() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p4")
        await pilot.press("percent_sign")
        await readable(rig, pilot)
        await pilot.press("3", "3", "percent_sign")
        await pilot.pause()
        assert "= 0.004, 0.011 stay open" in rig.text()
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.qty == Decimal("0.004")


async def test_less_than_one_lot_is_refused_with_the_lot() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("percent_sign")
        await readable(rig, pilot)
        assert "is less than one lot of 75" in said(rig)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert isinstance(rig.app.screen, PartialDialog)


async def test_digits_typed_ahead_do_not_become_a_quantity() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("percent_sign", "9", "9")
        await pilot.pause()
        assert isinstance(rig.app.screen, PartialDialog)
        assert rig.app.screen.typed == "50%"


@pytest.mark.parametrize("key", ["X", "K"])
async def test_flatten_and_kill_take_the_code_on_screen_and_nothing_else(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press(key)
        await readable(rig, pilot)
        dialog = rig.app.screen
        assert isinstance(dialog, FlattenDialog)
        assert f" {dialog.code} " in rig.text()
        await pilot.press("y", *reversed(dialog.code))
        await readable(rig, pilot)
        assert rig.link.sent == []
        await pilot.press(*dialog.code)
        await pilot.pause()
        (command,) = rig.link.sent
        assert command == dialog.answer()


async def test_a_code_typed_ahead_is_dropped() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("X")
        dialog = rig.app.screen
        assert isinstance(dialog, FlattenDialog)
        await pilot.press(*dialog.code)
        await pilot.pause()
        assert rig.link.sent == []
        assert dialog.typed == ""


async def test_positions_that_change_while_flattening_is_asked_change_the_code() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("X")
        await readable(rig, pilot)
        dialog = rig.app.screen
        assert isinstance(dialog, FlattenDialog)
        old = dialog.code
        _part_closed(rig, "p5", "RELIANCE", "100")
        await pilot.press(*old)
        await pilot.pause()
        assert rig.link.sent == []
        assert dialog.code != old
        assert "positions changed" in said(rig)


async def test_hostile_names_neither_style_nor_escape_in_a_dialog() -> None:
    rig = Rig(start=welcome(_with_hostile_position()))
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await ready(rig, pilot)
        for action in ("position.close", "position.partial", "position.stop", "why"):
            rig.app.act(action, HOSTILE)
            await pilot.pause()
            text = rig.text()
            assert isinstance(rig.app.screen, Dialog)
            assert "AAA\\x1b]52;c;" in said(rig)
            assert not [c for c in text if ord(c) < 32 and c != "\n"]
            assert "\u202e" not in text
            await pilot.press("escape")
            await pilot.pause()


async def _sent(rig: Rig, pilot: Pilot[int]) -> ClosePosition:
    await select(rig, pilot, "p5")
    await pilot.press("x")
    await readable(rig, pilot)
    await pilot.press("y")
    await pilot.pause()
    (command,) = rig.link.sent
    assert isinstance(command, ClosePosition)
    return command


async def test_what_became_of_a_command_is_shown_step_by_step() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        command = await _sent(rig, pilot)
        order = replace(
            _order("x5", "RELIANCE", Side.SELL, "100", "p5"),
            exit=ExitReason(ExitKind.MANUAL, "manual"),
        )
        steps = (
            ("accepted", ev.CommandAccepted(command.id, "console", "close")),
            ("committed", ev.OrderRequested(order, command.id)),
            ("filled", ev.OrderFilled(_fill("x5", "RELIANCE", "2941.35", "100", NOW))),
        )
        rig.draw()
        await pilot.pause()
        assert "close RELIANCE ▸ sent" in rig.text()
        for word, event in steps:
            rig.link.happen(NOW, event)
            rig.draw()
            await pilot.pause()
            assert f"close RELIANCE ▸ {word}" in rig.text()


async def test_a_refused_command_shows_the_reason() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        command = await _sent(rig, pilot)
        rig.link.happen(NOW, ev.CommandRefused(command.id, "console", "price moved too far"))
        rig.draw()
        await pilot.pause()
        assert "▸ refused: price moved too far" in rig.text()


async def test_a_command_that_could_not_be_sent_says_so() -> None:
    rig = Rig()
    rig.link.is_down = True
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        rig.draw()
        await pilot.pause()
        assert "▸ refused: the engine is gone" in rig.text()


def _dialog(rig: Rig) -> CloseDialog:
    assert isinstance(rig.app.screen, CloseDialog)
    return rig.app.screen


def _part_closed(rig: Rig, position: str, symbol: str, qty: str) -> None:
    """The engine closes part (or all) of a position by a rule."""
    reason = ExitReason(ExitKind.RULE, "stop_loss_hit", rule="initial")
    order = _order(f"z-{position}", symbol, Side.SELL, qty, position, reason)
    now = rig.clock.now()
    fill = _fill(f"z-{position}", symbol, "2941.35", qty, now)
    rig.link.happen(now, ev.OrderRequested(order), ev.OrderFilled(fill))


def _with_hostile_position() -> State:
    """A venue names an instrument, and so a position, with everything that could hurt."""
    state = scripted_state()
    listed = Instrument(InstrumentId(HOSTILE), Kind.EQUITY, Currency("INR"))
    order = _order("h1", HOSTILE, Side.BUY, "5", HOSTILE)
    fill = _fill("h1", HOSTILE, "10.00", "5", NOW)
    for event in (ev.InstrumentListed(listed), ev.OrderRequested(order), ev.OrderFilled(fill)):
        state = evolve(state, ev.Entry(Seq(state.seq + 1), NOW, event))
    return state
