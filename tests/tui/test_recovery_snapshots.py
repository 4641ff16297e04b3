"""Pictures of the recovery room; see test_body_snapshots.py for how they are taken and accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot

from engine.link.protocol import Welcome
from tests.tui.rig import Rig
from tests.tui.rig_crash import crashed, crashed_flat
from tui.settings import ConsoleSettings

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x36": (120, 36), "200x50": (200, 50)}


def entered(rig: Rig, *keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Return what waits for the room, then presses `keys`, before the picture is taken."""

    async def before(pilot: Pilot[int]) -> None:
        rig.app.painter.start(1e6)
        await pilot.pause()
        rig.draw()
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return before


def pictured(start: Welcome, theme: str) -> Rig:
    return Rig(ConsoleSettings(theme=theme, has_bell=False), start)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
def test_positions_open(snap_compare: Compare, theme: str, size: str) -> None:
    """What was found, why it is forced, and two positions with findings and a key each."""
    rig = pictured(crashed(), theme)
    assert snap_compare(rig.app, terminal_size=SIZES[size], run_before=entered(rig))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_open(snap_compare: Compare, theme: str) -> None:
    """Resume, fresh session or inspect first, and the countdown to the policy."""
    rig = pictured(crashed_flat(), theme)
    assert snap_compare(rig.app, terminal_size=SIZES["80x24"], run_before=entered(rig))


def test_the_room_was_left(snap_compare: Compare) -> None:
    """The ordinary dashboard, with what is still to be decided over everything."""
    rig = pictured(crashed(), "dark")
    assert snap_compare(rig.app, terminal_size=SIZES["120x36"], run_before=entered(rig, "escape"))
