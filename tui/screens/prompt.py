"""One line at the bottom: `:` commands with completion, and the `/` filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.commandline import CommandError, Invocation, Scope, complete, parse
from tui.dialog import Body, wrapped
from tui.guard import guard
from tui.sanitise import for_screen
from tui.widgets.line import Line, cut

SHOWN = 8


class Prompt(ModalScreen[str | None]):
    """A line of text at the bottom of the screen; dismisses with it, or None."""

    DEFAULT_CSS: ClassVar[str] = """
    Prompt { align: left bottom; background: $background 0%; }
    Prompt #frame { width: 100%; height: auto; background: $background; }
    Prompt #line { height: 1; }
    Prompt #mark { width: 1; height: 1; }
    Prompt Input { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, priority=True),
        Binding("enter", "accept", show=False, priority=True),
    ]
    mark = "/"

    def __init__(self, text: str = "", on_change: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self._start = text
        self._on_change = on_change

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            yield Body(id="hints")
            with Horizontal(id="line"):
                yield Body(id="mark")
                field = Input(self._start, id="text", select_on_focus=False, compact=True)
                field.cursor_blink = False
                yield field

    @guard
    def on_mount(self) -> None:
        self.query_one("#mark", Body).set_lines([((self.mark, "key"),)])
        self.field.focus()
        self.field.cursor_position = len(self._start)
        self.changed(self._start)

    @property
    def field(self) -> Input:
        """The line itself."""
        return self.query_one("#text", Input)

    @guard
    def on_input_changed(self, event: Input.Changed) -> None:
        self.changed(event.value)

    def changed(self, text: str) -> None:
        """React to what is typed."""
        if self._on_change is not None:
            self._on_change(text)

    def hint(self, lines: list[Line]) -> None:
        """Show lines above the input."""
        body = self.query_one("#hints", Body)
        body.display = bool(lines)
        width = max(1, self.app.size.width)
        body.set_lines([cut(line, width) for line in lines])

    @guard
    def action_accept(self) -> None:
        """Answer with the line."""
        self.dismiss(self.field.value)

    @guard
    def action_leave(self) -> None:
        self.dismiss(None)


class CommandPrompt(Prompt):
    """The command line: says what is wrong while it can still be mended, tab completes.

    Dismisses with a line that `parse` accepts; `invocation` is what it means.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", show=False, priority=True),
        Binding("down", "complete(1)", show=False, priority=True),
        Binding("up", "complete(-1)", show=False, priority=True),
    ]
    mark = ":"

    def __init__(self, scope: Callable[[], Scope], text: str = "") -> None:
        super().__init__(text)
        self._scope = scope
        self._stem = text
        """What was typed; completions are of this until something else is typed."""
        self._chosen = -1
        self.invocation: Invocation | None = None

    def changed(self, text: str) -> None:
        options = complete(self._stem, self._scope(), SHOWN)
        if self._chosen >= 0 and any(option.line == text for option in options):
            self._show_options()
            return
        self._stem, self._chosen = text, -1
        self._show_options()

    @guard
    def action_complete(self, step: int) -> None:
        """Put the next completion into the line."""
        options = complete(self._stem, self._scope(), SHOWN)
        if not options:
            return
        self._chosen = (self._chosen + step) % len(options)
        self.field.value = options[self._chosen].line
        self.field.cursor_position = len(self.field.value)
        if len(options) == 1:
            self._stem, self._chosen = self.field.value, -1
        self._show_options()

    @guard
    def action_accept(self) -> None:
        """Answer with the line if it means something; else say what is wrong."""
        if not self.field.value.strip():
            self.dismiss(None)
            return
        try:
            self.invocation = parse(self.field.value, self._scope())
        except CommandError as error:
            self.hint(wrapped(for_screen(error), self.app.size.width, "error"))
            return
        self.dismiss(self.field.value)

    def _show_options(self) -> None:
        options = complete(self._stem, self._scope(), SHOWN)
        lines: list[Line] = []
        for index, option in enumerate(options):
            token = "key!" if index == self._chosen else "text"
            lines.append(
                (
                    (f" {for_screen(option.line, 50):<24} ", token),
                    (for_screen(option.help, 160), "muted"),
                )
            )
        self.hint(lines)
