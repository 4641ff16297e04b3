"""The past beside the running session: what stays visible, ways in and out, two consoles (C-15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.evolve import fold
from engine.domain.risk import LatchCause
from engine.link.archive import Archive
from engine.link.protocol import Disconnected
from tests.past_days import days, kept, rest
from tests.tui.past_rig import listed, opened, s2, until, with_past
from tests.tui.rig import Rig, pulse, welcome
from tests.tui.staged import frame, shown
from tui.past_stage import PastStage

STARTS = [e.seq for e in days() if isinstance(e.event, ev.SessionStarted)]
FIRST, LAST = STARTS[1], STARTS[2] - 1
"""Where the second session lies in the journal."""


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[tuple[Rig, Pilot[int], PastStage]]:
    async with with_past(tmp_path) as (rig, pilot):
        yield rig, pilot, await opened(rig, pilot, s2())


def place(past: PastStage) -> int:
    assert past.player is not None
    return past.player.position


async def test_escape_leaves_to_the_running_session_which_had_gone_on(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    rig.tick("TCS", "3900.00")
    rig.link.happen(rig.clock.now(), ev.EntriesBlocked("test", "while away"))
    rig.draw()
    await pilot.press("escape")
    await frame(rig, pilot)
    assert rig.app.past is None
    assert rig.app.stage is rig.app.live
    assert rig.app.stage.view == "dashboard"
    assert "3,900.00" in rig.text()
    assert "while away" in rig.text()
    assert "PAST" not in rig.text()


async def test_what_is_grave_in_the_running_session_is_never_hidden(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    rig.link.push(pulse(is_persisted=False))
    await frame(rig, pilot)
    assert "NOT PERSISTED: entries stopped" in rig.text()
    assert "PAST 2025" in rig.text()
    rig.link.happen(rig.clock.now(), ev.FlattenLatched(LatchCause.OPERATOR, "enough", "test"))
    await frame(rig, pilot)
    assert "FLATTEN" in rig.text()
    rig.link.push(Disconnected("gone"))
    rig.pass_time(3, with_pulse=False)
    await frame(rig, pilot)
    assert "LINK LOST" in rig.text()


async def test_a_stop_that_comes_near_in_the_running_session_is_still_told(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    rig.app.desk.alerts.acknowledge()
    rig.app.desk.alerts.near.clear()
    await pilot.press("a")
    rig.tick("TCS", "3940.00")
    await frame(rig, pilot)
    held = [i for i in rig.app.desk.book.all() if i.room is not None and i.room < Decimal("0.02")]
    assert held
    assert any(alert.token == "near-stop" for alert in rig.app.desk.alerts.waiting)
    assert "from its" in rig.app.live.query_one("#header").shown[1] or "from its" in rig.text()  # type: ignore[attr-defined]


async def test_six_goes_from_the_past_to_the_list_and_the_other_screens_stay_in_it(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    await pilot.press("2")
    assert rig.app.past is past
    assert past.view == "positions"
    await listed(rig, pilot)
    assert rig.app.past is None
    assert rig.app.live.view == "sessions"


async def test_two_consoles_stand_at_moments_of_their_own(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        past = await opened(rig, pilot, s2())
        other = Rig()
        other.link.past = Archive(tmp_path / "holdfast.db")
        async with other.app.run_test(size=(80, 24)) as second:
            there = await opened(other, second, "s1")
            await second.press("right_parenthesis")
            await pilot.press("right_square_bracket")
            assert (place(past), place(there)) == (2, FIRST - 1)
            assert there.desk.replica.state == fold(days()[: FIRST - 1])
            assert past.desk.replica.state == fold(days()[: FIRST + 1])


async def test_leaving_while_it_is_being_brought_asks_no_more(tmp_path: Path) -> None:
    async with with_past(tmp_path) as (rig, pilot):
        rig.app.act("past.open", s2())
        past = rig.app.past
        assert past is not None
        await pilot.press("escape")
        await until(pilot, lambda: rig.app.past is None and past.bringing.is_over)
        asked = len(rig.link.asked)
        await pilot.pause()
        assert len(rig.link.asked) == asked


async def test_the_end_of_the_running_session_is_what_has_come_since(tmp_path: Path) -> None:
    entries = days()
    path = tmp_path / "holdfast.db"
    await kept(path, entries[: LAST + 4])
    async with shown(start=welcome(fold(entries))) as (rig, pilot):
        rig.link.past = Archive(path)
        session = entries[LAST].event
        assert isinstance(session, ev.SessionStarted)
        past = await opened(rig, pilot, session.session)
        assert (place(past), len(past.line or ())) == (1, 4)
        await rest(path, entries[LAST + 4 :])
        await pilot.press("right_parenthesis")
        await until(pilot, lambda: place(past) == len(entries) - LAST)
        assert past.desk.replica.state == fold(entries)


async def test_the_command_line_and_the_palette_leave_the_past_too(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    await pilot.press("colon", *"live", "enter")
    await frame(rig, pilot)
    assert rig.app.screen is rig.app.stage is rig.app.live
    past = await opened(rig, pilot, "s1")
    assert rig.app.screen is past
    await pilot.press("colon", *"session ", *s2(), "enter")
    await frame(rig, pilot)
    assert rig.app.past is not past
    assert rig.app.screen is rig.app.past
    assert len(rig.app.screen_stack) == 2
    await pilot.press("ctrl+p", *"back to the running", "enter")
    await frame(rig, pilot)
    assert rig.app.screen_stack == [rig.app.live]


async def test_live_figures_never_paint_over_the_past(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    before = [line[:80] for line in past.panels["positions"].shown[2:4]]
    for last in ("3940.00", "3941.00", "3942.00"):
        rig.tick("TCS", last)
        await frame(rig, pilot)
    await pilot.resize_terminal(100, 30)
    await frame(rig, pilot)
    assert [line[:80] for line in past.panels["positions"].shown[2:4]] == before
    assert not any(rig.app.brush.can_paint(p) for p in rig.app.live.panels.values())
    assert "TCS" not in "".join(rig.text().splitlines()[2:])
