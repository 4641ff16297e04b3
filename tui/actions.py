"""The one action table. Bindings, footer, help, palette, commands and manual come from it."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from tui.action import Action, Argument, Context, Danger, Kind
from tui.dialog_actions import DIALOG_ACTIONS
from tui.list_actions import LIST_ACTIONS
from tui.past_actions import PAST_ACTIONS
from tui.replay_actions import REPLAY_ACTIONS

_POSITION: Final = Argument(Kind.POSITION)
_SELECTED: Final = Argument(Kind.POSITION, is_optional=True)
_NOTE: Final = Argument(Kind.TEXT, is_optional=True)


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
    Action(
        "screen.shadows",
        ("B",),
        "By hand",
        "Show what was done by hand, beside what the rules alone would have done",
        command="byhand",
    ),
    _screen("strategies", "3", "Strat", "strategies, their signals and refusals", "strat"),
    _screen("health", "4", "Health", "health, part by part", "health"),
    _screen("logs", "5", "Log", "the log", "log", "logs"),
    _screen(
        "sessions", "6", "Past", "the sessions of this store and what became of them", "sessions"
    ),
)


def _plain(
    name: str, keys: str, label: str, text: str, command: str = "", *words: Argument
) -> Action:
    """Return an action of the console itself; `keys` are parted by spaces."""
    shown = name in _IN_FOOTER
    return Action(
        name, tuple(keys.split()), label, text, command=command, arguments=words, show=shown
    )


_IN_FOOTER: Final = frozenset(
    {"app.help", "app.command", "app.quit", "why", "position.close", "position.stop"}
)
_CONSOLE: Final = (
    _plain("panel.next", "tab", "Next", "Go to the next panel"),
    _plain("panel.previous", "shift+tab", "Previous", "Go to the previous panel"),
    _plain("app.back", "escape", "Back", "Go back, clear the filter, leave the zoom"),
    _plain(
        "app.help",
        "question_mark",
        "Help",
        "List the keys that work here; type to search, enter runs one",
        "help",
    ),
    _plain("app.palette", "ctrl+p", "Palette", "Search every command and run it"),
    _plain("app.command", "colon", "Cmd", "Type a command; tab completes it"),
    _plain("display.pause", "space", "Pause", "Pause the display, never the engine", "freeze"),
    _plain("display.redraw", "r ctrl+l", "Redraw", "Paint everything again", "redraw"),
    _plain("display.theme", "t", "Theme", "Switch to the next theme"),
    _plain("display.zoom", "z", "Zoom", "Give the whole screen to this panel", "zoom"),
    _plain("display.use_theme", "", "Theme", "Use a theme", "theme", Argument(Kind.THEME)),
    _plain(
        "display.rate",
        "",
        "Rate",
        "Paint at most so many frames a second, 1 to 30",
        "rate",
        Argument(Kind.RATE),
    ),
    _plain(
        "display.screenshot",
        "",
        "Screenshot",
        "Write the screen to a file, as SVG and as text",
        "screenshot",
        Argument(Kind.NAME, is_optional=True),
    ),
    _plain(
        "why",
        "w",
        "Why",
        "Say why the position is held and what would close it; else why nothing is entered",
        "why",
        _SELECTED,
    ),
    _plain("recovery.show", "R", "Recovery", "Show what the last crash left; decide", "recovery"),
    _plain("decisions.show", "D", "Decide", "Show what waits for a decision; decide", "decide"),
    _plain("alerts.acknowledge", "a", "Ack", "Acknowledge all alerts", "ack"),
    _plain("alerts.show", "A", "Alerts", "List the alerts that wait", "alerts"),
    _plain("trades.export", "E", "Export", "Say where the trades are written as CSV", "export"),
    _plain("lease.read_only", "", "Read only", "Send nothing from here", "ro"),
    _plain("lease.take", "L", "Control", "Take control: let this console send commands", "rw"),
    _plain("app.quit", "q", "Quit", "Leave; asks if positions are open", "q"),
    _plain(
        "app.interrupt",
        "ctrl+c",
        "Quit",
        "Like q; once more within 2 s leaves the console and nothing else",
    ),
)


def _sends(
    name: str,
    key: str,
    label: str,
    text: str,
    command: str,
    *words: Argument,
    danger: Danger = Danger.NONE,
) -> Action:
    """Return an action that sends a command, so that it needs the control lease."""
    return Action(
        name,
        (key,) if key else (),
        label,
        text,
        Context.POSITIONS if name.startswith("position.") else Context.GLOBAL,
        command=command,
        arguments=words,
        danger=danger,
        needs_lease=True,
        show=name in _IN_FOOTER,
    )


_TRADING: Final = (
    _sends(
        "entries.toggle", "p", "Entries", "Pause new entries, or allow them again; exits go on", ""
    ),
    _sends("entries.pause", "", "Pause", "Stop new entries; exits go on", "pause", _NOTE),
    _sends("entries.resume", "", "Resume", "Allow new entries again", "resume"),
    _sends(
        "book.flatten",
        "X",
        "Flatten",
        "Close everything: block entries, cancel orders, close all positions, verify flat",
        "flatten",
        danger=Danger.CODE,
    ),
    _sends(
        "book.kill",
        "K",
        "Kill",
        "Kill switch: flatten, and stay blocked until a person lifts it with a reason",
        "kill",
        danger=Danger.CODE,
    ),
    _sends(
        "latch.lift",
        "U",
        "Lift",
        "Allow entries again after a flatten; asks for a reason",
        "lift",
        _NOTE,
        danger=Danger.ASKS,
    ),
    _sends(
        "strategy.control",
        "",
        "Strategy",
        "Start, pause, resume or stop a strategy",
        "strategy",
        Argument(Kind.STRATEGY),
        Argument(Kind.VERB),
    ),
    _sends(
        "position.close",
        "x",
        "Close",
        "Close the selected position at market",
        "close",
        _POSITION,
        Argument(Kind.AMOUNT, is_optional=True),
        danger=Danger.ASKS,
    ),
    _sends(
        "position.partial",
        "percent_sign",
        "Part",
        "Close part of the selected position: a quantity or a percentage",
        "",
        danger=Danger.ASKS,
    ),
    _sends(
        "position.stop",
        "e",
        "Stop",
        "Change the stop or target of the selected position",
        "stop-price",
        _POSITION,
        Argument(Kind.PRICE),
        danger=Danger.ASKS,
    ),
    _sends(
        "position.target",
        "",
        "Target",
        "Change the target of a position",
        "target-price",
        _POSITION,
        Argument(Kind.PRICE),
        danger=Danger.ASKS,
    ),
)


ACTIONS: Final[tuple[Action, ...]] = (
    *_SCREENS,
    *_CONSOLE,
    *_TRADING,
    *LIST_ACTIONS,
    *REPLAY_ACTIONS,
    *PAST_ACTIONS,
    *DIALOG_ACTIONS,
)
BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}

_ANYWHERE: Final = (Context.GLOBAL, Context.REPLAY)
_IN_LISTS: Final = (Context.LIST, Context.PLAIN, *_ANYWHERE)
REACH: Final[dict[Context, tuple[Context, ...]]] = {
    Context.GLOBAL: _ANYWHERE,
    Context.PLAIN: (Context.PLAIN, *_ANYWHERE),
    Context.LIST: (Context.LIST, Context.PLAIN, *_ANYWHERE),
    Context.TABLE: (Context.TABLE, *_IN_LISTS),
    Context.POSITIONS: (Context.POSITIONS, Context.TABLE, *_IN_LISTS),
    Context.LOGS: (Context.LOGS, *_IN_LISTS),
    Context.REPLAY: (Context.REPLAY,),
    Context.PAST: (Context.PAST,),
    Context.DIALOG: (Context.DIALOG,),
    Context.CLOSE: (Context.CLOSE, Context.DIALOG),
    Context.LEVELS: (Context.LEVELS, Context.DIALOG),
    Context.QUIT: (Context.QUIT, Context.DIALOG),
    Context.RECOVERY: (Context.RECOVERY, Context.DIALOG),
    Context.DECISIONS: (Context.DECISIONS, Context.DIALOG),
}
"""What works in a context, nearest first; dialogs are modal: nothing of the console works there."""


def actions_in(
    context: Context, *, is_recorded: bool = True, is_past: bool = False
) -> tuple[Action, ...]:
    """Return every action that works in `context`, its own first.

    What steers a recorded day works only in one; while the past is shown, what moves in it.
    """
    steered = Context.PAST if is_past else Context.REPLAY
    where = [steered if c is Context.REPLAY else c for c in REACH[context]]
    if not is_recorded and not is_past:
        where = [c for c in where if c is not Context.REPLAY]
    return tuple(action for c in where for action in ACTIONS if action.context is c)


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
