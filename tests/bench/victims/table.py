"""What a Textual application usually does: a DataTable, 100 rows, changed cells at 10 Hz."""

from __future__ import annotations

import os

os.environ.setdefault("TEXTUAL_FPS", "240")
os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from textual.app import App, ComposeResult
from textual.widgets import DataTable

ROWS = 100
COLUMNS = ("instrument", "ltp", "p&l", "stop %", "side", "qty", "entry", "held")


class Table(App[None]):
    """Three cells of every row change ten times a second."""

    frame = 0

    def compose(self) -> ComposeResult:
        yield DataTable[str](cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in COLUMNS:
            table.add_column(column, key=column, width=11)
        for row in range(ROWS):
            cells = (f"SHARE{row:03}", "100.00", "+0.00", "8.00%", "LONG", "10", "100.00", "2h")
            table.add_row(*cells, key=str(row))
        table.focus()
        self.set_interval(0.1, self.move)

    def move(self) -> None:
        self.frame += 1
        table = self.query_one(DataTable)
        for row in range(ROWS):
            step = (self.frame * 7 + row * 13) % 97 / 100
            table.update_cell(str(row), "ltp", f"{100 + step:.2f}")
            table.update_cell(str(row), "p&l", f"{step * 10:+.2f}")
            table.update_cell(str(row), "stop %", f"{8 + step:.2f}%")


if __name__ == "__main__":
    Table().run(mouse=False)
