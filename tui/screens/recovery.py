"""`R`: the recovery room (C-17): what a crash left, and one key for each thing that can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.decision import Choice, Decision
from engine.domain.ids import SECOND, DecisionId, Nanos
from engine.ports.clock import Clock
from tui import room
from tui.action import Context
from tui.actions import bindings_for
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sheet import Sheet
from tui.widgets.line import Line

WIDE: Final = 160
AGAIN: Final = 3 * SECOND
_CHOICES: Final = {f"recovery.{choice.value}": choice for choice in room.KEYS}
_STEPS: Final = {"recovery.next": 1, "recovery.previous": -1}


class RecoveryRoom(Sheet[None]):
    """Stays until it is left; answers go out one by one, and the room shows what became of them."""

    DEFAULT_CSS: ClassVar[str] = """
    RecoveryRoom #frame { width: 160; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.RECOVERY)]
    NO = "Leave the room"
    WIDTH = WIDE

    def __init__(
        self, desk: Desk, clock: Clock, answer: Callable[[Decision, Choice], None]
    ) -> None:
        """`answer` sends what was chosen."""
        super().__init__(desk, clock)
        self._answer = answer
        self._chosen: DecisionId | None = None
        self._is_followed = False
        """Whether the view goes to the chosen position next."""
        self._sent: dict[DecisionId, Nanos] = {}
        """When it was answered here; one that was refused may be answered again."""

    @property
    def chosen(self) -> Decision | None:
        """The question that the keys answer."""
        waiting = room.questions(self.desk.replica.state)
        mine = [decision for decision in waiting if decision.id == self._chosen]
        return next(iter(mine or waiting), None)

    def show(self) -> None:
        absence = self.desk.replica.state.absence
        is_over = absence is None or absence.is_settled
        self.heading = "Recovery: settled" if is_over else "Recovery room"
        super().show()

    def lines(self, width: int) -> Sequence[Line]:
        now = self.desk.replica.now(self.clock.monotonic())
        return room.lines(self.desk, now, width, self.chosen)

    def fitted(self, lines: Sequence[Line], room_: int) -> list[Line]:
        """Return the lines in view; after a step, those of the position stepped to."""
        if self._is_followed:
            self._is_followed = False
            marked = [n for n, line in enumerate(lines) if line and line[0][0] == room.MARK]
            self.offset_y = max(0, marked[0] - 1) if marked else self.offset_y
        return super().fitted(lines, room_)

    def act(self, name: str) -> None:
        choice = _CHOICES.get(name)
        if choice is not None:
            self._choose(choice)
        elif name in _STEPS:
            self._step(_STEPS[name])
        else:
            super().act(name)

    def _step(self, step: int) -> None:
        waiting = [decision.id for decision in room.questions(self.desk.replica.state)]
        chosen = self.chosen
        if chosen is None:
            self.offset_y = max(0, self.offset_y + step)
            return
        place = (waiting.index(chosen.id) + step) % len(waiting)
        self._chosen, self._is_followed = waiting[place], True
        self.said = ""

    def _choose(self, choice: Choice) -> None:
        decision = self.chosen
        if decision is None:
            self.said = "nothing is left to decide here"
        elif choice not in decision.choices:
            offered = ", ".join(room.DEEDS[c] for c in decision.choices if c in room.DEEDS)
            self.said = f"{room.DEEDS[choice]} is not offered for this one: {offered}"
        elif self.clock.monotonic() - self._sent.get(decision.id, -AGAIN) < AGAIN:
            self.said = "your answer is on its way already"
        else:
            self.said = why_not_send(self.desk)
            if not self.said:
                self._sent[decision.id] = self.clock.monotonic()
                self._answer(decision, choice)
