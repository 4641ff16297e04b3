"""`U`: lift a flatten's latch, with a person's reason (E-27)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType

from engine.domain.command import LiftLatch
from engine.domain.ids import CommandId
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.dialog import Dialog, labelled, wrapped
from tui.guard import guard
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.widgets.line import Line

REASON_MIN: Final = 4
REASON_MAX: Final = 200


class LiftDialog(Dialog[LiftLatch]):
    """Takes a typed reason; enter confirms once there is one, letters are text here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", show=False, priority=True),
        Binding("escape", "act('dialog.cancel')", show=False, priority=True),
    ]
    heading = "Allow entries again"
    YES: ClassVar[str] = ""

    def __init__(self, desk: Desk, clock: Clock, command: CommandId, reason: str = "") -> None:
        super().__init__(desk, clock)
        self.command = command
        self.reason = reason[:REASON_MAX]

    def lines(self, width: int) -> Sequence[Line]:
        latch = self.desk.replica.state.latch
        if latch is None:
            return [(("No flatten is in force.", "muted"),)]
        since = fmt.clock(latch.since, self.desk.replica.zone)
        flat = "everything is flat" if latch.is_flat else "NOT FLAT YET"
        text = f"{fmt.words(latch.cause.value)} since {since}, {flat}: {for_screen(latch.reason)}"
        return [
            *wrapped(text, width, "text" if latch.is_flat else "alert"),
            (),
            labelled("reason", (f"{for_screen(self.reason)}_", "key!")),
            *wrapped("Type why entries may go on; enter allows them, esc cancels.", width, "muted"),
        ]

    def objection(self) -> str:
        why = why_not_send(self.desk)
        if why:
            return f"{why}; nothing was sent"
        if self.desk.replica.state.latch is None:
            return "no flatten is in force; nothing was sent"
        if len(self.reason.strip()) < REASON_MIN:
            return f"a reason is needed, {REASON_MIN} letters or more; nothing was sent"
        return ""

    def answer(self) -> LiftLatch:
        return LiftLatch(self.command, "console", self.reason.strip())

    @guard
    def action_enter(self) -> None:
        """Cancel on opening; once a reason is typed, confirm."""
        if self.reason:
            self.confirm()
        else:
            self.cancel()

    @guard
    def on_key(self, event: events.Key) -> None:
        """Take the reason; what was typed ahead is dropped."""
        if event.key == "backspace":
            self.reason = self.reason[:-1]
        elif event.character is not None and event.character.isprintable():
            if self.is_readable:
                self.reason = (self.reason + event.character)[:REASON_MAX]
        else:
            return
        event.stop()
        self.said = ""
        self.show()
