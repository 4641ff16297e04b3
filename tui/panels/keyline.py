"""The last line: the keys of the focused panel, generated from the action table."""

from __future__ import annotations

from tui.action import Action, Context
from tui.actions import actions_in
from tui.keymap import Keys
from tui.widgets.line import Line, Span, cut, line_cells

_FIRST = ("screen.dashboard", "screen.positions", "screen.strategies", "screen.health")


def project(context: Context, keys: Keys, width: int, *, is_read_only: bool = False) -> Line:
    """Return the key line: what trades first, then what moves, the screens, and help last."""
    help_at_end: list[Span] = []
    spans: list[Span] = [(" ", "text")]
    for action in _ordered(context, is_read_only=is_read_only):
        item: list[Span] = [
            (keys.shown(action.id), "key"),
            (f" {action.label}", "muted"),
            ("  ", "text"),
        ]
        if action.id in {"app.help", "app.quit"}:
            help_at_end += item
        elif line_cells(tuple(spans)) + line_cells(tuple(item)) + 16 <= width:
            spans += item
    gap = width - line_cells(tuple(spans)) - line_cells(tuple(help_at_end))
    return cut((*spans, (" " * max(0, gap), "text"), *help_at_end), width)


def _ordered(context: Context, *, is_read_only: bool) -> list[Action]:
    shown = [a for a in actions_in(context) if a.show and a.keys]
    if is_read_only:
        shown = [action for action in shown if not action.needs_lease]
    screens = [action for action in shown if action.id.startswith("screen.")]
    return [*(action for action in shown if action not in screens), *screens]
