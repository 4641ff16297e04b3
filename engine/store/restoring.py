"""When a store that failed is tried again (E-56): soon, but not at the price of a whole core.

To try means to open and check the whole store anew: nothing on a short journal, seconds of work
on one of a million entries. A long one is looked at from outside once a second, which is cheap,
and tried when the obstacle is seen gone; without a sign of it, at longer and longer intervals.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.store.lockers import lockers
from engine.store.resilient import ResilientJournal

SHORT: Final = 20_000
"""A journal of at most so many entries is checked in some 30 ms: it is tried every second."""
WAIT_MAX: Final = 30
"""Longest wait between two tries, in seconds."""
PROBE_BYTES: Final = 65_536


class Restoring:
    """Brings back what a journal has set aside; `turn` is to be called once a second."""

    def __init__(self, journal: ResilientJournal) -> None:
        self._journal = journal
        self.tries = 0
        """How often the whole store was opened and checked."""
        self._wait = 1
        self._waited = 0
        self._is_obstructed = False
        """Something stood in the way when it was last looked at from outside."""
        self._is_asked = False

    def ask(self) -> None:
        """Try at the next turn, whatever is known: a person wants it."""
        self._is_asked = True

    async def turn(self) -> bool:
        """Try if it is time to; return whether everything is in the store again just now."""
        if self._journal.is_persisted:
            self._begin_anew()
            return False
        self._waited += 1
        if not await self._is_time():
            return False
        self._waited, self._is_asked, self._is_obstructed = 0, False, False
        self.tries += 1
        if not await self._journal.restore():
            self._wait = min(2 * self._wait, WAIT_MAX)
            return False
        self._begin_anew()
        return True

    def _begin_anew(self) -> None:
        self._wait, self._waited = 1, 0
        self._is_asked = self._is_obstructed = False

    async def _is_time(self) -> bool:
        if self._is_asked or self._journal.inner.head <= SHORT or self._waited >= WAIT_MAX:
            return True
        was_obstructed = self._is_obstructed
        self._is_obstructed = bool(await asyncio.to_thread(obstacle, self._journal.inner.path))
        return not self._is_obstructed and (was_obstructed or self._waited >= self._wait)


def obstacle(database: Path) -> str:
    """Return why a store would not take an entry now, as far as can be seen without opening it;
    empty: nothing is seen. Writes a little beside the database, durably, and removes it.
    """
    probe = database.with_name(f"{database.name}.probe")
    try:
        database.stat()
        with probe.open("wb", buffering=0) as file:
            if file.write(bytes(PROBE_BYTES)) < PROBE_BYTES:
                return f"{database.parent}: no room"
            os.fsync(file.fileno())
    except OSError as error:
        return str(error)
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    others = lockers(database)
    return f"locked by {others}" if others else ""
