"""Whether this console may send commands now, and if not, why (C-22)."""

from __future__ import annotations

import getpass

from tui.panel import Desk
from tui.sanitise import for_screen


def person() -> str:
    """Return who answers here, for the journal: this console, and its user."""
    try:
        return f"console:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name
        return "console"


def why_not_send(desk: Desk) -> str:
    """Return why nothing can be sent from here; empty: it can."""
    replica = desk.replica
    if desk.live is not None:
        return "this is the past: nothing can be done to it; esc goes back to the running session"
    if desk.is_read_only:
        return "read-only: this console sends nothing"
    if replica.is_waiting:
        return "no engine has answered yet"
    if replica.lost:
        return f"the engine cannot be reached: {for_screen(replica.lost, 80)}"
    if not replica.lease.is_mine:
        owner = for_screen(replica.lease.owner, 40)
        held = f"{owner} is in control" if owner else "nobody is in control"
        return f"this console only watches: {held}; L takes control"
    return ""
