"""A widget that is given lines and repaints only the cells that changed (C-7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.formatting import cells
from tui.theming import Look
from tui.widgets.line import BLANK, Line


class HasLook(Protocol):
    """The app, as far as drawing needs it."""

    @property
    def look(self) -> Look:
        """The theme in use."""

    @property
    def is_grey(self) -> bool:
        """Whether figures are shown as out of date."""


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
        dirty: list[Region] = []
        for y in range(max(len(before), len(after))):
            old = before[y] if y < len(before) else BLANK
            new = after[y] if y < len(after) else BLANK
            if old is not new and old != new:
                left, right = changed_cells(old, new, width)
                if left < right:
                    dirty.append(Region(left, y, right - left, 1))
        if dirty:
            self.refresh(*dirty)

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
    if len(old) != len(new):
        return 0, width
    x = 0
    left, right = width, 0
    for (old_text, old_token), (new_text, new_token) in zip(old, new, strict=True):
        size, old_size = cells(new_text), cells(old_text)
        if size != old_size:
            return min(left, x), width
        if old_token != new_token:
            left, right = min(left, x), x + size
        elif old_text != new_text:
            first, last = _changed(old_text, new_text, size)
            left, right = min(left, x + first), x + last
        x += size
    return left, min(right, width)


def _changed(old: str, new: str, size: int) -> tuple[int, int]:
    if len(old) != len(new) or not (old.isascii() and new.isascii()):
        return 0, size
    differing = [
        index for index, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]
    ]
    return differing[0], differing[-1] + 1
