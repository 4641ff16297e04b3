"""The last line: the keys of the focused panel, generated from the action table."""

from __future__ import annotations

from typing import Final

from tui.action import Action, Context
from tui.actions import actions_in
from tui.keymap import Keys
from tui.widgets.line import MUTED, TEXT, Line, line_cells, pushed_apart

_LAST: Final = frozenset({"app.help", "app.quit"})


def project(
    context: Context,
    keys: Keys,
    width: int,
    *,
    is_read_only: bool = False,
    is_recorded: bool = False,
    is_past: bool = False,
) -> Line:
    """Return the key line: what trades first, then what moves, the screens, and help last."""
    here = actions_in(context, is_recorded=is_recorded, is_past=is_past)
    shown = [a for a in here if a.show and a.keys]
    if is_read_only or is_past:
        shown = [action for action in shown if not action.needs_lease]
    screens = [action for action in shown if action.id.startswith("screen.")]
    last = [action for action in shown if action.id in _LAST]
    first = [action for action in shown if action not in screens and action not in last]
    if is_past:  # what moves in time comes first: nothing else acts here
        first.sort(key=lambda action: action.context is not Context.PAST)
    end = _items(last, keys)
    views = _items(screens, keys)
    room = width - line_cells(end) - 2
    if line_cells(_items(first, keys)) + line_cells(views) > room and screens:
        ends = f"{keys.shown(screens[0].id)}-{keys.shown(screens[-1].id)}"
        views = ((ends, "key"), (" Screens", MUTED), ("  ", TEXT))
    while first and line_cells(_items(first, keys)) + line_cells(views) > room:
        del first[-1]
    start: Line = ((" ", TEXT), *_items(first, keys), *views)
    return pushed_apart(start, end, width)


def _items(actions: list[Action], keys: Keys) -> Line:
    return tuple(
        span
        for action in actions
        for span in ((keys.shown(action.id), "key"), (f" {action.label}", MUTED), ("  ", TEXT))
    )
