"""The one action table. Bindings, footer, help, palette, commands and manual come from it."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from tui.action import Action, Argument, Context, Danger, Kind

_POSITION: Final = Argument(Kind.POSITION)
_SELECTED: Final = Argument(Kind.POSITION, is_optional=True)
_TEXT: Final = Argument(Kind.TEXT)


def _screen(name: str, key: str, label: str, text: str, command: str, *aliases: str) -> Action:
    return Action(
        f"screen.{name}",
        (key,),
        label,
        f"Show {text}",
        command=command,
        aliases=aliases,
        show=True,
    )


_SCREENS: Final = (
    _screen("dashboard", "1", "Dash", "the dashboard", "dash"),
    _screen("positions", "2", "Pos", "positions and trades", "pos", "positions", "trades"),
    _screen("strategies", "3", "Strat", "strategies, their signals and refusals", "strat"),
    _screen("health", "4", "Health", "health, part by part", "health"),
    _screen("logs", "5", "Log", "the log", "log", "logs"),
)

_CONSOLE: Final = (
    Action("panel.next", ("tab",), "Next", "Go to the next panel"),
    Action("panel.previous", ("shift+tab",), "Previous", "Go to the previous panel"),
    Action("app.back", ("escape",), "Back", "Go back, clear the filter, leave the zoom"),
    Action(
        "app.help",
        ("question_mark",),
        "Help",
        "List the keys that work here; type to search, enter runs one",
        command="help",
        show=True,
    ),
    Action("app.palette", ("ctrl+p",), "Palette", "Search every command and run it"),
    Action("app.command", ("colon",), "Cmd", "Type a command; tab completes it", show=True),
    Action(
        "display.pause",
        ("space",),
        "Pause",
        "Pause the display, never the engine",
        command="freeze",
    ),
    Action("display.redraw", ("r", "ctrl+l"), "Redraw", "Paint everything again", command="redraw"),
    Action("display.theme", ("t",), "Theme", "Switch to the next theme"),
    Action("display.zoom", ("z",), "Zoom", "Give the whole screen to this panel", command="zoom"),
    Action(
        "display.use_theme",
        (),
        "Theme",
        "Use a theme",
        command="theme",
        arguments=(Argument(Kind.THEME),),
    ),
    Action(
        "display.rate",
        (),
        "Rate",
        "Paint at most so many frames a second, 1 to 30",
        command="rate",
        arguments=(Argument(Kind.RATE),),
    ),
    Action(
        "display.screenshot",
        (),
        "Screenshot",
        "Write the screen to a file, as SVG and as text",
        command="screenshot",
        arguments=(Argument(Kind.NAME, is_optional=True),),
    ),
    Action(
        "why",
        ("w",),
        "Why",
        "Say why the position is held and what would close it; else why nothing is entered",
        command="why",
        arguments=(_SELECTED,),
        show=True,
    ),
    Action("alerts.acknowledge", ("a",), "Ack", "Acknowledge all alerts", command="ack"),
    Action("alerts.show", ("A",), "Alerts", "List the alerts that wait", command="alerts"),
    Action("lease.read_only", (), "Read only", "Send nothing from here", command="ro"),
    Action(
        "lease.take",
        ("L",),
        "Control",
        "Take control: let this console send commands",
        command="rw",
    ),
    Action("app.quit", ("q",), "Quit", "Leave; asks if positions are open", command="q", show=True),
    Action(
        "app.interrupt",
        ("ctrl+c",),
        "Quit",
        "Like q; once more within 2 s leaves the console and nothing else",
    ),
)

_TRADING: Final = (
    Action(
        "entries.toggle",
        ("p",),
        "Entries",
        "Pause new entries, or allow them again; exits go on",
        needs_lease=True,
    ),
    Action(
        "entries.pause",
        (),
        "Pause entries",
        "Stop new entries; exits go on",
        command="pause",
        arguments=(Argument(Kind.TEXT, is_optional=True),),
        needs_lease=True,
    ),
    Action(
        "entries.resume",
        (),
        "Resume entries",
        "Allow new entries again",
        command="resume",
        needs_lease=True,
    ),
    Action(
        "book.flatten",
        ("X",),
        "Flatten",
        "Close everything: block entries, cancel orders, close all positions, verify flat",
        command="flatten",
        danger=Danger.CODE,
        needs_lease=True,
    ),
    Action(
        "book.kill",
        ("K",),
        "Kill",
        "Kill switch: flatten, and stay blocked until a person lifts it with a reason",
        command="kill",
        danger=Danger.CODE,
        needs_lease=True,
    ),
    Action(
        "latch.lift",
        ("U",),
        "Lift",
        "Allow entries again after a flatten; asks for a reason",
        command="lift",
        arguments=(Argument(Kind.TEXT, is_optional=True),),
        danger=Danger.ASKS,
        needs_lease=True,
    ),
    Action(
        "strategy.control",
        (),
        "Strategy",
        "Start, pause, resume or stop a strategy",
        command="strategy",
        arguments=(Argument(Kind.STRATEGY), Argument(Kind.VERB)),
        needs_lease=True,
    ),
    Action(
        "position.close",
        ("x",),
        "Close",
        "Close the selected position at market",
        Context.POSITIONS,
        command="close",
        arguments=(_POSITION, Argument(Kind.AMOUNT, is_optional=True)),
        danger=Danger.ASKS,
        needs_lease=True,
        show=True,
    ),
    Action(
        "position.partial",
        ("percent_sign",),
        "Part",
        "Close part of the selected position: a quantity or a percentage",
        Context.POSITIONS,
        danger=Danger.ASKS,
        needs_lease=True,
    ),
    Action(
        "position.stop",
        ("e",),
        "Stop",
        "Change the stop or target of the selected position",
        Context.POSITIONS,
        command="stop-price",
        arguments=(_POSITION, Argument(Kind.PRICE)),
        danger=Danger.ASKS,
        needs_lease=True,
        show=True,
    ),
    Action(
        "position.target",
        (),
        "Target",
        "Change the target of a position",
        Context.POSITIONS,
        command="target-price",
        arguments=(_POSITION, Argument(Kind.PRICE)),
        danger=Danger.ASKS,
        needs_lease=True,
    ),
)


def _listed(
    name: str, keys: tuple[str, ...], label: str, text: str, *, show: bool = False
) -> Action:
    return Action(name, keys, label, text, Context.LIST, show=show)


_LISTS: Final = (
    _listed("cursor.down", ("j", "down"), "Down", "Go down a row"),
    _listed("cursor.up", ("k", "up"), "Up", "Go up a row"),
    _listed("cursor.top", ("g", "home"), "Top", "Go to the first row"),
    _listed("cursor.bottom", ("G", "end"), "Bottom", "Go to the last row"),
    _listed("cursor.page_down", ("ctrl+d", "pagedown"), "Page down", "Go down a page"),
    _listed("cursor.page_up", ("ctrl+u", "pageup"), "Page up", "Go up a page"),
    _listed("column.left", ("h", "left"), "Left", "Sort by the column to the left"),
    _listed("column.right", ("l", "right"), "Right", "Sort by the column to the right"),
    _listed("row.open", ("enter",), "Detail", "Open the row"),
    _listed("row.copy", ("y",), "Copy", "Copy the row to the terminal's clipboard (OSC 52)"),
    _listed("sort.next", ("s",), "Sort", "Sort by the next column", show=True),
    _listed("sort.reverse", ("S",), "Reverse", "Turn the sort order round"),
    _listed("filter.edit", ("slash",), "Filter", "Filter: text, !text, pnl<0, stop<0.5", show=True),
    _listed("match.next", ("n",), "Next match", "Go to the next match of the filter"),
    _listed("match.previous", ("N",), "Previous match", "Go to the match before"),
    Action(
        "filter.use",
        (),
        "Filter",
        "Use a filter; without a text, none",
        Context.LIST,
        command="filter",
        arguments=(Argument(Kind.TEXT, is_optional=True),),
    ),
    Action("logs.follow", ("f",), "Follow", "Follow the newest line", Context.LOGS, show=True),
    Action("logs.next_level", ("v",), "Level", "Show the next level and above", Context.LOGS),
    Action(
        "logs.level",
        (),
        "Level",
        "Show this level and above",
        Context.LOGS,
        command="level",
        arguments=(Argument(Kind.LEVEL),),
    ),
)


def _asked(
    name: str, keys: tuple[str, ...], label: str, text: str, context: Context = Context.DIALOG
) -> Action:
    return Action(name, keys, label, text, context, show=True)


_DIALOGS: Final = (
    _asked("dialog.confirm", ("y",), "Yes", "Confirm, once the question has been readable"),
    _asked("dialog.cancel", ("escape", "n"), "Cancel", "Cancel; enter on opening does the same"),
    _asked("close.stale", ("s",), "Stale", "Accept that the price is stale", Context.CLOSE),
    _asked("level.up", ("up", "k"), "Up", "One tick up", Context.LEVELS),
    _asked("level.down", ("down", "j"), "Down", "One tick down", Context.LEVELS),
    _asked("level.up_ten", ("shift+up", "K"), "Up 10", "Ten ticks up", Context.LEVELS),
    _asked("level.down_ten", ("shift+down", "J"), "Down 10", "Ten ticks down", Context.LEVELS),
    _asked("level.other", ("tab",), "Other", "Between stop and target", Context.LEVELS),
    _asked("level.clear", ("c",), "Clear", "No price of your own; the rules stay", Context.LEVELS),
    _asked("quit.console", ("b",), "Background", "Leave; the engine guards on", Context.QUIT),
    _asked("quit.engine", ("e",), "End engine", "Stop the engine as well", Context.QUIT),
)

ACTIONS: Final[tuple[Action, ...]] = _SCREENS + _CONSOLE + _TRADING + _LISTS + _DIALOGS
BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}

REACH: Final[dict[Context, tuple[Context, ...]]] = {
    Context.GLOBAL: (Context.GLOBAL,),
    Context.LIST: (Context.LIST, Context.GLOBAL),
    Context.POSITIONS: (Context.POSITIONS, Context.LIST, Context.GLOBAL),
    Context.LOGS: (Context.LOGS, Context.LIST, Context.GLOBAL),
    Context.DIALOG: (Context.DIALOG,),
    Context.CLOSE: (Context.CLOSE, Context.DIALOG),
    Context.LEVELS: (Context.LEVELS, Context.DIALOG),
    Context.QUIT: (Context.QUIT, Context.DIALOG),
}
"""What works in a context, nearest first; dialogs are modal: nothing of the console works there."""


def actions_in(context: Context) -> tuple[Action, ...]:
    """Return every action that works in `context`, its own first."""
    return tuple(a for where in REACH[context] for a in ACTIONS if a.context is where)


def bindings_for(context: Context) -> list[Binding]:
    """Return the bindings of `context` alone, for the class that is that context.

    Every binding runs `act('ID')` on that class. Remap them with `App.set_keymap`, given
    `Keys.textual()`.
    """
    return [
        Binding(
            ",".join(action.keys),
            f"act('{action.id}')",
            action.label,
            show=action.show,
            priority=action.id == "app.interrupt",
            tooltip=action.help,
            id=action.id,
        )
        for action in ACTIONS
        if action.context is context and action.keys
    ]
