"""The main screen: header, banner, the panels of one view, and the key line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from tui.action import Context
from tui.arrangement import LEAST, VIEWS, Plan, arrange
from tui.habits import Habits, apply
from tui.keymap import Keys
from tui.panel import Desk, Panel
from tui.panels import PANELS, banner, header, keyline
from tui.panels.log import LogPanel, RecordPanel
from tui.replica import Concern
from tui.widgets.line import Line
from tui.widgets.lines import Lines

TITLES: dict[str, str] = {name: panel.TITLE.split(":")[0] for name, panel in PANELS.items()}


FOLLOWERS = frozenset({"stops", "chart", "detail", "strategy", "record", "session"})
"""Panels that show what another panel's cursor is on."""


class Stage(Screen[None], inherit_bindings=False):
    """Owns where panels stand; each draws itself when told to."""

    def __init__(
        self, desk: Desk, keys: Keys, view: str, known: Habits, name: str = "stage"
    ) -> None:
        super().__init__(id=name)
        self.desk = desk
        self.keys = keys
        self.view = view
        self.known = known
        """What was remembered from the last run; a panel takes its part when it is made."""
        self.zoomed = ""
        self.panels: dict[str, Panel] = {}
        self._active = VIEWS[view][0]
        """The panel that has the keys, also while the terminal is too small to show it."""
        self._front: dict[str, str] = {}
        self._plan = Plan({})
        self.banners: Callable[[int], list[Line]] = partial(banner.project, desk)
        """What stands over everything in so many columns, a line for each."""
        self._banners = 0
        self._moves = 0
        """How often panels were moved, and after which of that everything was painted."""
        self._settled_at = -1

    def compose(self) -> ComposeResult:
        yield Lines(id="header")
        yield Lines(id="banner")
        with Container(id="body"):
            for name in VIEWS[self.view]:
                yield self._panel(name)
        yield Lines(id="keyline")
        yield Lines(id="notice")

    def on_mount(self) -> None:
        self.set_focus(self.panels[VIEWS[self.view][0]], scroll_visible=False)

    def on_resize(self) -> None:
        self.rearrange()

    def on_descendant_focus(self) -> None:
        if isinstance(self.focused, Panel):
            self._active = self.focused.NAME

    def _panel(self, name: str) -> Panel:
        panel = self.panels[name] = PANELS[name](self.desk)
        apply(self.known, panel)
        if isinstance(panel, RecordPanel):
            panel.source = cast("LogPanel", self.panels["log"])
        return panel

    # Where things stand.

    def show_view(self, view: str) -> None:
        """Show another view; its panels are made on the first visit."""
        self.view, self.zoomed = view, ""
        missing = [name for name in VIEWS[view] if name not in self.panels]
        if missing:
            self.query_one("#body").mount_all([self._panel(name) for name in missing])
        self.rearrange()
        self.focus_panel(VIEWS[view][0])

    def focus_panel(self, name: str) -> None:
        """Give a panel the keys; one behind a tab comes to the front."""
        self._active = name
        if name in self._plan.tabs and self._plan.tabs[0] != name:
            self._front[self.view] = name
            self.rearrange()
        self.set_focus(self.panels[name], scroll_visible=False)

    def focus_beside(self, step: int) -> None:
        """Go to the next panel of the view, tabs included."""
        names = VIEWS[self.view]
        name = names[(names.index(self._active) + step) % len(names)]
        if self.zoomed:
            self.zoomed = name
            self.rearrange()
        self.focus_panel(name)

    def toggle_zoom(self) -> None:
        """Give the body to the focused panel, or to all again."""
        focused = self.focused
        self.zoomed = "" if self.zoomed or not isinstance(focused, Panel) else focused.NAME
        self.rearrange()

    @property
    def is_settled(self) -> bool:
        """Whether everything has been painted since it was last moved."""
        return self._settled_at == self._moves

    def _settle(self, moves: int) -> None:
        self._settled_at = moves

    def rearrange(self) -> None:
        """Place everything for the present size; focus and cursors stay as they are."""
        self._moves += 1
        self.call_after_refresh(self._settle, self._moves)
        width, height = self.size
        is_small = width < LEAST[0] or height < LEAST[1]
        for name in ("header", "body", "keyline", "banner"):
            self.query_one(f"#{name}").display = not is_small
        notice = self.query_one("#notice", Lines)
        notice.display = is_small
        if is_small:
            notice.styles.height = max(1, height)
            notice.put(_notice(width, height))
            return
        head = 1 if height < 16 else 2
        self.query_one("#header").styles.height = head
        strip = self.query_one("#banner")
        self._banners = len(self.banners(width))
        strip.display, strip.styles.height = self._banners > 0, max(1, self._banners)
        rows = height - head - 1 - self._banners
        self.query_one("#body").styles.height = rows
        front = self._front.get(self.view, "")
        self._place(arrange(self.view, width, rows, front=front, zoomed=self.zoomed))
        self.draw_all()

    def _place(self, plan: Plan) -> None:
        self._plan = plan
        for name, panel in self.panels.items():
            region = plan.regions.get(name)
            panel.display = region is not None
            if region is not None:
                panel.styles.offset = region.offset
                panel.styles.width, panel.styles.height = region.width, region.height
            tabs = plan.tabs if name in plan.tabs else ()
            panel.tabs = tuple(TITLES[other] for other in tabs if other != name)
        if self._active not in plan.regions:
            self._active = next(iter(plan.regions))
        if not isinstance(self.focused, Panel) or self._active != self.focused.NAME:
            self.set_focus(self.panels[self._active], scroll_visible=False)

    # Drawing.

    @property
    def visible_panels(self) -> list[Panel]:
        """The panels on screen."""
        return [self.panels[name] for name in self._plan.regions]

    def draw_frame(self) -> None:
        """Bring header, banner and key line up to date."""
        width = self.size.width
        head = self.query_one("#header", Lines)
        head.put(header.project(self.desk, width, head.size.height or 2))
        lines = self.banners(width)
        if len(lines) != self._banners:
            self.rearrange()
        self.query_one("#banner", Lines).put(lines)
        context = self.context
        desk = self.desk
        line = keyline.project(
            context,
            self.keys,
            width,
            is_read_only=desk.is_read_only,
            is_recorded=desk.is_recorded,
            is_past=desk.live is not None,
        )
        self.query_one("#keyline", Lines).put([line])

    @property
    def context(self) -> Context:
        """The context whose keys work now."""
        return self.focused.CONTEXT if isinstance(self.focused, Panel) else Context.GLOBAL

    def draw(self, concerns: Collection[Concern]) -> None:
        """Draw the panels that show something of what changed."""
        self.draw_frame()
        for panel in self.visible_panels:
            if not panel.CONCERNS.isdisjoint(concerns):
                panel.show_guarded()

    def cursor_moved(self) -> None:
        """Bring along what follows the cursor: the ladder, a chart, a detail, a record."""
        for panel in self.visible_panels:
            if panel.NAME in FOLLOWERS:
                panel.show_guarded()

    def draw_all(self) -> None:
        """Draw everything that is on screen."""
        self.draw(frozenset(Concern))


def _notice(width: int, height: int) -> list[Line]:
    """Return what is said when the terminal is too small for figures."""
    texts = (
        f"{width}x{height} is too small",
        f"needs {LEAST[0]}x{LEAST[1]}",
        "the engine goes on",
    )
    lines: list[Line] = [((text[:width], "warning"),) for text in texts]
    return lines[: max(1, height)]
