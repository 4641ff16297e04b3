"""Closing: nothing is confirmed blind, and what is sent is what was seen (C-2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition
from tests.tui.asked import close_dialog, part_closed, readable, said, select
from tests.tui.rig import Rig
from tests.tui.rig_script import PUT
from tui.app import Console
from tui.dialog import Dialog
from tui.screens.close import CloseDialog
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
        close_dialog(rig).tick()
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


async def test_a_price_that_was_read_is_agreed_to_however_far_it_went_since_the_question() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.tick("RELIANCE", "2860.00")
        close_dialog(rig).tick()
        assert "-2.77% since this opened" in said(rig)
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ClosePosition)
        assert command.seen_price == Decimal("2860.00")


async def test_a_price_that_was_painted_just_now_has_not_been_read() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot)
        rig.tick("RELIANCE", "2860.00")
        close_dialog(rig).tick()
        await readable(rig, pilot, 0.1)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "PRICE MOVED 2,941.35 → 2,860.00" in said(rig)


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
        part_closed(rig, "p5", "RELIANCE", "40")
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
        part_closed(rig, "p5", "RELIANCE", "100")
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
        assert not close_dialog(rig).accepts_doubt


async def test_the_dialog_cancels_itself_after_20_seconds() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x")
        await readable(rig, pilot, 12)
        close_dialog(rig).tick()
        await pilot.pause()
        assert "cancels in 8 s" in rig.text()
        rig.pass_time(8)
        close_dialog(rig).tick()
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.link.sent == []
        assert any("nobody answered" in alert.text for alert in rig.app.desk.alerts.waiting)


async def test_the_other_button_is_no_way_round_the_time_to_read() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x", "tab", "enter")
        await pilot.pause()
        assert rig.link.sent == []
        assert close_dialog(rig).focused is close_dialog(rig).query_one("#confirm")
        rig.pass_time(0.4)
        await pilot.press("enter")
        await readable(rig, pilot)
        assert len(rig.link.sent) == 1


async def test_a_question_that_has_not_left_for_the_terminal_cannot_be_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow:
        is_drained = False

    rig, line = Rig(), Slow()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        monkeypatch.setattr(Console, "console_driver", line)
        await pilot.press("x")
        await readable(rig, pilot, 5)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        line.is_drained = True
        close_dialog(rig)._painted()
        await pilot.press("y")
        assert rig.link.sent == []
        rig.pass_time(0.3)
        await pilot.press("y")
        await pilot.pause()
        assert len(rig.link.sent) == 1
