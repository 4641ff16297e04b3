"""The part of the action table that works inside dialogs. Use `tui.actions`, which joins it."""

from __future__ import annotations

from typing import Final

from tui.action import Action, Context


def _asked(
    name: str, keys: tuple[str, ...], label: str, text: str, context: Context = Context.DIALOG
) -> Action:
    return Action(name, keys, label, text, context, show=True)


def _in_room(name: str, keys: tuple[str, ...], label: str, text: str) -> Action:
    return _asked(f"recovery.{name}", keys, label, text, Context.RECOVERY)


def _in_queue(name: str, keys: tuple[str, ...], label: str, text: str) -> Action:
    return _asked(f"decisions.{name}", keys, label, text, Context.DECISIONS)


DIALOG_ACTIONS: Final = (
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
    _in_room("next", ("down", "j"), "Next", "The next position that waits for an answer"),
    _in_room("previous", ("up",), "Previous", "The one before"),
    _in_room("book", ("b",), "Book", "Book the exit in the gap, at its first tradable price"),
    _in_room("exit_now", ("x",), "Exit", "Close the position now, at market"),
    _in_room("keep", ("k",), "Keep", "Keep the position; its rules go on watching"),
    _in_room("resume", ("r",), "Resume", "Go on with the session that crashed"),
    _in_room("fresh", ("f",), "Fresh", "Start a fresh session; the day's figures are kept"),
    _in_room("inspect", ("i",), "Inspect", "Look around first; the countdown stops"),
    _in_queue("next", ("down", "j"), "Next", "The next decision"),
    _in_queue("previous", ("up", "k"), "Previous", "The one before"),
    _in_queue("book", ("b",), "Book", "Book the fills that the venue tells; asks first"),
    _in_queue("estimate", ("e",), "Estimate", "Book at the present price, marked; asks first"),
    _in_queue("adopt", ("a",), "Adopt", "Take over what the venue has; asks first"),
    _in_queue("close", ("x",), "Close", "Take it over and close it at market; asks first"),
    _in_queue("cancel", ("c",), "Cancel order", "Cancel the order at the venue; asks first"),
    _in_queue("leave", ("l",), "Leave", "Leave it as it is and watch; not asked again"),
)
