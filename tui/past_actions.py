"""The part of the action table for the past: sessions, and the time line of one. See `tui.actions`.

None of it sends a command: the past can be looked at and not changed.
"""

from __future__ import annotations

from typing import Final

from tui.action import Action, Argument, Context, Kind


def _moves(
    name: str, keys: tuple[str, ...], label: str, text: str, *, show: bool = False
) -> Action:
    return Action(f"past.{name}", keys, label, text, Context.PAST, show=show)


PAST_ACTIONS: Final = (
    _moves("back", ("left_square_bracket",), "Back", "Go one entry back", show=True),
    _moves("on", ("right_square_bracket",), "On", "Go one entry on", show=True),
    _moves("back_far", ("left_curly_bracket",), "Back 100", "Go 100 entries back"),
    _moves("on_far", ("right_curly_bracket",), "On 100", "Go 100 entries on"),
    _moves("exit_next", ("full_stop",), "Exit", "Go to the next exit", show=True),
    _moves("exit_previous", ("comma",), "Exit before", "Go to the exit before"),
    _moves(
        "trouble_next",
        ("greater_than_sign",),
        "Error",
        "Go to the next error, refusal or crash",
        show=True,
    ),
    _moves(
        "trouble_previous",
        ("less_than_sign",),
        "Error before",
        "Go to the error, refusal or crash before",
    ),
    _moves("fill_next", ("o",), "Fill", "Go to the next fill"),
    _moves("fill_previous", ("O",), "Fill before", "Go to the fill before"),
    _moves("start", ("left_parenthesis",), "Start", "Go to the session's first entry"),
    _moves("end", ("right_parenthesis",), "End", "Go to the session's last entry"),
    _moves("faster", ("plus", "equals_sign"), "Faster", "Play faster, up to x1000", show=True),
    _moves("slower", ("minus",), "Slower", "Play slower, down to x1"),
    Action(
        "past.seek",
        ("at",),
        "Go to",
        "Go to a time of the session: 10:41, 10:41:07, or a date before it",
        Context.PAST,
        command="at",
        arguments=(Argument(Kind.TEXT, is_optional=True),),
        show=True,
    ),
    Action(
        "past.leave",
        (),
        "Live",
        "Leave the past: back to the running session (so does esc)",
        Context.PAST,
        command="live",
    ),
    Action(
        "past.open",
        (),
        "Session",
        "Open the time line of a session; without a name, of the one that is selected",
        command="session",
        arguments=(Argument(Kind.SESSION, is_optional=True),),
    ),
)
