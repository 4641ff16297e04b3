"""The part of the action table for tables, lists and the log. Use `tui.actions`, which joins it."""

from __future__ import annotations

from typing import Final

from tui.action import Action, Argument, Context, Kind

_IN_FOOTER: Final = frozenset({"sort.next", "filter.edit"})
_TEXT: Final = Argument(Kind.TEXT, is_optional=True)


def _listed(
    name: str, keys: tuple[str, ...], label: str, text: str, where: Context = Context.PLAIN
) -> Action:
    return Action(name, keys, label, text, where, show=name in _IN_FOOTER)


LIST_ACTIONS: Final = (
    _listed("cursor.down", ("j", "down"), "Down", "Go down a row"),
    _listed("cursor.up", ("k", "up"), "Up", "Go up a row"),
    _listed("cursor.top", ("g", "home"), "Top", "Go to the first row"),
    _listed("cursor.bottom", ("G", "end"), "Bottom", "Go to the last row"),
    _listed("cursor.page_down", ("ctrl+d", "pagedown"), "Page down", "Go down a page"),
    _listed("cursor.page_up", ("ctrl+u", "pageup"), "Page up", "Go up a page"),
    _listed("column.left", ("h", "left"), "Left", "Sort by the column to the left", Context.TABLE),
    _listed(
        "column.right", ("l", "right"), "Right", "Sort by the column to the right", Context.TABLE
    ),
    _listed("row.open", ("enter",), "Detail", "Open the row"),
    _listed("row.copy", ("y",), "Copy", "Copy the row to the terminal's clipboard (OSC 52)"),
    _listed("sort.next", ("s",), "Sort", "Sort by the next column", Context.TABLE),
    _listed("sort.reverse", ("S",), "Reverse", "Turn the sort order round", Context.TABLE),
    _listed(
        "filter.edit", ("slash",), "Filter", "Filter: text, !text, pnl<0, stop<0.5", Context.LIST
    ),
    _listed("match.next", ("n",), "Next match", "Go to the next match of the filter", Context.LIST),
    _listed("match.previous", ("N",), "Previous match", "Go to the match before", Context.LIST),
    Action(
        "filter.use",
        (),
        "Filter",
        "Use a filter; without a text, none",
        Context.LIST,
        command="filter",
        arguments=(_TEXT,),
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
