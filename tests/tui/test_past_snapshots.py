"""Pictures of the past: the sessions of a store, and a moment of one of them (C-15).

Accept a difference with `pytest tests/tui/test_past_snapshots.py --snapshot-update` after a look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.link.archive import Archive
from engine.link.protocol_past import AskSession
from tests.past_days import days, kept
from tests.tui.past_rig import listed, opened, s2
from tests.tui.rig import Rig
from tests.tui.staged import frame
from tui.settings import ConsoleSettings

Compare = Callable[..., bool]
SIZES = {"80x24": (80, 24), "120x36": (120, 36), "200x50": (200, 50)}


@pytest.fixture
def rig_of(tmp_path: Path) -> Callable[[str], Rig]:
    path = tmp_path / "holdfast.db"
    asyncio.run(kept(path, days()))

    def made(theme: str) -> Rig:
        rig = Rig(ConsoleSettings(theme=theme, has_bell=False))
        rig.link.past = Archive(path)
        return rig

    return made


def drawn(rig: Rig, keys: list[str], *, is_list: bool) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Return what shows the list or the second session and presses keys."""

    async def before(pilot: Pilot[int]) -> None:
        rig.app.painter.start(1e6)
        await frame(rig, pilot)
        await (listed(rig, pilot) if is_list else opened(rig, pilot, s2()))
        await pilot.press(*keys)
        await frame(rig, pilot)

    return before


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_moment_of_the_past(
    snap_compare: Compare, rig_of: Callable[[str], Rig], theme: str, size: str
) -> None:
    """The banner says PAST with its time; two exits on, a position with its stops as they were."""
    rig = rig_of(theme)
    before = drawn(rig, ["full_stop", "left_square_bracket"], is_list=False)
    assert snap_compare(rig.app, terminal_size=SIZES[size], run_before=before)


@pytest.mark.parametrize(
    ("size", "theme"), [("80x24", "light"), ("120x36", "dark"), ("200x50", "dark")]
)
def test_the_sessions(
    snap_compare: Compare, rig_of: Callable[[str], Rig], size: str, theme: str
) -> None:
    """Three sessions; the crash of the second with its report, decision and checkpoints."""
    rig = rig_of(theme)
    before = drawn(rig, ["j"], is_list=True)
    assert snap_compare(rig.app, terminal_size=SIZES[size], run_before=before)
    assert any(isinstance(asked, AskSession) for asked in rig.link.asked)
