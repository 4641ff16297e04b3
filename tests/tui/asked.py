"""Steps that tests of dialogs share."""

from __future__ import annotations

from textual.pilot import Pilot

from engine.domain.ids import PositionId
from tests.tui.rig import Rig
from tui.dialog import Body
from tui.panels.positions import PositionsPanel


async def ready(rig: Rig, pilot: Pilot[int]) -> None:
    """Draw the first frame, so that a position is under the cursor."""
    await pilot.pause()
    rig.draw()
    await pilot.pause()


async def select(rig: Rig, pilot: Pilot[int], position: str) -> None:
    """Put the cursor on a position."""
    await ready(rig, pilot)
    panel = rig.app.stage.panels["positions"]
    assert isinstance(panel, PositionsPanel)
    panel.grid.select(position)
    panel.show()
    rig.draw()
    assert rig.app.desk.selected == PositionId(position)


async def readable(rig: Rig, pilot: Pilot[int], seconds: float = 0.4) -> None:
    """Let what is on screen be painted and stand there for a while."""
    await pilot.pause()
    rig.pass_time(seconds)
    await pilot.pause()


def said(rig: Rig) -> str:
    """Return what the dialog on top says, as running text."""
    return " ".join(" ".join(rig.app.screen.query_one("#question", Body).shown).split())
