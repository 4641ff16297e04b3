"""How much of what was typed may wait: a flood of bytes must not stand before a person's next key.

A terminal that prints noise, a paste into the wrong window or a cat on the keyboard sends keys
faster than they can be acted on. What waits is bounded; the rest is dropped and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from textual.app import ScreenStackError
from textual.message_pump import MessagePump

if TYPE_CHECKING:
    from textual.app import App

WAITING_MAX: Final = 200
"""Keys and movements of the mouse that may wait to be acted on; nobody types so far ahead."""
TOLD: Final = "keys come faster than they can be acted on: what does not fit is dropped"


class Intake:
    """Lets input through to the app while it keeps up. Used by the input thread."""

    def __init__(self, app: App[Any], loop: asyncio.AbstractEventLoop) -> None:
        self._app, self._loop = app, loop
        self._given = self._taken = 0
        self.dropped = 0
        """Bunches of bytes and single keys that found no room."""
        self._is_told = False

    def has_room(self) -> bool:
        """Return whether one more may come; counts what is dropped because it may not."""
        if self._given - self._taken + self._waiting() < WAITING_MAX:
            return True
        self.dropped += 1
        return False

    def give(self, posting: Coroutine[Any, Any, Any]) -> None:
        """Have the loop put one message into the app's queue."""
        self._given += 1
        asyncio.run_coroutine_threadsafe(posting, self._loop).add_done_callback(self._note)

    def complaint(self) -> str:
        """Return what to say of dropped keys, once; empty: nothing (more)."""
        if self._is_told or not self.dropped:
            return ""
        self._is_told = True
        return TOLD

    def _note(self, _done: Future[Any]) -> None:
        self._taken += 1  # on the loop alone

    def _waiting(self) -> int:
        """Return how many messages wait where keys pass: the app, the screen, the focus."""
        app = self._app
        try:
            pumps: tuple[MessagePump | None, ...] = (app, app.screen, app.focused)
        except ScreenStackError:  # it begins or ends just now
            pumps = (app,)
        return sum(pump.message_queue_size for pump in pumps if pump is not None)
