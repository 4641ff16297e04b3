"""`D`: the queue of decisions (C-18): one key for each answer, `y` for what books or trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.decision import Choice, Decision
from engine.domain.ids import SECOND, DecisionId, Nanos
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui import queue
from tui.action import Context
from tui.actions import bindings_for
from tui.dialog import GIVES_UP_AFTER, key_here, wrapped
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sheet import Sheet
from tui.widgets.line import BLANK, Line

WIDE: Final = 132
AGAIN: Final = 3 * SECOND
_CHOICES: Final = {f"decisions.{choice.value}": choice for choice in queue.KEYS}
_STEPS: Final = {"decisions.next": 1, "decisions.previous": -1}
PRICED: Final = frozenset({Choice.ESTIMATE})
"""Answers that need a price which is not stale."""


class DecisionQueue(Sheet[None]):
    """Stays until it is left; answers go out one by one, and it shows what became of them."""

    DEFAULT_CSS: ClassVar[str] = """
    DecisionQueue #frame { width: 132; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.DECISIONS)]
    NO = "Close"
    WIDTH = WIDE

    def __init__(
        self, desk: Desk, clock: Clock, answer: Callable[[Decision, Choice], None]
    ) -> None:
        """`answer` sends what was chosen."""
        super().__init__(desk, clock)
        self._answer = answer
        self._chosen: DecisionId | None = None
        self._is_followed = False
        """Whether the view goes to the chosen decision next."""
        self._meant: tuple[Decision, Choice] | None = None
        """Chosen, and waiting to be confirmed."""
        self._meant_at = Nanos(0)
        self._sent: dict[DecisionId, Nanos] = {}

    @property
    def chosen(self) -> Decision | None:
        """The decision that the keys answer."""
        waiting = queue.questions(self.desk.replica.state)
        mine = [decision for decision in waiting if decision.id == self._chosen]
        return next(iter(mine or waiting), None)

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

    def fitted(self, lines: Sequence[Line], room: int) -> list[Line]:
        """Return the lines in view; after a step, those of the decision stepped to."""
        if self._meant is not None:
            self.offset_y = 0
        elif self._is_followed:
            self._is_followed = False
            marked = [n for n, line in enumerate(lines) if line and line[0][0] == queue.MARK]
            self.offset_y = max(0, marked[0] - 1) if marked else self.offset_y
        return super().fitted(lines, room)

    def act(self, name: str) -> None:
        choice = _CHOICES.get(name)
        if choice is not None:
            self._choose(choice)
        elif name in _STEPS:
            self._step(_STEPS[name])
        else:
            super().act(name)

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
        self._send(decision, choice)
        self.show()

    def cancel(self, outcome: str = "") -> None:
        """Take back what was chosen; with nothing chosen, close."""
        if self._meant is None:
            super().cancel(outcome)
            return
        self._meant, self.said = None, "nothing was sent"
        self.show()

    def _step(self, step: int) -> None:
        waiting = [decision.id for decision in queue.questions(self.desk.replica.state)]
        chosen = self.chosen
        if chosen is None:
            self.offset_y = max(0, self.offset_y + step)
            return
        place = (waiting.index(chosen.id) + step) % len(waiting)
        self._chosen, self._is_followed = waiting[place], True
        self._meant, self.said = None, ""

    def _choose(self, choice: Choice) -> None:
        decision = self.chosen
        if decision is None:
            self.said = "nothing is left to decide here"
        elif choice not in decision.choices:
            offered = ", ".join(queue.DEEDS[c] for c in decision.choices if c in queue.DEEDS)
            self.said = f"{queue.DEEDS[choice]} is not offered for this one: {offered}"
        elif self.clock.monotonic() - self._sent.get(decision.id, -AGAIN) < AGAIN:
            self.said = "your answer is on its way already"
        else:
            self.said = why_not_send(self.desk)
            if self.said:
                return
            self._chosen = decision.id
            if choice is Choice.LEAVE:
                self._send(decision, choice)
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

    def _send(self, decision: Decision, choice: Choice) -> None:
        self._meant = None
        self._sent[decision.id] = self.clock.monotonic()
        self._answer(decision, choice)

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
