"""The part of the action table that works inside dialogs. Use `tui.actions`, which joins it."""

from __future__ import annotations

from typing import Final

from tui.action import Action, Context


def _asked(
    name: str, keys: tuple[str, ...], label: str, text: str, context: Context = Context.DIALOG
) -> Action:
    return Action(name, keys, label, text, context, show=True)


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
)
