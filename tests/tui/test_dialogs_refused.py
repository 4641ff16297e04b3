"""When nothing may be sent, what hostile names do, and what became of a command (C-3, C-8)."""

from __future__ import annotations

from dataclasses import replace

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
from tests.tui.rig_script import HOSTILE, _fill, _order
from tui.dialog import Dialog
from tui.settings import ConsoleSettings
from tui.stage import Stage


@pytest.mark.parametrize("key", ["x", "percent_sign", "e", "X", "K", "U"])
async def test_no_single_key_however_often_trades_anything(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        for _ in range(8):
            await pilot.press(key)
            await readable(rig, pilot)
        assert rig.link.sent == []


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


def _with_hostile_position() -> State:
    """A venue names an instrument, and so a position, with everything that could hurt."""
    state = scripted_state()
    listed = Instrument(InstrumentId(HOSTILE), Kind.EQUITY, Currency("INR"))
    order = _order("h1", HOSTILE, Side.BUY, "5", HOSTILE)
    fill = _fill("h1", HOSTILE, "10.00", "5", NOW)
    for event in (ev.InstrumentListed(listed), ev.OrderRequested(order), ev.OrderFilled(fill)):
        state = evolve(state, ev.Entry(Seq(state.seq + 1), NOW, event))
    return state
