"""What a console remembers between runs, per data directory (C-21): looks, never decisions."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.panel import Panel
from tui.panels.log import LEVELS, LogPanel
from tui.panels.positions import SORTS, PositionsPanel
from tui.terminal import Terminal

if TYPE_CHECKING:
    from tui.app import Console

FILTER_MAX: Final = 200
FILE: Final = "console.json"


@dataclass(frozen=True, slots=True)
class Habits:
    """Every field has a default: a missing or damaged file changes nothing."""

    theme: str = ""
    low_theme: str = ""
    """The theme chosen on a terminal of few colours; the other one says nothing about it."""
    view: str = ""
    sort: str = "stop"
    is_reverse: bool = False
    level: str = "info"
    filter: str = ""
    """What positions are shown; said in their title."""


def theme_for(habits: Habits, terminal: Terminal) -> str:
    """Return the theme that was chosen on a terminal of this kind; empty for none."""
    return habits.low_theme if terminal.is_low_colour else habits.theme


def load(data_dir: Path | None) -> Habits:
    """Return what was remembered; whatever does not fit is forgotten."""
    if data_dir is None:
        return Habits()
    try:
        found = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
        known = {f.name: type(getattr(Habits(), f.name)) for f in fields(Habits)}
        kept = {k: v for k, v in dict(found).items() if k in known and isinstance(v, known[k])}
        return Habits(**kept)
    except (OSError, ValueError, TypeError):
        return Habits()


def save(habits: Habits, data_dir: Path | None) -> None:
    """Remember `habits`; a full or read-only disk is no reason to stay."""
    if data_dir is None:
        return
    path = data_dir / FILE
    fresh = path.with_suffix(".new")
    try:
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(asdict(habits), file)
        fresh.replace(path)
    except OSError:
        return


def apply(habits: Habits, panel: Panel) -> None:
    """Bring sort order and log level of a new panel back."""
    if isinstance(panel, PositionsPanel) and habits.sort in SORTS:
        panel.sort, panel.is_reverse = habits.sort, habits.is_reverse
        panel.search = habits.filter[:FILTER_MAX]
    if isinstance(panel, LogPanel) and habits.level in LEVELS:
        panel.level = LEVELS.index(habits.level)


def of(app: Console) -> Habits:
    """Return what to remember of a console."""
    habits = replace(app.live.known, view=app.live.view)
    terminal = app.settings.terminal
    given = app.settings.theme_of(theme_for(habits, terminal))
    if app.look.name != given and not terminal.is_mono:  # chosen here, not by link or terminal
        is_low = terminal.is_low_colour
        name = app.look.name
        habits = replace(habits, low_theme=name) if is_low else replace(habits, theme=name)
    positions, log = app.live.panels.get("positions"), app.live.panels.get("log")
    if isinstance(positions, PositionsPanel):
        habits = replace(habits, sort=positions.sort, is_reverse=positions.is_reverse)
        habits = replace(habits, filter=positions.filter_text)
    if isinstance(log, LogPanel):
        habits = replace(habits, level=LEVELS[log.level])
    return habits
