"""The start as steps with their state (C-19): shown where the positions will be."""

from __future__ import annotations

from typing import Final

from engine.domain.ids import SECOND
from tui import formatting as fmt
from tui.panel import Desk
from tui.sanitise import for_screen
from tui.widgets.line import BLANK, Line, cut

LONG: Final = 5 * SECOND
"""A start that takes longer says where to look."""


def steps(desk: Desk, width: int) -> list[Line]:
    """Return what is done, what is going on, and what comes after it."""
    waited = desk.mono - desk.opened_at
    since = f"  {fmt.duration(waited)}" if waited >= SECOND else ""
    engine = for_screen(desk.opening, 120) or "looking for the engine"
    lines: list[Line] = [
        BLANK,
        _step("done", "console ready", "ok"),
        _step("done" if desk.opening else "now", engine, "ok" if desk.opening else "accent"),
        _step("now", f"engine opens its journal and takes up its positions{since}", "accent"),
        _step("next", "figures: positions, prices, health", "muted"),
    ]
    if waited >= LONG:
        lines += [BLANK, (("  it takes long: logs/engine.out in the data directory", "muted"),)]
        lines += [(("  says why; q leaves and the engine goes on starting", "muted"),)]
    return [cut(line, width) for line in lines]


def _step(state: str, text: str, hue: str) -> Line:
    return ((f"  {state:<5} ", hue), (text, "muted" if hue == "muted" else "text"))
