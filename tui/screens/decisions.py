"""`D`: the queue of decisions (C-18): one key for each answer, `y` for what books or trades."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.decision import Choice, Decision
from engine.domain.ids import SECOND, Nanos
from engine.domain.state import State
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui import queue
from tui.action import Context
from tui.actions import bindings_for
from tui.dialog import GIVES_UP_AFTER, key_here, wrapped
from tui.panel import Desk
from tui.permission import why_not_send
from tui.question_sheet import QuestionSheet
from tui.widgets.line import BLANK, Line

WIDE: Final = 132
PRICED: Final = frozenset({Choice.ESTIMATE})
"""Answers that need a price which is not stale."""


class DecisionQueue(QuestionSheet):
    """Stays until it is left; answers go out one by one, and it shows what became of them."""

    DEFAULT_CSS: ClassVar[str] = """
    DecisionQueue #frame { width: 132; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.DECISIONS)]
    NO = "Close"
    WIDTH = WIDE

    CHOICES: ClassVar[Mapping[str, Choice]] = {f"decisions.{c.value}": c for c in queue.KEYS}
    STEPS: ClassVar[Mapping[str, int]] = {"decisions.next": 1, "decisions.previous": -1}
    DEEDS: ClassVar[Mapping[Choice, str]] = queue.DEEDS

    def __init__(
        self, desk: Desk, clock: Clock, answer: Callable[[Decision, Choice], None]
    ) -> None:
        super().__init__(desk, clock, answer)
        self._meant: tuple[Decision, Choice] | None = None
        """Chosen, and waiting to be confirmed."""
        self._meant_at = Nanos(0)

    def questions(self, state: State) -> list[Decision]:
        return queue.questions(state)

    def show(self) -> None:
        self._forget()
        count = len(queue.questions(self.desk.replica.state))
        self.heading = f"Decisions: {count} wait{'s' if count == 1 else ''}"
        super().show()

    def lines(self, width: int) -> Sequence[Line]:
        replica = self.desk.replica
        now = replica.now(self.clock.monotonic())
        return [*self._asked(width, now), *queue.lines(replica, now, width, self.chosen)]

    def _asked(self, width: int, now: Nanos) -> list[Line]:
        """Return what `y` is going to do; nothing where nothing waits for it."""
        if self._meant is None:
            return []
        decision, choice = self._meant
        text = queue.consequence(decision, choice, self.desk.replica, now)
        yes, no = key_here(self, "dialog.confirm"), key_here(self, "dialog.cancel")
        left = GIVES_UP_AFTER - (self.clock.monotonic() - self._meant_at) // SECOND
        return [
            *wrapped(f"{choice.value.upper()}: {text}?", width, "alert"),
            (
                (f"{yes} ", "key!"),
                ("does it  ", "text"),
                (f"{no} ", "key!"),
                (f"does not; forgotten in {left} s", "muted"),
            ),
            *wrapped(f"holdfast decide {decision.id} {choice.value}", width, "muted"),
            BLANK,
        ]

    def follow(self, lines: Sequence[Line]) -> None:
        """Keep in view what is to be confirmed."""
        if self._meant is not None:
            self.offset_y = 0
        else:
            super().follow(lines)

    def confirm(self) -> None:
        """Send what was chosen, if it could be read and still waits for an answer."""
        self._forget()
        if self._meant is None or not self.is_readable:
            self.show()
            return
        decision, choice = self._meant
        self.said = why_not_send(self.desk) or self._objection(decision, choice)
        if self.said:
            self.ask_again(self.said)
            return
        self.send(decision, choice)
        self.show()

    def cancel(self, outcome: str = "") -> None:
        """Take back what was chosen; with nothing chosen, close."""
        if self._meant is None:
            super().cancel(outcome)
            return
        self._meant, self.said = None, "nothing was sent"
        self.show()

    def step(self, step: int) -> None:
        if self.chosen is not None:
            self._meant = None
        super().step(step)

    def take(self, decision: Decision, choice: Choice) -> None:
        """Ask once more, but for what neither books nor trades."""
        self._chosen = decision.id
        if choice is Choice.LEAVE:
            self.send(decision, choice)
            return
        self._meant, self._meant_at = (decision, choice), self.clock.monotonic()
        self.ask_again()

    def _objection(self, decision: Decision, choice: Choice) -> str:
        """Return why the chosen answer cannot be given as things are now."""
        replica = self.desk.replica
        if choice in PRICED:
            now = replica.now(self.clock.monotonic())
            if not queue.is_fresh(decision, replica, now):
                return f"the price is stale: {queue.price_now(decision, replica, now)}"
        return ""

    def send(self, decision: Decision, choice: Choice) -> None:
        self._meant = None
        super().send(decision, choice)

    def _forget(self) -> None:
        """Let go of a choice that nobody confirmed, or that has nothing to be about any more."""
        if self._meant is None:
            return
        decision, _ = self._meant
        if decision.id not in self.desk.replica.state.decisions:
            name = fmt.symbol(decision.instrument) if decision.instrument else decision.subject
            self._meant, self.said = None, f"{name} is settled otherwise; nothing was sent"
        elif self.clock.monotonic() - self._meant_at > GIVES_UP_AFTER * SECOND:
            self._meant, self.said = None, "nobody confirmed; nothing was sent"
