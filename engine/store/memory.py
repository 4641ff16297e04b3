"""A journal in memory: for tests, replay, and a person who chose to run without a store."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain.event import Entry
from engine.domain.ids import Seq
from engine.domain.state import State
from engine.ports.journal import START, JournalConflict


class MemoryJournal:
    """Keeps entries in a list; `state` is the one they lead to."""

    is_persisted = True
    error = ""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self.state = State()

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        """Add `entries`; see engine.ports.journal.Journal."""
        if not entries:
            return
        last, first = len(self._entries), entries[0].seq
        if first <= last:
            if self._entries[first - 1 : first - 1 + len(entries)] != list(entries):
                raise JournalConflict(f"entry {first} is taken; the journal is at {last}")
            return
        if [e.seq for e in entries] != list(range(last + 1, last + 1 + len(entries))):
            raise JournalConflict(f"entry {first} does not follow {last} without a gap")
        if after.seq != entries[-1].seq:
            raise JournalConflict(f"state is of entry {after.seq}, last was {entries[-1].seq}")
        self._entries.extend(entries)
        self.state = after

    async def read(self, after: Seq = START) -> list[Entry]:
        """Return the entries with `seq` greater than `after`, in order."""
        return self._entries[after:]
