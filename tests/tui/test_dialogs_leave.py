"""Leaving (E-67): what will and will not watch the open positions is said first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tui.asked import readable, ready, said, select
from tests.tui.rig import Rig, scripted_state, welcome
from tui.screens.leave import LeaveDialog
from tui.stage import Stage


def _flat_rig(*, is_mine: bool = True) -> Rig:
    """A console over an engine without positions."""
    return Rig(start=welcome(replace(scripted_state(), positions={}, orders={}), is_mine=is_mine))


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_with_open_positions_leaving_asks_and_says_what_will_guard_them(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(rig.app.screen, LeaveDialog)
        text = said(rig)
        assert "9 open: NIFTY25DEC25900PUT LONG 75" in text
        assert "the engine goes on in the background and guards them" in text
        assert "NOTHING watches them" in text
        assert "The next start looks back" in text
        assert "recovery.gap" in text
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.app.is_running


async def test_leaving_for_the_background_leaves_the_engine_alone() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("q")
        await readable(rig, pilot)
        await pilot.press("b")
        await pilot.pause()
    assert rig.app.return_code == 0
    assert not rig.app.ends_engine
    assert rig.link.sent == []


async def test_ending_the_engine_with_open_positions_takes_two_more_keys() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("q")
        await readable(rig, pilot)
        await pilot.press("y")
        await readable(rig, pilot)
        assert rig.app.is_running
        assert "choose first" in said(rig)
        await pilot.press("e")
        await readable(rig, pilot)
        assert "Stop the engine with 9 open?" in said(rig)
        await pilot.press("y")
        await pilot.pause()
    assert rig.app.ends_engine


async def test_a_console_that_only_watches_cannot_end_the_engine() -> None:
    rig = Rig(start=welcome(is_mine=False))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("q")
        await readable(rig, pilot)
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(rig.app.screen, LeaveDialog)
        assert "is in control" in said(rig)
    assert not rig.app.ends_engine


async def test_a_second_ctrl_c_within_two_seconds_leaves_the_console_only() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("ctrl+c")
        rig.pass_time(1.9)
        await pilot.press("ctrl+c")
        await pilot.pause()
    assert rig.app.return_code == 0
    assert not rig.app.ends_engine


async def test_a_second_ctrl_c_later_than_that_only_closes_the_question() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("ctrl+c")
        rig.pass_time(2.1)
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert isinstance(rig.app.screen, Stage)
        assert rig.app.is_running


async def test_ctrl_c_over_another_dialog_asks_as_well() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("x", "ctrl+c")
        await pilot.pause()
        assert isinstance(rig.app.screen, LeaveDialog)


@pytest.mark.parametrize("is_mine", [True, False])
async def test_without_open_positions_q_just_leaves(is_mine: bool) -> None:
    rig = _flat_rig(is_mine=is_mine)
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("q")
        await pilot.pause()
    assert rig.app.return_code == 0
    assert rig.app.ends_engine is is_mine
