"""A dialog that only tells: it stays until it is closed, and scrolls when it is long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypeVar

from textual.binding import BindingType

from tui.action import Context
from tui.actions import bindings_for
from tui.dialog import Dialog
from tui.widgets.line import Line

R = TypeVar("R")
_MOVES: Final = {
    "cursor.down": 1,
    "cursor.up": -1,
    "cursor.page_down": 10,
    "cursor.page_up": -10,
    "cursor.top": -100_000,
    "cursor.bottom": 100_000,
}


class Sheet(Dialog[R]):
    """Closed by escape or enter; the cursor keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in bindings_for(Context.PLAIN) if binding.id in _MOVES
    ]
    YES = ""
    NO = "Close"
    gives_up = False
    offset_y = 0
    """First line shown."""

    def act(self, name: str) -> None:
        self.offset_y = max(0, self.offset_y + _MOVES.get(name, 0))

    def fitted(self, lines: Sequence[Line], room: int) -> list[Line]:
        """Return the lines in view and, if some are not, where it stands."""
        if len(lines) <= room:
            self.offset_y = 0
            return list(lines)
        shown = max(1, room - 1)
        self.offset_y = min(self.offset_y, len(lines) - shown)
        last = self.offset_y + shown
        note: Line = ((f"lines {self.offset_y + 1} to {last} of {len(lines)}", "muted"),)
        return [*lines[self.offset_y : last], note]
