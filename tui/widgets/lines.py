"""A widget that is given lines and repaints only the cells that changed (C-7)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.formatting import cells
from tui.theming import Look
from tui.widgets.line import BLANK, TEXT, Line, Run, cut, line_cells

_NARROW: Final = re.compile("[ -~\u2190-\u21ff\u2500-\u25ff…–−₹]*")
"""Characters that take one cell each."""


class Paints(Protocol):
    """What can paint cells onto the terminal directly, if it can."""

    def can_paint(self, widget: Lines) -> bool:
        """Return whether `widget` stands where the terminal shows it, with nothing in front."""

    def paint(self, widget: Lines, changes: Sequence[tuple[int, Sequence[Run]]]) -> None:
        """Paint the runs of some lines of `widget`."""


class HasLook(Protocol):
    """The app, as far as drawing needs it."""

    @property
    def look(self) -> Look:
        """The theme in use."""

    @property
    def is_grey(self) -> bool:
        """Whether figures are shown as out of date."""

    @property
    def brush(self) -> Paints:
        """Paints what changes."""


class Lines(Widget):
    """Draws lines of spans; `put` compares them with what is shown."""

    DEFAULT_CSS: ClassVar[str] = "Lines { height: 1; }"
    ALLOW_SELECT: ClassVar[bool] = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's own name
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._strips: dict[int, tuple[Line, int, str, bool, Strip]] = {}

    @property
    def shown(self) -> tuple[str, ...]:
        """The text on screen, line by line: what tests assert."""
        return tuple("".join(text for text, _ in line) for line in self._lines)

    @property
    def shown_spans(self) -> tuple[Line, ...]:
        """The lines on screen with their tokens."""
        return tuple(self._lines)

    def put(self, lines: Sequence[Line]) -> None:
        """Show `lines`; whatever is equal to what is shown costs nothing."""
        width = self.size.width
        before, after = self._lines, list(lines)
        self._lines = after
        changes: list[tuple[int, list[Run]]] = []
        for y in range(max(len(before), len(after))):
            old = before[y] if y < len(before) else BLANK
            new = after[y] if y < len(after) else BLANK
            if old is not new and old != new:
                runs = changed_runs(old, new, width)
                if runs:
                    changes.append((y, runs))
        if not changes:
            return
        brush = cast("HasLook", self.app).brush
        if brush.can_paint(self):
            self._styles_cache.clear()  # a dialog that closes has Textual paint all of it again
            brush.paint(self, changes)
        else:
            self.refresh(*(Region(r[0].x, y, r[-1].end - r[0].x, 1) for y, r in changes))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self._lines[y] if y < len(self._lines) else BLANK
        app = cast("HasLook", self.app)
        look, is_grey = app.look, app.is_grey
        known = self._strips.get(y)
        if known is not None and known[:4] == (line, width, look.name, is_grey):
            return known[4]
        spans = segments(line, look, is_grey=is_grey)
        strip = Strip(spans).adjust_cell_length(width, look.ground)
        self._strips[y] = (line, width, look.name, is_grey, strip)
        return strip


def segments(line: Line, look: Look, *, is_grey: bool) -> list[Segment]:
    """Return `line` in colours; neighbours of one style are one segment."""
    out: list[Segment] = []
    text, style = "", Style()
    for part, token in line:
        own = look.style(token, is_grey=is_grey)
        if own == style or (part.isspace() and _looks_same_blank(own, style)):
            text += part
            continue
        if text:
            out.append(Segment(text, style))
        text, style = part, own
    if text:
        out.append(Segment(text, style))
    return out


def _looks_same_blank(one: Style, other: Style) -> bool:
    """Return whether a space looks the same in both styles."""
    plain = not (one.reverse or one.underline or other.reverse or other.underline)
    return plain and one.bgcolor == other.bgcolor


def changed_cells(old: Line, new: Line, width: int) -> tuple[int, int]:
    """Return the half-open range of columns in which two lines differ."""
    runs = changed_runs(old, new, width)
    return (runs[0].x, runs[-1].end) if runs else (width, 0)


def changed_runs(old: Line, new: Line, width: int) -> list[Run]:
    """Return the cells in which two lines differ, in runs from left to right."""
    if len(old) != len(new):
        return [_rest(new, 0, width)]
    runs: list[Run] = []
    x = 0
    for number, ((old_text, old_token), (text, token)) in enumerate(zip(old, new, strict=True)):
        size = cells(text)
        if old_text != text or old_token != token:
            if cells(old_text) != size:
                return [*runs, _rest(new[number:], x, width)] if x < width else runs
            first, last = (0, size) if old_token != token else _changed(old_text, text, size)
            whole = last - first == size
            part = (text if whole else text[first:last], token)
            _add(runs, Run(x + first, x + last, (part,)), width)
        x += size
    return runs


def _add(runs: list[Run], run: Run, width: int) -> None:
    """Append a run as far as it is within `width`; one that touches the last becomes part of it."""
    if run.x >= width:
        return
    if run.end > width:
        run = Run(run.x, width, cut(run.line, width - run.x))
    if runs and runs[-1].end == run.x:
        run = Run(runs[-1].x, run.end, (*runs[-1].line, *run.line))
        runs.pop()
    runs.append(run)


def _rest(line: Line, x: int, width: int) -> Run:
    """Return everything from `x` to the end of the line."""
    shown = cut(line, width - x)
    pad = width - x - line_cells(shown)
    return Run(x, width, (*shown, (" " * pad, TEXT)) if pad > 0 else shown)


def _changed(old: str, new: str, size: int) -> tuple[int, int]:
    """Return which part of a text differs, in cells."""
    is_plain = len(old) == len(new) == size
    if not is_plain or not (_NARROW.fullmatch(old) and _NARROW.fullmatch(new)):
        return 0, size
    first, last = 0, size
    while old[first] == new[first]:
        first += 1
    while old[last - 1] == new[last - 1]:
        last -= 1
    return first, last
