"""A table as a model: columns that drop as width shrinks, a cursor that stays on its row.

It draws into lines; the widget below repaints only the cells that differ. Rows are asked for one
by one, and only those on screen are ever made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from engine.domain.ids import SECOND, Nanos
from tui.formatting import cells, fit
from tui.widgets.line import BLANK, MUTED, Line, Span

FREEZE: Final = 2 * SECOND
"""Rows keep their places so long after a cursor key: nothing jumps away under a finger."""
RESORT: Final = 2 * SECOND
"""Rows change places at most so often: figures may dance, rows may not."""
CURSOR: Final = ">"

_Places: TypeAlias = tuple[tuple[int, int], ...]
"""Columns that are shown, with their widths."""
_Shape: TypeAlias = tuple[_Places, str, bool, bool]
"""How a row is laid out: places, the gap, under the cursor, in focus."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; hot ones stand directly right of the name (C-5)."""

    key: str
    title: str
    priority: int
    """Columns with the highest number drop first; 0 never drops."""
    is_left: bool = False
    width: int = 0
    """Least width; content widens it."""
    is_flexible: bool = False
    """Its text may be cut: it takes what more important columns leave, at least its width."""


class Grid:
    """Order, cursor and scroll of rows that are known by id."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.order: list[str] = []
        self.cursor: str | None = None
        self.top = 0
        self._frozen_until = Nanos(0)
        self._sorted_at: Nanos | None = None
        self._widths: dict[str, int] = {}
        self._wanted: dict[str, int] = {}
        """Widths as if there were room for everything."""
        self._drawn_width = 0
        self._measured: dict[str, Sequence[Span]] = {}
        """Cells whose widths are known: the same object need not be measured again."""
        self._rows: dict[str, tuple[_Shape, Sequence[Span], Line]] = {}
        """Rows as they were drawn last: the same cells in the same shape are the same line."""

    def arrange(self, ids: Sequence[str], mono: Nanos) -> None:
        """Take over the sorted ids, unless rows have to keep their places for a while."""
        at = self.index
        is_fresh = self._sorted_at is not None and mono - self._sorted_at < RESORT
        if is_fresh or mono < self._frozen_until:
            present = set(ids)
            known = set(self.order)
            self.order = [i for i in self.order if i in present]
            self.order += [i for i in ids if i not in known]
        else:
            self.order = list(ids)
            self._sorted_at = mono
        if self.cursor not in self.order:
            self.cursor = self.order[min(at, len(self.order) - 1)] if self.order else None

    def sort_now(self) -> None:
        """Let the next order count at once: the operator asked for another one."""
        self._sorted_at, self._frozen_until = None, Nanos(0)

    @property
    def index(self) -> int:
        """Where the cursor is; 0 in an empty table."""
        if self.cursor is None:
            return 0
        try:
            return self.order.index(self.cursor)
        except ValueError:
            return 0

    def move(self, rows: int, mono: Nanos) -> None:
        """Move the cursor and keep the order still for a while."""
        self._frozen_until = Nanos(mono + FREEZE)
        if self.order:
            self.cursor = self.order[min(len(self.order) - 1, max(0, self.index + rows))]

    def select(self, row: str) -> None:
        """Put the cursor on a row, if it is there."""
        if row in self.order:
            self.cursor = row

    def seen(self, height: int) -> list[str]:
        """Return the ids that fit `height` lines, scrolled so that the cursor is among them."""
        index = self.index
        if height <= 0:
            return []
        self.top = min(self.top, index, max(0, len(self.order) - height))
        self.top = max(self.top, index - height + 1, 0)
        return self.order[self.top : self.top + height]

    def row_at(self, line: int) -> str | None:
        """Return the id shown on line `line` of the rows."""
        at = self.top + line
        return self.order[at] if 0 <= at < len(self.order) else None

    def draw(
        self,
        width: int,
        height: int,
        cells_of: Callable[[str], Sequence[Span]],
        *,
        sorted_by: str = "",
        is_reverse: bool = False,
        is_focused: bool = False,
    ) -> list[Line]:
        """Return the header and up to `height - 1` rows; `cells_of` gives a span a column."""
        if width != self._drawn_width:
            self._widths, self._wanted, self._drawn_width = {}, {}, width
            self._measured = {}
        ids = self.seen(height - 1)
        rows = {row: cells_of(row) for row in ids}
        self._measure([rows[row] for row in ids if self._measured.get(row) is not rows[row]])
        self._measured = rows
        chosen, gap = self._fitting(width)
        arrow = "▼" if is_reverse else "▲"
        header: list[Span] = [(" ", MUTED)]
        for index in chosen:
            column = self.columns[index]
            title = f"{column.title}{arrow}" if column.key == sorted_by else column.title
            token = "title" if column.key == sorted_by else MUTED
            header.append((fit(title, self._widths[column.key], right=not column.is_left), token))
            header.append((gap, MUTED))
        lines: list[Line] = [tuple(header)]
        places = tuple((index, self._widths[self.columns[index].key]) for index in chosen)
        lines += self._lines(rows, places, gap, is_focused=is_focused)
        lines += [BLANK] * (height - len(lines))
        return lines

    def _lines(
        self, rows: Mapping[str, Sequence[Span]], places: _Places, gap: str, *, is_focused: bool
    ) -> list[Line]:
        """Return the lines of the rows in view; those that are as they were, as they were."""
        drawn: dict[str, tuple[_Shape, Sequence[Span], Line]] = {}
        for row, spans in rows.items():
            is_here = row == self.cursor
            shape = (places, gap, is_here, is_here and is_focused)
            known = self._rows.get(row)
            if known is None or known[1] is not spans or known[0] != shape:
                known = (shape, spans, self._row(spans, shape))
            drawn[row] = known
        self._rows = drawn
        return [line for _, _, line in drawn.values()]

    def _row(self, spans: Sequence[Span], shape: _Shape) -> Line:
        places, gap, is_here, is_focused = shape
        mark = "accent!" if is_here and is_focused else "title"
        bold = "!" if is_here else ""
        out: list[Span] = [(CURSOR if is_here else " ", mark)]
        for index, width in places:
            text, token = spans[index]
            out.append((fit(text, width, right=not self.columns[index].is_left), token + bold))
            out.append((gap, "text"))
        return tuple(out)

    def _measure(self, rows: Iterable[Sequence[Span]]) -> None:
        for column in self.columns:
            known = self._wanted if column.is_flexible else self._widths
            self._widths[column.key] = max(known.get(column.key, 0), _least(column))
        for spans in rows:
            for column, (text, _) in zip(self.columns, spans, strict=True):
                size = cells(text)
                self._widths[column.key] = max(self._widths[column.key], size)
        self._wanted = dict(self._widths)

    def _fitting(self, width: int) -> tuple[list[int], str]:
        """Return the indices of the columns that fit, and the gap between them."""
        room = width - 1
        chosen: list[int] = []
        ranked = sorted(range(len(self.columns)), key=lambda i: (self.columns[i].priority, i))
        for index in ranked:
            column = self.columns[index]
            if column.is_flexible:
                self._widths[column.key] = max(_least(column), min(room, self._wanted[column.key]))
            need = self._widths[column.key] + 1
            if need > room + 1 and column.priority > 0:
                break
            chosen.append(index)
            room -= need
        gap = "  " if room >= len(chosen) and len(chosen) == len(self.columns) else " "
        return sorted(chosen), gap


def _least(column: Column) -> int:
    return max(column.width, len(column.title) + 1)
