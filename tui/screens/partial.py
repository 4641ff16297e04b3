"""`%`: close part of a position: a quantity or a percentage, in whole lots, rounded down."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from engine.domain.ids import CommandId, PositionId
from engine.domain.money import Qty, plain
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.book import Figures
from tui.dialog import labelled
from tui.guard import guard
from tui.panel import Desk
from tui.screens.close import CloseDialog
from tui.ticket import AmountError, part_of
from tui.widgets.line import Line

DIGITS = "0123456789.,%"


class PartialDialog(CloseDialog):
    """The close dialog with a quantity that is typed into it; half of it to begin with."""

    heading = "Close part at market"
    YES: ClassVar[str] = "Close this part"

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        position: PositionId,
        command: CommandId,
        typed: str = "50%",
    ) -> None:
        super().__init__(desk, clock, position, command)
        self.typed = typed
        self._is_typed_over = False

    def amount(self, item: Figures) -> Qty:
        try:
            return part_of(self.typed, item.position, item.instrument)
        except AmountError:
            return Qty(item.position.qty * 0)

    def amount_lines(self, item: Figures, width: int) -> list[Line]:
        typed = (f" {self.typed}_ ", "key!")
        try:
            amount = part_of(self.typed, item.position, item.instrument)
        except AmountError as error:
            return [labelled("close", typed, (f"  {error}", "warning"))]
        left = item.position.qty - amount
        text = f"  = {fmt.quantity(amount)}, {fmt.quantity(left)} stay open"
        return [labelled("close", typed, (text, "text!"))]

    def twin(self, item: Figures) -> str:
        return f"{super().twin(item)} --qty {plain(self.amount(item))}"

    def objection(self) -> str:
        item = self.item
        if item is not None:
            try:
                part_of(self.typed, item.position, item.instrument)
            except AmountError as error:
                return f"{error}; nothing was sent"
        return super().objection()

    @guard
    def on_key(self, event: events.Key) -> None:
        """Edit the quantity; what was typed before the dialog was readable is dropped."""
        is_digit = event.character is not None and event.character in DIGITS
        if not is_digit and event.key != "backspace":
            return
        event.stop()
        if not self.is_readable:
            return
        if event.key == "backspace":
            self.typed = self.typed[:-1]
        elif event.character is not None:
            start = self.typed if self._is_typed_over else ""
            self.typed = (start + event.character)[:12]
        self._is_typed_over = True
        self.said = ""
        self.show()
