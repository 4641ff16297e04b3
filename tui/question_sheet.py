"""A sheet that asks: the questions that wait, one chosen among them, and a key for each answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from engine.domain.decision import Choice, Decision
from engine.domain.ids import SECOND, DecisionId, Nanos
from engine.domain.state import State
from engine.ports.clock import Clock
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sheet import Sheet
from tui.widgets.line import MARK, Line

AGAIN: Final = 3 * SECOND
"""An answer that was refused may be given again after this."""


class QuestionSheet(Sheet[None]):
    """Stays until it is left; answers go out one by one, and it shows what became of them."""

    CHOICES: ClassVar[Mapping[str, Choice]]
    """Action -> what it answers."""
    STEPS: ClassVar[Mapping[str, int]]
    """Action -> how far it goes through the questions."""
    DEEDS: ClassVar[Mapping[Choice, str]]
    """What each answer does, in words."""

    def __init__(
        self, desk: Desk, clock: Clock, answer: Callable[[Decision, Choice], None]
    ) -> None:
        """`answer` sends what was chosen."""
        super().__init__(desk, clock)
        self._answer = answer
        self._chosen: DecisionId | None = None
        self._is_followed = False
        """Whether the view goes to the chosen question next."""
        self._sent: dict[DecisionId, Nanos] = {}
        """When it was answered here."""

    @abstractmethod
    def questions(self, state: State) -> list[Decision]:
        """Return what is to be decided here, in the order it was asked."""

    @property
    def chosen(self) -> Decision | None:
        """The question that the keys answer."""
        waiting = self.questions(self.desk.replica.state)
        mine = [decision for decision in waiting if decision.id == self._chosen]
        return next(iter(mine or waiting), None)

    def fitted(self, lines: Sequence[Line], room: int) -> list[Line]:
        self.follow(lines)
        return super().fitted(lines, room)

    def follow(self, lines: Sequence[Line]) -> None:
        """After a step, bring the question stepped to into view."""
        if self._is_followed:
            self._is_followed = False
            marked = [n for n, line in enumerate(lines) if line and line[0][0] == MARK]
            self.offset_y = max(0, marked[0] - 1) if marked else self.offset_y

    def act(self, name: str) -> None:
        choice = self.CHOICES.get(name)
        if choice is not None:
            self._choose(choice)
        elif name in self.STEPS:
            self.step(self.STEPS[name])
        else:
            super().act(name)

    def step(self, step: int) -> None:
        """Choose the question `step` further on; with none, scroll."""
        waiting = [decision.id for decision in self.questions(self.desk.replica.state)]
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
            offered = ", ".join(self.DEEDS[c] for c in decision.choices if c in self.DEEDS)
            self.said = f"{self.DEEDS[choice]} is not offered for this one: {offered}"
        elif self.clock.monotonic() - self._sent.get(decision.id, -AGAIN) < AGAIN:
            self.said = "your answer is on its way already"
        else:
            self.said = why_not_send(self.desk)
            if not self.said:
                self.take(decision, choice)

    def take(self, decision: Decision, choice: Choice) -> None:
        """Do what was chosen: send it."""
        self.send(decision, choice)

    def send(self, decision: Decision, choice: Choice) -> None:
        """Send an answer."""
        self._sent[decision.id] = self.clock.monotonic()
        self._answer(decision, choice)
