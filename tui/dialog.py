"""What every dialog has in common (C-2): the safe answer first, and no blind confirmation."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Button

from engine.domain.ids import SECOND, Nanos
from engine.ports.clock import Clock
from tui.action import Context
from tui.actions import bindings_for
from tui.guard import guard
from tui.keymap import shown_key
from tui.panel import Desk
from tui.widgets.line import Line, Span, cut, titled_rule
from tui.widgets.lines import Lines

READABLE_AFTER: Final = 300_000_000
"""Nanoseconds on screen before a key can confirm: what was typed ahead is dropped."""
GIVES_UP_AFTER: Final = 20
"""Seconds until a dialog cancels itself."""
TICK_S: Final = 0.25
WIDTH: Final = 72
SMALL: Final = (60, 18)
"""On a smaller terminal a dialog has no border: every row counts."""

DRAIN_CHECK_S: Final = 0.05
"""How often a line that lags is asked whether the question has left."""

ABOVE_AND_BELOW: Final = 8
"""Rows kept for border, title, answers, and the header behind: LIVE is never covered (C-6)."""

R = TypeVar("R")


class Drains(Protocol):
    """A terminal's driver, as far as a dialog needs it."""

    @property
    def is_drained(self) -> bool:
        """Whether everything written has left for the terminal."""


class HasTerminal(Protocol):
    """The app, as far as a dialog needs it."""

    @property
    def console_driver(self) -> Drains | None:
        """The driver of a real terminal."""


class Body(Lines):
    """Lines that stand as high as they are many."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 Textual's own name
        super().__init__(id=id)
        self._wanted: tuple[Line, ...] = ()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show all `lines`, growing or shrinking to fit them."""
        if len(lines) != len(self._wanted):
            self.styles.height = len(lines)
        self._wanted = tuple(lines)
        self.put(self._wanted)

    @guard
    def on_resize(self) -> None:
        self.put(self._wanted)


class Dialog(ModalScreen[R | None], Generic[R]):
    """A question. Dismisses with the answer, or None when cancelled; it sends nothing itself."""

    DEFAULT_CSS: ClassVar[str] = """
    Dialog { align: center middle; background: $background 0%; }
    Dialog #frame {
        width: 72; max-width: 100%; height: auto; max-height: 100%;
        background: $background; padding: 0 1; border: round $primary;
    }
    Dialog.-small #frame { border: none; padding: 0; }
    Dialog #answers { height: 1; }
    Dialog #question { width: 100%; }
    Dialog Button { margin: 0 2 0 0; min-width: 8; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.DIALOG)]
    heading: str = ""
    YES: ClassVar[str] = "Yes"
    """What confirming does; empty: it cannot be confirmed by one key."""
    NO: ClassVar[str] = "Cancel"
    WIDTH: ClassVar[int] = WIDTH
    """Columns at most."""
    gives_up: bool = True
    """Whether it cancels itself when nobody answers."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        super().__init__()
        self.desk = desk
        self.clock = clock
        self.outcome = ""
        """Why it ended without an answer, for the status line."""
        self.said = ""
        """The last refusal or advice, kept on screen until the next one."""
        self._touched = clock.monotonic()
        self._readable_from: Nanos | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield Body(id="question")
            with Horizontal(id="answers"):
                yield _button("cancel", self.NO)
                if self.YES:
                    yield _button("confirm", self.YES)

    @guard
    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()
        self._label("#cancel", "dialog.cancel", self.NO)
        if self.YES:
            self._label("#confirm", "dialog.confirm", self.YES)
        self.show()
        self.ask_again()
        self.set_interval(TICK_S, self.tick)

    @guard
    def on_resize(self) -> None:
        self.show()

    # What a dialog of its own kind says.

    def lines(self, width: int) -> Sequence[Line]:
        """Return the question, most important line first."""
        raise NotImplementedError

    def objection(self) -> str:
        """Return why it cannot be confirmed as it stands now; empty: it can."""
        return ""

    def answer(self) -> R:
        """Return what confirming means."""
        raise NotImplementedError

    def act(self, name: str) -> None:
        """Do one of the dialog's own actions; called only once it is readable."""

    # Time.

    @property
    def is_readable(self) -> bool:
        """Whether it has stood on screen long enough to be answered."""
        start = self._readable_from
        return start is not None and self.clock.monotonic() - start >= READABLE_AFTER

    @property
    def seconds_left(self) -> int:
        return max(0, GIVES_UP_AFTER - (self.clock.monotonic() - self._touched) // SECOND)

    def ask_again(self, why: str = "") -> None:
        """Make what is shown now unconfirmable until it has been painted and readable."""
        if why:
            self.said = why
            self.show()
        self._readable_from = None
        self.call_after_refresh(self._painted)

    @guard
    def _painted(self) -> None:
        if not is_drawn(self):
            self.set_timer(DRAIN_CHECK_S, self._painted)  # on a slow line it is not on screen yet
        else:
            self._readable_from = self.clock.monotonic()

    @guard
    def tick(self) -> None:
        """Bring the figures up to date; cancel when nobody answered in time."""
        if self.gives_up and self.seconds_left <= 0:
            self.cancel(f"cancelled: nobody answered for {GIVES_UP_AFTER} s; nothing was sent")
        else:
            self.show()

    # Answers.

    @guard
    def action_act(self, name: str) -> None:
        if name == "dialog.cancel":
            self.cancel()
        elif name == "dialog.confirm":
            self.confirm()
        elif self.is_readable:
            self._touched = self.clock.monotonic()
            self.act(name)
            self.show()

    @guard
    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "confirm":
            self.confirm()
        else:
            self.cancel()

    def confirm(self) -> None:
        """Answer yes, unless it could not be read yet or is not true any more."""
        if not self.is_readable:
            return
        why = self.objection()
        if why:
            self.ask_again(why)
        else:
            self.dismiss(self.answer())

    def cancel(self, outcome: str = "") -> None:
        """Leave without an answer; `outcome` says why if it was not the person's wish."""
        if self.is_current:
            self.outcome = outcome
            self.dismiss(None)

    # Drawing.

    def show(self) -> None:
        """Draw the question; called on every tick and change."""
        if not self.is_mounted:
            return
        columns, rows = self.app.size
        is_small = rows < SMALL[1] or columns < SMALL[0]
        self.set_class(is_small, "-small")
        width = max(1, min(self.WIDTH, columns) - (0 if is_small else 4))
        left = f"cancels in {self.seconds_left} s" if self.gives_up else ""
        title = titled_rule(self.heading, width, notes=left, is_focused=True)
        said = wrapped(self.said, width, "alert") if self.said else []
        room = max(1, rows - len(said) - (2 if is_small else ABOVE_AND_BELOW))
        lines = self.fitted([*self.lines(width), ()], room)
        shown = [cut(line, width) for line in (title, *lines, *said)]
        self.query_one("#question", Body).set_lines(shown)

    def fitted(self, lines: Sequence[Line], room: int) -> list[Line]:
        """Return what fits on the screen; the last lines matter least."""
        return list(lines[:room])

    def _label(self, button: str, action: str, text: str) -> None:
        self.query_one(button, Button).label = Content(f"{key_here(self, action)} {text}")


def _button(name: str, label: str) -> Button:
    button = Button(label, id=name, compact=True)
    button.active_effect_duration = 0  # no animation; while it lasts, presses are ignored
    return button


def is_drawn(screen: Screen[Any]) -> bool:
    """Return whether what a screen drew has left for the terminal."""
    driver = cast("HasTerminal", screen.app).console_driver
    return driver is None or driver.is_drained


def key_here(screen: Screen[Any], action: str) -> str:
    """Return the key that reaches an action on a screen, as a person knows it."""
    for key, active in screen.active_bindings.items():
        if active.binding.id == action:
            return shown_key(key)
    return ""


def wrapped(text: str, width: int, token: str = "text") -> list[Line]:  # noqa: S107 a style's name
    """Return `text` on as many lines as it needs."""
    return [((part, token),) for part in textwrap.wrap(text, max(8, width))]


def labelled(label: str, *spans: Span) -> Line:
    """Return a line with its label in a column of its own."""
    return ((f"{label:<11}", "muted"), *spans)
