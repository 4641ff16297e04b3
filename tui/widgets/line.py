"""A line of the screen before it has colours: spans of text, each with the name of its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from tui.formatting import cells, fit

Span: TypeAlias = tuple[str, str]
"""(text, token): the token is a name in the theme, `profit`, `muted`, …"""
Line: TypeAlias = tuple[Span, ...]


class Run(NamedTuple):
    """Neighbouring cells of a line that changed."""

    x: int
    end: int
    line: Line
    """What they show now; as wide as `end - x`."""


MARK: Final = "> "
"""In front of the line that the keys are about."""
BLANK: Final[Line] = ()
TEXT: Final = "text"
MUTED: Final = "muted"


def line_cells(line: Line) -> int:
    """Return the width of `line` in columns."""
    return sum(cells(text) for text, _ in line)


def cut(line: Iterable[Span], width: int) -> Line:
    """Return `line` cut to `width` columns, with an ellipsis where something is missing."""
    out: list[Span] = []
    left = width
    for text, token in line:
        size = cells(text)
        if size > left:
            if left > 0:
                out.append((fit(text, left), token))
            break
        out.append((text, token))
        left -= size
    return tuple(out)


def flowed(line: Line, width: int, indent: int = 4) -> list[Line]:
    """Return `line` on as many lines as it needs, broken between its spans only; those that
    follow are indented and begin with a word. A span wider than a line by itself stays whole.
    """
    lines: list[Line] = []
    now: list[Span] = []
    left = width
    for text, token in line:
        told = text
        if now and cells(text.rstrip()) > left:
            lines.append(tuple(now))
            now, left = [(" " * indent, TEXT)], width - indent
            told = text.lstrip(" ,;")
        now.append((told, token))
        left -= cells(told)
    return [*lines, tuple(now)] if now else lines


def pushed_apart(left: Line, right: Line, width: int, fill: str = " ", token: str = TEXT) -> Line:
    """Return `left` and `right` at the two ends of `width` columns; `right` is never cut."""
    room = width - line_cells(right)
    head = cut(left, max(0, room - 1))
    gap = room - line_cells(head)
    return (*head, (fill * gap, token), *right) if gap > 0 else cut((*head, *right), width)


def titled_rule(title: str, width: int, *, notes: str = "", is_focused: bool = False) -> Line:
    """Return a thin rule that carries a panel's title and, if there is room, its notes."""
    mark = "accent!" if is_focused else "title"
    rule = "focus-rule" if is_focused else "rule"
    left: Line = (("─ ", rule), (title, mark), (" ", rule))
    room = width - line_cells(left) - 5
    right: Line = ()
    if notes and room >= 6:
        right = ((f" {fit(notes, min(cells(notes), room))} ", MUTED), ("─", rule))
    return pushed_apart(left, right, width, "─", rule)
