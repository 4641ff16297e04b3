"""A list that is searched by typing: help (`?`) and palette (ctrl+p), both from the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.action import Action, Context
from tui.actions import ACTIONS, actions_in
from tui.dialog import Body
from tui.guard import guard
from tui.keymap import Keys
from tui.widgets.line import Line, cut, titled_rule

WIDTH = 76
AROUND = 9
"""Rows kept for border, search line, title, and the header behind (C-6)."""
DIALOGS = frozenset({Context.DIALOG, Context.CLOSE, Context.LEVELS, Context.QUIT})


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the list."""

    action: Action
    keys: str

    @property
    def haystack(self) -> str:
        action = self.action
        words = (action.label, action.help, action.usage, action.id, self.keys)
        return " ".join(words).lower()


def help_for(
    context: Context, keys: Keys, *, is_recorded: bool = True, is_past: bool = False
) -> list[Found]:
    """Return exactly the actions whose keys work in `context`."""
    here = actions_in(context, is_recorded=is_recorded, is_past=is_past)
    return [Found(a, keys.all_shown(a.id)) for a in here if keys.of(a.id)]


def palette(keys: Keys, *, is_recorded: bool = True, is_past: bool = True) -> list[Found]:
    """Return every action that can be run from the console, wherever its keys work."""
    hidden = {"app.palette", "app.interrupt"}
    return [
        Found(action, keys.all_shown(action.id))
        for action in ACTIONS
        if action.context not in DIALOGS
        and action.id not in hidden
        and (is_recorded or action.context is not Context.REPLAY)
        and (is_past or action.context is not Context.PAST)
    ]


def matching(items: Sequence[Found], text: str) -> list[Found]:
    """Return the items that hold every word of `text`; those named by it come first."""
    words = text.lower().split()
    found = [item for item in items if all(word in item.haystack for word in words)]
    if words:
        first = words[0]
        found.sort(key=lambda item: not _names(item, first))
    return found


def _names(item: Found, word: str) -> bool:
    action = item.action
    return any(name.lower().startswith(word) for name in (action.label, action.command) if name)


class Finder(ModalScreen[Action | None]):
    """Dismisses with the chosen action, or None."""

    DEFAULT_CSS: ClassVar[str] = """
    Finder { align: center middle; background: $background 0%; }
    Finder #frame {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $background; padding: 0 1; border: round $primary;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+p", "leave", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown,ctrl+d", "move(10)", show=False, priority=True),
        Binding("pageup,ctrl+u", "move(-10)", show=False, priority=True),
        Binding("enter", "choose", show=False, priority=True),
    ]

    def __init__(self, heading: str, items: Sequence[Found]) -> None:
        super().__init__()
        self.heading = heading
        self.items = list(items)
        self.found = list(items)
        self.cursor = 0
        self._first = 0
        """The item on the list's first line."""

    def compose(self) -> ComposeResult:
        with Vertical(id="frame"):
            field = Input(placeholder="type to search", id="search", compact=True)
            field.cursor_blink = False
            yield field
            yield Body(id="found")

    @guard
    def on_mount(self) -> None:
        self.query_one("#search", Input).focus()
        self.show()

    @guard
    def on_resize(self) -> None:
        self.show()

    @guard
    def on_input_changed(self, event: Input.Changed) -> None:
        self.found = matching(self.items, event.value)
        self.cursor = 0
        self.show()

    @guard
    def action_move(self, rows: int) -> None:
        """Move the cursor, staying within the list."""
        self.cursor = max(0, min(len(self.found) - 1, self.cursor + rows))
        self.show()

    @guard
    def action_choose(self) -> None:
        """Answer with the action under the cursor."""
        self.dismiss(self.found[self.cursor].action if self.found else None)

    @guard
    def on_click(self, event: events.Click) -> None:
        """Choose the line that was clicked; the first one is the title."""
        index = self._first + event.y - 1
        if isinstance(event.widget, Body) and event.y >= 1 and index < len(self.found):
            self.cursor = index
            self.action_choose()

    @guard
    def action_leave(self) -> None:
        self.dismiss(None)

    @guard
    def show(self) -> None:
        """Draw what was found, the cursor in view."""
        width = max(8, min(WIDTH, self.app.size.width) - 4)
        rows = max(1, min(len(self.found), self.app.size.height - AROUND))
        start = max(0, min(self.cursor - rows // 2, len(self.found) - rows))
        self._first = start
        note = f"{len(self.found)} of {len(self.items)}"
        lines: list[Line] = [titled_rule(self.heading, width, notes=note, is_focused=True)]
        for index, item in enumerate(self.found[start : start + rows], start):
            lines.append(cut(_line(item, is_chosen=index == self.cursor), width))
        if not self.found:
            lines.append((("nothing fits; esc leaves", "muted"),))
        self.query_one("#found", Body).set_lines(lines)


def _line(item: Found, *, is_chosen: bool) -> Line:
    action = item.action
    mark = ("> ", "accent!") if is_chosen else ("  ", "text")
    name = action.usage if not item.keys else item.keys
    text = action.help if not item.keys or not action.usage else f"{action.help}  {action.usage}"
    return (mark, (f"{name:<12} ", "key"), (text, "text!" if is_chosen else "text"))
