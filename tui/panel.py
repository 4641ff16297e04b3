"""What a panel is. The panels themselves live in tui.panels, one file each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol, cast

from textual import events
from textual.binding import BindingType

from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.session import Mode
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.alerts import Alerts
from tui.book import Book
from tui.guard import guard
from tui.past.sessions import Sessions
from tui.progress import Progress
from tui.replica import Concern, Replica
from tui.widgets.line import Line, titled_rule
from tui.widgets.lines import Lines

CHOOSERS: Final = frozenset({"positions", "trades", "shadows"})
"""Tables whose cursor says which position is looked at."""


@dataclass(slots=True)
class Desk:
    """What all panels of a console look at, and the few things they tell each other."""

    replica: Replica = field(default_factory=Replica)
    book: Book = field(default_factory=Book)
    alerts: Alerts = field(default_factory=Alerts)
    progress: Progress = field(default_factory=Progress)
    mono: Nanos = Nanos(0)
    """Monotonic time of this frame."""
    selected: PositionId | None = None
    """The position under the cursor, open or closed."""
    chooser: str = "positions"
    """The table (of CHOOSERS) whose cursor `selected` is on."""
    sessions: Sessions = field(default_factory=Sessions)
    """What was told of the sessions of this store (C-15)."""
    live: Desk | None = None
    """The desk of the running session, while this one shows a moment of the past."""
    strategy: str | None = None
    """The strategy under the cursor."""
    paused_at: Nanos | None = None
    """Since when the display (never the engine) stands still."""
    opening: str = ""
    """What whoever hosts the engine says of its start, until it answers."""
    opened_at: Nanos = Nanos(0)
    """Monotonic time of this console's start."""
    is_read_only: bool = False
    theme: str = ""

    @property
    def now(self) -> Nanos:
        """The engine's time in this frame."""
        return self.replica.now(self.mono)

    @property
    def unmeasured(self) -> str:
        """Say why there is no health or quality to show."""
        return "never journaled: unknown of the past" if self.live else "not measured yet"

    @property
    def chosen(self) -> tuple[object, ...]:
        """What panels are about that follow another's cursor."""
        return (self.selected, self.strategy, self.sessions.selected)

    @property
    def is_recorded(self) -> bool:
        """Whether the feed is a recorded day, which can be steered."""
        session = self.replica.state.session
        return session is not None and session.mode is Mode.REPLAY

    @property
    def is_grey(self) -> bool:
        """Whether every figure may be out of date."""
        return self.replica.is_grey(self.mono)

    @property
    def counts_seconds(self) -> bool:
        """Whether the frame shows how long something takes, or for how long it is said."""
        return self.progress.newest(self.mono) is not None or self.alerts.has_said

    def instrument(self, name: InstrumentId) -> Instrument | None:
        """Return the terms of an instrument."""
        return self.replica.instrument(name)


class Follows(Protocol):
    """The frame loop, as far as a panel needs it."""

    def cursor_moved(self) -> None:
        """Bring along what follows the cursor."""


class Acts(Protocol):
    """The app, as far as keys need it."""

    def act(self, name: str, *arguments: str) -> None:
        """Run an action of the table."""

    @property
    def painter(self) -> Follows:
        """The frame loop."""


class Panel(Lines, can_focus=True):
    """A part of the screen that draws the desk when told to, and never by itself."""

    NAME: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""
    CONTEXT: ClassVar[Context] = Context.PLAIN
    """Whose keys work here, beside those that work everywhere."""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.PLAIN)]
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset()

    def __init__(self, desk: Desk) -> None:
        super().__init__(id=self.NAME)
        self.desk = desk
        self.scroll = 0
        """First line shown, for panels without a cursor."""
        self.rows_total = 0
        self.tabs: tuple[str, ...] = ()
        """Titles of panels behind this one; the tab key brings them forward."""

    def draw(self, width: int, height: int) -> list[Line]:
        """Return the panel's content below its title."""
        raise NotImplementedError

    def notes(self) -> str:
        """Return what stands at the right end of the title."""
        return ""

    def heading(self) -> str:
        """Return the title."""
        return self.TITLE

    def show(self) -> None:
        """Bring the panel up to date; called at most once a frame."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return
        chosen = self.desk.chosen
        body = self.draw(width, height - 1)
        if chosen != self.desk.chosen:
            cast("Acts", self.app).painter.cursor_moved()
        notes = "  ".join(part for part in (self.notes(), self._behind()) if part)
        if self.desk.is_grey and not self.desk.replica.is_waiting:
            notes = f"{fmt.age(self.desk.replica.silence(self.desk.mono))} old"
        title = titled_rule(self.heading(), width, notes=notes, is_focused=self.has_focus)
        self.put([title, *body])

    def _behind(self) -> str:
        return f"tab: {', '.join(self.tabs).lower()}" if self.tabs else ""

    @guard
    def show_guarded(self) -> None:
        """Show; what fails becomes an alert and leaves the other panels alone."""
        self.show()

    def action_act(self, name: str) -> None:
        """Run an action of the table whose key was pressed here."""
        cast("Acts", self.app).act(name)

    def move(self, rows: int) -> None:
        """Move the cursor, or scroll a panel that has none."""
        limit = max(0, self.rows_total - (self.size.height - 1))
        self.scroll = min(limit, max(0, self.scroll + rows))
        self.show()

    def scrolled(self, lines: list[Line], height: int) -> list[Line]:
        """Return the lines that are in view."""
        self.rows_total = len(lines)
        self.scroll = min(self.scroll, max(0, len(lines) - height))
        return lines[self.scroll : self.scroll + height]

    @property
    def page(self) -> int:
        return max(1, self.size.height - 3)

    def on_focus(self) -> None:
        if self.NAME != "detail":  # it shows what either table has chosen
            self.desk.chooser = self.NAME if self.NAME in CHOOSERS else "positions"
        self.show_guarded()

    def on_blur(self) -> None:
        self.show_guarded()

    def on_resize(self) -> None:
        self.show_guarded()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move(-3)
