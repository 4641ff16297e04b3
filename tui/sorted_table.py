"""A panel that is one table: a cursor, an order that can be changed, and a filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.panel import Desk, Panel
from tui.widgets.grid import Column, Grid


class SortedTable(Panel):
    """Sorted by the first of `SORTS` until a person says otherwise."""

    COLUMNS: ClassVar[Sequence[Column]]
    SORTS: ClassVar[Sequence[str]]
    """Columns that it can be sorted by, in the order in which a key goes through them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.grid = Grid(self.COLUMNS)
        self.sort = self.SORTS[0]
        self.is_reverse = False
        self.search = ""

    def move(self, rows: int) -> None:
        self.grid.move(rows, self.desk.mono)
        self.show()

    def next_sort(self, step: int = 1) -> None:
        """Sort by the next column."""
        self.sort = self.SORTS[(self.SORTS.index(self.sort) + step) % len(self.SORTS)]
        self.grid.sort_now()
        self.show()

    def reverse_sort(self) -> None:
        """Turn the order round."""
        self.is_reverse = not self.is_reverse
        self.grid.sort_now()
        self.show()

    @property
    def filter_text(self) -> str:
        """The filter in force; empty for none."""
        return self.search

    def set_filter(self, text: str) -> None:
        """Show only what matches `text`; empty shows all."""
        self.search = text
        self.grid.sort_now()
        self.show()
