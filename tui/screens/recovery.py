"""`R`: the recovery room (C-17): what a crash left, and one key for each thing that can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.decision import Choice, Decision
from engine.domain.state import State
from tui import room
from tui.action import Context
from tui.actions import bindings_for
from tui.question_sheet import QuestionSheet
from tui.widgets.line import Line

WIDE: Final = 160


class RecoveryRoom(QuestionSheet):
    """Stays until it is left; answers go out one by one, and the room shows what became of them."""

    DEFAULT_CSS: ClassVar[str] = """
    RecoveryRoom #frame { width: 160; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.RECOVERY)]
    NO = "Leave the room"
    WIDTH = WIDE

    CHOICES: ClassVar[Mapping[str, Choice]] = {f"recovery.{c.value}": c for c in room.KEYS}
    STEPS: ClassVar[Mapping[str, int]] = {"recovery.next": 1, "recovery.previous": -1}
    DEEDS: ClassVar[Mapping[Choice, str]] = room.DEEDS

    def questions(self, state: State) -> list[Decision]:
        return room.questions(state)

    def show(self) -> None:
        absence = self.desk.replica.state.absence
        is_over = absence is None or absence.is_settled
        self.heading = "Recovery: settled" if is_over else "Recovery room"
        super().show()

    def lines(self, width: int) -> Sequence[Line]:
        now = self.desk.replica.now(self.clock.monotonic())
        return room.lines(self.desk, now, width, self.chosen)
