"""Pictures of the console on the scripted engine; each says what it must show.

Frozen clock, no animation, frames drawn by hand: a difference is a change of what a trader sees.
Accept one with `pytest tests/tui/test_body_snapshots.py --snapshot-update` after looking at it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from engine.domain.session import Mode
from engine.link.protocol import Disconnected
from tests.tui.rig import Rig, welcome
from tui.settings import ConsoleSettings
from tui.terminal import Terminal

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "200x50": (200, 50)}


def drawn(rig: Rig, *keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Return what presses `keys` and draws one frame before the picture is taken."""

    async def before(pilot: Pilot[int]) -> None:
        rig.app.painter.start(1e6)
        await pilot.pause()
        rig.draw()
        await pilot.press(*keys)
        rig.draw()
        await pilot.pause()

    return before


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "colour-blind", "ansi-16"])
@pytest.mark.parametrize("size", SIZES)
def test_the_dashboard(snap_compare: Compare, theme: str, size: str) -> None:
    """Mode, money, lamps; positions by danger; ladder of TCS; log; keys."""
    rig = Rig(ConsoleSettings(theme=theme, has_bell=False))
    assert snap_compare(rig.app, terminal_size=SIZES[size], run_before=drawn(rig, "j"))


@pytest.mark.parametrize("view", ["positions", "strategies", "health", "logs"])
def test_the_other_screens(snap_compare: Compare, view: str) -> None:
    """Every screen with its second panel, at 120x36 in the dark theme."""
    rig = Rig(ConsoleSettings(view=view, has_bell=False))
    assert snap_compare(rig.app, terminal_size=(120, 36), run_before=drawn(rig, "k"))


def test_the_least_terminal(snap_compare: Compare) -> None:
    """40x10: status, six rows, keys."""
    rig = Rig()
    assert snap_compare(rig.app, terminal_size=(40, 10), run_before=drawn(rig))


def test_a_lost_link(snap_compare: Compare) -> None:
    """Every figure grey with its age; a red banner that says what guards the positions."""
    rig = Rig()

    async def before(pilot: Pilot[int]) -> None:
        await drawn(rig)(pilot)
        rig.link.push(Disconnected("socket closed"))
        rig.pass_time(5, with_pulse=False)
        rig.draw()
        await pilot.pause()

    assert snap_compare(rig.app, terminal_size=(80, 24), run_before=before)


def test_live_without_colour_and_in_ascii(snap_compare: Compare) -> None:
    """NO_COLOR and no UTF-8: LIVE is reverse, everything else says itself in words."""
    start = welcome()
    assert start.state.session is not None
    session = replace(start.state.session, mode=Mode.LIVE)
    live = replace(start, state=replace(start.state, session=session))
    rig = Rig(ConsoleSettings(terminal=Terminal(is_utf8=False, is_mono=True)), live)
    assert snap_compare(rig.app, terminal_size=(80, 24), run_before=drawn(rig))
