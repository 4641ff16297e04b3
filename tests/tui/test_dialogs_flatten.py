"""Part of a position, and everything at once against a code on screen (C-2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition
from tests.tui.asked import part_closed, readable, ready, said, select
from tests.tui.rig import Rig
from tui.screens.flatten import FlattenDialog
from tui.screens.partial import PartialDialog


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
        part_closed(rig, "p5", "RELIANCE", "100")
        await pilot.press(*old)
        await pilot.pause()
        assert rig.link.sent == []
        assert dialog.code != old
        assert "positions changed" in said(rig)
