"""A recorded day can be steered from the console, and only a recorded day."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from textual.pilot import Pilot

from engine.domain.command import ControlFeed
from engine.domain.ids import SECOND, CommandId, Nanos
from engine.domain.log import LogRecord
from engine.domain.session import Mode
from tests.tui.rig import NOW, Rig, scripted_state, welcome
from tui.action import Context
from tui.keymap import Keys
from tui.recording import AskedWrong, Recording, control, next_pace
from tui.screens.finder import help_for, palette

ZONE = "Asia/Kolkata"
C = CommandId("c")


def recorded() -> Rig:
    """Return a console on a recorded day."""
    state = scripted_state()
    assert state.session is not None
    session = replace(state.session, mode=Mode.REPLAY, feed="replay")
    return Rig(start=welcome(replace(state, session=session)))


async def drawn(rig: Rig, pilot: Pilot[int]) -> str:
    """Draw a frame and return it."""
    await pilot.pause()
    rig.draw()
    await pilot.pause()
    return rig.text()


@pytest.mark.parametrize(
    ("verb", "value", "count", "speed", "at"),
    [
        ("step", "", 1, None, None),
        ("step", "25", 25, None, None),
        ("speed", "900", 1, Decimal(900), None),
        ("speed", "max", 1, None, None),
        ("seek", "11:45", 1, None, NOW + 173 * SECOND),
        ("seek", "11:45:07", 1, None, NOW + 180 * SECOND),
        ("seek", "2026-01-30T11:45:07+05:30", 1, None, NOW + 180 * SECOND),
    ],
)
def test_what_is_typed_is_what_is_asked_for(
    verb: str, value: str, count: int, speed: Decimal | None, at: int | None
) -> None:
    asked = control(verb, value, C, "console", NOW, ZONE)
    assert (asked.verb, asked.count, asked.speed, asked.at) == (verb, count, speed, at)


@pytest.mark.parametrize(
    ("verb", "value"),
    [("step", "0"), ("step", "x"), ("speed", "-1"), ("speed", ""), ("seek", "25:00"),
     ("seek", "2026-01-30T11:00:00"), ("pause", "now")],
)  # fmt: skip
def test_what_makes_no_sense_says_what_is_allowed(verb: str, value: str) -> None:
    with pytest.raises(AskedWrong, match=f"feed {verb}"):
        control(verb, value, C, "console", NOW, ZONE)


def test_how_it_runs_is_known_from_the_log_and_from_heartbeats() -> None:
    recording = Recording()
    for second in range(5):
        recording.beat(Nanos(NOW + second * 300 * SECOND), Nanos((second + 1) * SECOND))
    assert recording.told == "×300"
    assert next_pace(recording, 1) == "600"
    assert next_pace(recording, -1) == "120"
    for text, told in [
        ("console: feed pause", "PAUSED"),
        ("console: feed step 1", "PAUSED"),
        ("console: feed resume", "×300"),
        ("cli: feed speed 900", "×900"),
        ("cli: feed speed max", "max"),
    ]:
        recording.hear(LogRecord(NOW, "info", "command", text))
        assert recording.told == told
    recording.hear(LogRecord(NOW, "info", "feed", "the replay feed has ended"))
    assert recording.told == "ENDED"


async def test_keys_steer_a_recorded_day() -> None:
    rig = recorded()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        assert "[ Hold" in await drawn(rig, pilot)
        await pilot.press("left_square_bracket", "right_square_bracket", "plus")
        await pilot.pause()
        asked = [(c.verb, c.count) for c in rig.link.sent if isinstance(c, ControlFeed)]
        assert asked == [("pause", 1), ("step", 1), ("speed", 1)]


async def test_a_day_held_or_over_cannot_be_overlooked() -> None:
    rig = recorded()
    async with rig.app.run_test(size=(100, 30)) as pilot:
        rig.log("console: feed pause", source="command")
        text = await drawn(rig, pilot)
        assert "FEED PAUSED" in text
        assert "THE RECORDED DAY IS HELD" in text
        rig.log("the replay feed has ended")
        assert "THE RECORDED DAY HAS ENDED at 11:42:07" in await drawn(rig, pilot)


async def test_a_live_feed_cannot_be_steered_and_its_keys_are_not_offered() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        assert "Hold" not in await drawn(rig, pilot)
        await pilot.press("left_square_bracket", "at")
        await pilot.pause()
        assert rig.link.sent == []
        assert "only a recorded day" in await drawn(rig, pilot)
    keys = Keys()
    offered = [
        *help_for(Context.POSITIONS, keys, is_recorded=False),
        *palette(keys, is_recorded=False),
    ]
    assert not any(found.action.id.startswith("feed.") for found in offered)
