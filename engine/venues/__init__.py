"""Venues and feeds by name, one line each.

Named, not imported: a session loads the one adapter that it uses, and a session on paper never
loads a line of code that could send an order to a real venue (V-15).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

VENUES: Final[Mapping[str, str]] = {
    "paper": "engine.venues.paper.venue:PaperVenue",
}
FEEDS: Final[Mapping[str, str]] = {
    "replay": "engine.venues.replay.feed:ReplayFeed",
    "sim": "engine.venues.sim.feed:SimFeed",
}


def adapter(names: Mapping[str, str], name: str) -> Any:  # noqa: ANN401 (each has its own settings)
    """Return the class registered as `name`; raise ValueError naming what is allowed."""
    if name not in names:
        raise ValueError(f"was {name!r}, allowed: {', '.join(sorted(names))}")
    module, _, attribute = names[name].partition(":")
    return getattr(import_module(module), attribute)
