"""What the console's own actions do: moving, sorting, filtering, looks. None sends a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from tui.panel import Panel
from tui.panels.log import LogPanel
from tui.panels.positions import PositionsPanel
from tui.panels.shadows import ShadowsPanel
from tui.panels.stops import StopsPanel
from tui.panels.trades import TradesPanel
from tui.sorted_table import SortedTable

if TYPE_CHECKING:
    from tui.app import Console

Deed: TypeAlias = Callable[..., None]
"""Called with the app and the arguments of the command line."""
FAR: Final = 1_000_000
"""More rows than any table has."""


def _panel(app: Console) -> Panel | None:
    focused = app.stage.focused
    return focused if isinstance(focused, Panel) else None


def _sortable(app: Console) -> Panel | None:
    """Return the focused panel; the ladder speaks for the table it follows."""
    panel = _panel(app)
    return app.stage.panels["positions"] if isinstance(panel, StopsPanel) else panel


def _move(rows: int) -> Deed:
    def deed(app: Console) -> None:
        panel = _panel(app)
        if panel is not None:
            panel.move(rows)
            app.painter.cursor_moved()

    return deed


def _page(pages: int) -> Deed:
    def deed(app: Console) -> None:
        panel = _panel(app)
        if panel is not None:
            panel.move(pages * panel.page)
            app.painter.cursor_moved()

    return deed


def _sort(step: int) -> Deed:
    def deed(app: Console) -> None:
        panel = _sortable(app)
        if isinstance(panel, SortedTable):
            panel.next_sort(step)

    return deed


def _reverse(app: Console) -> None:
    panel = _sortable(app)
    if isinstance(panel, SortedTable):
        panel.reverse_sort()


def _filter(app: Console, text: str = "") -> None:
    panel = _sortable(app)
    if isinstance(panel, SortedTable | LogPanel):
        panel.set_filter(text)


def _back(app: Console) -> None:
    panel = _panel(app)
    if isinstance(panel, SortedTable | LogPanel) and panel.filter_text:
        panel.set_filter("")
    elif app.stage.zoomed:
        app.stage.toggle_zoom()
    elif app.stage.view != "dashboard":
        app.stage.show_view("dashboard")
    elif app.past is not None:
        app.act("past.leave")


def _log(app: Console) -> LogPanel:
    panel = app.stage.panels["log"]
    assert isinstance(panel, LogPanel)
    return panel


def _follow(app: Console) -> None:
    _log(app).follow()
    app.painter.cursor_moved()


def _open(app: Console) -> None:
    panel = _panel(app)
    if app.stage.view == "sessions":
        app.act("past.open")
    elif isinstance(panel, PositionsPanel | TradesPanel | ShadowsPanel):
        if app.stage.view == "dashboard":
            app.stage.show_view("positions")
        app.stage.focus_panel("detail")
    elif panel is not None:
        app.stage.focus_beside(1)


def _next_theme(app: Console) -> None:
    names = list(app.looks)
    app.use_theme(names[(names.index(app.look.name) + 1) % len(names)])
    app.say(f"theme {app.look.title}", "accent")


def _acknowledge(app: Console) -> None:
    app.desk.alerts.acknowledge()
    app.stage.draw_frame()


def _view(name: str) -> Deed:
    return lambda app: app.stage.show_view(name)


def _by_hand(app: Console) -> None:
    app.stage.show_view("positions")
    app.stage.focus_panel("shadows")


CONSOLE_DEEDS: Final[dict[str, Deed]] = {
    **{
        f"screen.{name}": _view(name)
        for name in ("dashboard", "positions", "strategies", "health", "logs")
    },
    "screen.shadows": _by_hand,
    "panel.next": lambda app: app.stage.focus_beside(1),
    "panel.previous": lambda app: app.stage.focus_beside(-1),
    "app.back": _back,
    "display.pause": lambda app: app.past.toggle() if app.past else app.painter.toggle_pause(),
    "display.redraw": lambda app: app.painter.redraw(),
    "display.theme": _next_theme,
    "display.use_theme": lambda app, name: app.use_theme(name),
    "display.rate": lambda app, rate: app.painter.start(1 / int(rate)),
    "display.zoom": lambda app: app.stage.toggle_zoom(),
    "alerts.acknowledge": _acknowledge,
    "cursor.down": _move(1),
    "cursor.up": _move(-1),
    "cursor.top": _move(-FAR),
    "cursor.bottom": _move(FAR),
    "cursor.page_down": _page(1),
    "cursor.page_up": _page(-1),
    "column.left": _sort(-1),
    "column.right": _sort(1),
    "sort.next": _sort(1),
    "sort.reverse": _reverse,
    "filter.use": _filter,
    "match.next": _move(1),
    "match.previous": _move(-1),
    "row.open": _open,
    "logs.follow": _follow,
    "logs.next_level": lambda app: _log(app).set_level(),
    "logs.level": lambda app, level: _log(app).set_level(level),
}
