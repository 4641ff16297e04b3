"""A line chart in quarter blocks: two by two to a cell, in every font. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui.formatting import fit
from tui.widgets.gauges import merged
from tui.widgets.line import Line

_BITS: Final = ((1, 2), (4, 8))
"""Bit of a quarter, by row and column."""
_BLOCKS: Final = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line with a label at the right edge."""

    value: float
    label: str
    token: str


def chart(
    values: Sequence[float], levels: Sequence[Level], width: int, height: int, token: str
) -> list[Line]:
    """Return the newest values as a line, levels drawn under it, labels at the right."""
    margin = max((len(level.label) for level in levels), default=0) + 1
    columns = max(4, width - margin - 1)
    shown = list(values[-columns * 2 :])
    if not shown or height < 2:
        return []
    everything = [*shown, *(level.value for level in levels)]
    low, high = min(everything), max(everything)
    span = (high - low) or 1.0
    rows = height * 2 - 1
    grid = [[0] * columns for _ in range(height)]
    for at, (y, before) in enumerate(_steps(shown, low, span, rows)):
        x = columns * 2 - len(shown) + at
        for dot in range(min(y, before), max(y, before) + 1):
            grid[dot // 2][x // 2] |= _BITS[dot % 2][x % 2]
    marks = {round((high - level.value) / span * (height - 1)): level for level in levels}
    return [_row(grid[y], marks.get(y), token, margin) for y in range(height)]


def _steps(values: Sequence[float], low: float, span: float, rows: int) -> list[tuple[int, int]]:
    """Return each value's dot row and where the line to it starts."""
    heights = [rows - round((value - low) / span * rows) for value in values]
    starts = [heights[0], *heights[:-1]]
    return [
        (y, start + (1 if y > start else -1 if y < start else 0))
        for y, start in zip(heights, starts, strict=True)
    ]


def _row(cells: Sequence[int], level: Level | None, token: str, margin: int) -> Line:
    under = ("┄", level.token) if level is not None else (" ", "text")
    spans = [(_BLOCKS[cell], token) if cell else under for cell in cells]
    label = fit(level.label if level else "", margin, right=True)
    return merged([(" ", "text"), *spans, (label, level.token if level else "text")])
