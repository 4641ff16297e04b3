"""Steps that tests of dialogs share."""

from __future__ import annotations

from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.ids import PositionId
from engine.domain.order import ExitKind, ExitReason, Side
from tests.tui.rig import Rig
from tests.tui.rig_script import _fill, _order
from tui.dialog import Body
from tui.panels.positions import PositionsPanel
from tui.screens.close import CloseDialog


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


def close_dialog(rig: Rig) -> CloseDialog:
    """Return the close dialog that is open."""
    assert isinstance(rig.app.screen, CloseDialog)
    return rig.app.screen


def part_closed(rig: Rig, position: str, symbol: str, qty: str) -> None:
    """The engine closes part (or all) of a position by a rule."""
    reason = ExitReason(ExitKind.RULE, "stop_loss_hit", rule="initial")
    order = _order(f"z-{position}", symbol, Side.SELL, qty, position, reason)
    now = rig.clock.now()
    fill = _fill(f"z-{position}", symbol, "2941.35", qty, now)
    rig.link.happen(now, ev.OrderRequested(order), ev.OrderFilled(fill))
