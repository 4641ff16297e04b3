"""Asking why, alerts, entries, the latch and the lease: what they say and what they send."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.domain import event as ev
from engine.domain.command import (
    ControlStrategy,
    LiftLatch,
    PauseEntries,
    ResumeEntries,
)
from engine.domain.risk import LatchCause
from tests.tui.asked import readable, ready, said, select
from tests.tui.rig import NOW, Rig, welcome
from tests.tui.rig_script import _refused
from tui.screens.why import WhyScreen
from tui.settings import ConsoleSettings
from tui.stage import Stage


async def test_why_names_every_rule_with_level_room_and_reason() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("w")
        await pilot.pause()
        text = said(rig)
        assert "NIFTY25DEC25900PUT LONG 75 at 30.00, oi momentum" in text
        assert "phase [guarded] requested accepted filled" in text
        assert "trailing armed 30.15 11.11% 10.00% from peak" in text
        assert "take profit idle – no target set" in text


async def test_why_shows_how_far_a_close_has_come() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await select(rig, pilot, "p8")
        await pilot.press("w")
        await pilot.pause()
        text = said(rig)
        assert "guarded requested [accepted] filled" in text
        assert "closing because manual; protection stays until it is filled" in text


async def test_why_without_a_position_says_what_blocks_entries_and_what_was_refused() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await ready(rig, pilot)
        rig.link.happen(NOW, ev.EntriesBlocked("data_quality", "quality 61 below the gate 70"))
        signal = replace(_refused(NOW).signal, id="s77")
        rig.link.happen(NOW, ev.SignalRefused(signal, "cooldown: 42 s left"))
        await pilot.press("3", "w")
        await pilot.pause()
        assert isinstance(rig.app.screen, WhyScreen)
        text = said(rig)
        assert "Entries blocked by data_quality: quality 61 below the gate 70" in text
        assert "waits for 15-minute bar at 11:45" in text
        assert "buy NIFTY25DEC26000CALL by oi momentum: cooldown: 42 s left" in text


async def test_why_of_a_closed_position_says_why_it_was_closed() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await ready(rig, pilot)
        rig.app.act("why", "t2")
        await pilot.pause()
        assert "because manual" in said(rig)
        assert "note before lunch" in said(rig)


async def test_a_long_sheet_scrolls_and_says_where_it_stands() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 12)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("w")
        await readable(rig, pilot)
        assert "lines 1 to" in said(rig)
        assert "end of day" not in said(rig)
        await pilot.press("G")
        assert "end of day" in said(rig)
        await pilot.press("g")
        assert "lines 1 to" in said(rig)


@pytest.mark.parametrize("key", ["x", "e", "X", "w", "q", "question_mark", "ctrl+p", "colon"])
async def test_no_dialog_covers_the_mode(key: str) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press(key)
        await pilot.pause()
        assert not isinstance(rig.app.screen, Stage)
        assert rig.text().startswith(" PAPER ")


async def test_alerts_are_listed_and_acknowledged_together() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        assert rig.app.desk.alerts.waiting
        await pilot.press("A")
        await readable(rig, pilot)
        assert "TCS 0.20% from its" in said(rig)
        await pilot.press("y")
        await pilot.pause()
        assert not rig.app.desk.alerts.waiting


async def test_p_pauses_entries_and_p_again_allows_them() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("p")
        await pilot.pause()
        (pause,) = rig.link.sent
        assert isinstance(pause, PauseEntries)
        assert pause.source == "operator"
        rig.link.happen(NOW, ev.EntriesBlocked("operator", pause.reason))
        await pilot.press("p")
        await pilot.pause()
        assert isinstance(rig.link.sent[-1], ResumeEntries)
        assert len({command.id for command in rig.link.sent}) == 2


async def test_somebody_elses_block_is_named_and_not_lifted() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        rig.link.happen(NOW, ev.EntriesBlocked("data_quality", "61 below 70"))
        rig.app.act("entries.resume")
        await pilot.pause()
        assert rig.link.sent == []
        assert "data quality" in rig.app.desk.alerts.waiting[-1].text


async def test_a_flatten_is_lifted_only_with_a_reason() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        rig.link.happen(NOW, ev.FlattenLatched(LatchCause.KILL_SWITCH, "runaway", "console"))
        await pilot.press("p")
        await pilot.pause()
        assert "U lifts it" in rig.app.desk.alerts.waiting[-1].text
        await pilot.press("U")
        await readable(rig, pilot)
        assert "kill switch since" in said(rig)
        assert "runaway" in said(rig)
        await pilot.press("o", "k", "enter")
        await readable(rig, pilot)
        assert rig.link.sent == []
        assert "a reason is needed" in said(rig)
        await pilot.press(*"ay y", "enter")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, LiftLatch)
        assert command.reason == "okay y"


async def test_the_lease_is_asked_for_and_given_back_by_command() -> None:
    rig = Rig(start=welcome(is_mine=False))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("L")
        await pilot.pause()
        assert rig.link.lease_asked == 1
        rig.app.act("lease.read_only")
        assert rig.app.desk.is_read_only


async def test_a_console_started_read_only_stays_so() -> None:
    rig = Rig(ConsoleSettings(has_bell=False, is_read_only=True))
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        await pilot.press("L")
        await pilot.pause()
        assert rig.link.lease_asked == 0
        assert rig.app.desk.is_read_only


async def test_a_strategy_is_controlled_by_name() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await ready(rig, pilot)
        rig.app.act("strategy.control", "oi_momentum", "pause")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ControlStrategy)
        assert (command.strategy, command.verb) == ("oi_momentum", "pause")
