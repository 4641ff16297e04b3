"""What entries people look for in a session: exits, fills, and everything that went wrong."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from engine.domain import event as ev

_TROUBLE: Final = (
    ev.OrderRejected,
    ev.OrderTimedOut,
    ev.CloseRearmed,
    ev.CommandRefused,
    ev.SignalRefused,
    ev.StrategyFailed,
    ev.SessionCrashed,
    ev.FlattenLatched,
    ev.EntriesBlocked,
    ev.DecisionAsked,
)


class Kind(IntFlag):
    """What an entry counts as."""

    OTHER = 0
    EXIT = 1
    """An exit was decided: a rule fired, or a person or strategy closes."""
    FILL = 2
    TROUBLE = 4
    """An error, a refusal, a crash, or something that blocks entries."""


NAMES: Final = {Kind.EXIT: "exit", Kind.FILL: "fill", Kind.TROUBLE: "error or refusal"}


def kind_of(event: ev.Event) -> Kind:
    """Return what an event counts as."""
    match event:
        case ev.OrderFilled():
            return Kind.FILL
        case ev.OrderRequested(order=order) | ev.OrderAdopted(order=order) if (
            order.exit is not None
        ):
            return Kind.EXIT
        case ev.FeedChanged(is_up=False):
            return Kind.TROUBLE
        case _:
            return Kind.TROUBLE if isinstance(event, _TROUBLE) else Kind.OTHER
