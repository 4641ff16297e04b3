"""The recovery room (C-17): opens by itself, says what was found, one key for each answer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.command import Decide
from engine.domain.decision import Choice
from engine.domain.ids import SECOND, DecisionId, Nanos
from tests.tui.asked import readable, said
from tests.tui.rig import NOW, Rig, welcome
from tests.tui.rig_crash import DIED, SESSION, crashed, crashed_flat
from tests.tui.rig_crash import events as crash_events
from tests.tui.staged import shown
from tui.actions import ACTIONS
from tui.panels import banner
from tui.screens.recovery import RecoveryRoom
from tui.settings import ConsoleSettings
from tui.widgets.line import line_cells

QUIET = ConsoleSettings(has_bell=False)
GAP = DecisionId(f"gap:p1:{DIED}")
OTHER = DecisionId(f"gap:p7:{DIED}")


def room(rig: Rig) -> RecoveryRoom:
    assert isinstance(rig.app.screen, RecoveryRoom)
    return rig.app.screen


async def pressed(rig: Rig, pilot: Pilot[int], *keys: str) -> str:
    await readable(rig, pilot)
    await pilot.press(*keys)
    await pilot.pause()
    room(rig).tick()
    await pilot.pause()
    return said(rig)


async def test_the_room_opens_by_itself_and_says_what_was_found() -> None:
    async with shown((160, 50), crashed()) as (rig, pilot):
        await readable(rig, pilot)
        assert rig.app.screen is room(rig)
        text = said(rig)
        assert f"session {SESSION} crashed" in text
        assert "1m28s later" in text
        assert "9 positions open, 1 order working" in text
        assert "cannot be declined" in text
        assert "11:41:03 trailing stop 30.15 would have fired, first tradable 30.05" in text
        assert re.search(r"exit now in 1[34] s", text)
        assert "UNKNOWN: no candles came" in text
        assert "no rule would have fired (120 prices)" in text
        assert "armed" in text


async def test_an_engine_that_never_crashed_opens_no_room() -> None:
    async with shown((120, 36), welcome()) as (rig, pilot):
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        await pilot.press("R")
        await pilot.pause()
        assert "No engine of this store has crashed" in said(rig)


async def test_a_crash_that_a_running_console_hears_of_opens_the_room_once() -> None:
    async with shown((120, 36), welcome(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        for event in crash_events(rig.link.state):
            rig.link.happen(NOW, event)
        await readable(rig, pilot)
        assert "cannot be declined" in said(rig)
        await pilot.press("escape")
        rig.link.happen(NOW, ev.EntriesBlocked("recovery", "still not settled"))
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)


async def test_one_key_answers_the_question_under_the_cursor() -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await pressed(rig, pilot, "b")
        (sent,) = rig.link.sent
        assert isinstance(sent, Decide)
        assert (sent.decision, sent.choice) == (GAP, Choice.BOOK)
        assert sent.by.startswith("console")
        await pressed(rig, pilot, "down", "k")
        assert isinstance(rig.link.sent[-1], Decide)
        assert (rig.link.sent[-1].decision, rig.link.sent[-1].choice) == (OTHER, Choice.KEEP)


async def test_what_was_typed_ahead_answers_nothing() -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await pilot.press("b", "x", "k")
        await pilot.pause()
        assert rig.link.sent == []


async def test_the_same_question_is_answered_once() -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await pressed(rig, pilot, "x", "x")
        assert len(rig.link.sent) == 1
        assert "on its way already" in said(rig)


async def test_an_answer_and_what_came_of_it_leave_the_room_with_less_to_decide() -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        rig.link.happen(NOW, ev.DecisionTaken(GAP, Choice.KEEP, "console"))
        rig.link.happen(NOW, ev.DecisionWithdrawn(OTHER, "it is closed meanwhile"))
        rig.link.happen(NOW, ev.RecoverySettled("9 positions looked back at, prices flow"))
        text = await pressed(rig, pilot)
        assert "Recovery: settled" in text
        assert "prices flow" in text
        assert "exit now in" not in text
        await pressed(rig, pilot, "x")
        assert rig.link.sent == []
        assert "nothing is left to decide" in said(rig)


async def test_the_room_can_be_left_and_opened_again() -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        await pilot.press("escape")
        await pilot.pause()
        rig.draw()
        assert not isinstance(rig.app.screen, RecoveryRoom)
        assert rig.link.sent == []
        banner = " ".join(rig.app.stage.query_one("#banner").shown)  # type: ignore[attr-defined]
        assert re.search(r"RECOVERY 2 to decide, the policy acts in 1[34] s \(R\)", banner)
        await pilot.press("R")
        await pilot.pause()
        assert isinstance(rig.app.screen, RecoveryRoom)


@pytest.mark.parametrize("key", ["r", "f", "i", "y", "enter", "n", "q"])
async def test_with_positions_open_no_key_declines(key: str) -> None:
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert rig.link.sent == []


@pytest.mark.parametrize(
    ("key", "choice"), [("r", Choice.RESUME), ("f", Choice.FRESH), ("i", Choice.INSPECT)]
)
async def test_when_nothing_was_open_a_person_chooses(key: str, choice: Choice) -> None:
    async with shown((100, 30), crashed_flat(), QUIET) as (rig, pilot):
        text = await pressed(rig, pilot)
        assert "with nothing open; resume it or start a fresh" in text
        assert re.search(r"resume in 1[34] s", text)
        assert "nothing is traded until it is decided" in text
        await pressed(rig, pilot, key)
        (sent,) = rig.link.sent
        assert isinstance(sent, Decide)
        assert sent.choice is choice


async def test_a_console_that_only_reads_sees_everything_and_sends_nothing() -> None:
    only = replace(QUIET, is_read_only=True)
    async with shown((120, 36), crashed(), only) as (rig, pilot):
        text = await pressed(rig, pilot, "x")
        assert rig.link.sent == []
        assert "read-only" in text


async def test_a_recovery_that_was_over_long_ago_opens_no_room_but_is_a_report() -> None:
    start = crashed()
    assert start.state.absence is not None
    long_ago = Nanos(NOW - 40 * SECOND)
    over = replace(start.state.absence, settled_at=long_ago, how="all well")
    settled = replace(start, state=replace(start.state, absence=over, decisions={}))
    async with shown((120, 36), settled, QUIET) as (rig, pilot):
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        await pilot.press("R")
        await pilot.pause()
        assert "all well" in said(rig)


async def test_with_positions_open_every_key_there_is_declines_nothing() -> None:
    keys = sorted({key for action in ACTIONS for key in action.keys} - {"ctrl+c"})
    assert len(keys) > 40
    async with shown((120, 36), crashed(), QUIET) as (rig, pilot):
        for key in keys:
            if not isinstance(rig.app.screen, RecoveryRoom):
                while len(rig.app.screen_stack) > 1:
                    rig.app.pop_screen()
                rig.app.act("recovery.show")
            await readable(rig, pilot)
            await pilot.press(key)
            await pilot.pause()
        answered = [sent for sent in rig.link.sent if isinstance(sent, Decide)]
        assert answered == rig.link.sent
        assert {sent.choice for sent in answered} <= {Choice.BOOK, Choice.EXIT_NOW, Choice.KEEP}
        assert {sent.decision for sent in answered} <= {GAP, OTHER}


async def test_no_line_of_the_room_is_wider_than_it() -> None:
    async with shown((80, 24), crashed(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        said_in_80 = said(rig)
        assert "1m28s later" in said_in_80
        assert "…" not in said_in_80
        for width in range(60, 160, 5):
            wide = [line for line in room(rig).lines(width) if line_cells(line) > width]
            assert wide == []


async def test_what_a_person_has_to_lift_is_said_with_its_key() -> None:
    async with shown((80, 24), welcome(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        why = "3 crashes in 10 minutes; a person has to look and resume"
        rig.link.happen(NOW, ev.EntriesBlocked("safe-mode", why))
        await readable(rig, pilot)
        text = "\n".join("".join(t for t, _ in line) for line in banner.project(rig.app.desk, 80))
        assert "(p allows them)" in text
        rig.link.happen(NOW, ev.EntriesAllowed("safe-mode"))
        rig.link.happen(NOW, ev.EntriesBlocked("feed", "silent"))
        await readable(rig, pilot)
        text = "\n".join("".join(t for t, _ in line) for line in banner.project(rig.app.desk, 80))
        assert "by feed: silent" in text


async def test_an_instrument_on_which_the_venue_differs_is_named_in_whole_with_the_key() -> None:
    async with shown((80, 24), welcome(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        source, why = "venue:NIFTY25DEC25900PUT", "unknown_here NIFTY25DEC25900PUT [no trade]"
        rig.link.happen(NOW, ev.EntriesBlocked(source, why))
        await readable(rig, pilot)
        (line,) = banner.project(rig.app.desk, 80)
        text = "".join(t for t, _ in line)
        assert "ENTRIES BLOCKED on NIFTY25DEC25900PUT: the venue has something else (D)" in text
