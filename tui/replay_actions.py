"""The part of the action table that steers a recorded day. Use `tui.actions`, which joins it."""

from __future__ import annotations

from typing import Final

from tui.action import Action, Argument, Context, Kind


def _steers(name: str, keys: tuple[str, ...], label: str, text: str, *, show: bool) -> Action:
    return Action(name, keys, label, text, Context.REPLAY, needs_lease=True, show=show)


REPLAY_ACTIONS: Final = (
    _steers(
        "feed.toggle",
        ("left_square_bracket",),
        "Hold",
        "Hold the recorded day still, or let it run on",
        show=True,
    ),
    _steers(
        "feed.step",
        ("right_square_bracket",),
        "Step",
        "Hold the recorded day and deliver its next item",
        show=True,
    ),
    _steers("feed.faster", ("plus", "equals_sign"), "Faster", "Run the day faster", show=True),
    _steers("feed.slower", ("minus",), "Slower", "Run the recorded day slower", show=True),
    _steers("feed.seek", ("at",), "Go to", "Go to a later time of the recorded day", show=True),
    Action(
        "feed.control",
        (),
        "Feed",
        "Steer a recorded day: its next item, a later time, another speed (or max)",
        Context.REPLAY,
        command="feed",
        arguments=(Argument(Kind.FEED), Argument(Kind.TEXT, is_optional=True)),
        needs_lease=True,
    ),
)
