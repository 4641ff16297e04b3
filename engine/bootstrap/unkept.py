"""A session that keeps nothing: a mode a person may choose, but not over something that is open."""

from __future__ import annotations

from pathlib import Path

from engine.ports.journal import JournalRefused
from engine.store.memory import MemoryJournal
from engine.store.reader import StoreReader
from engine.store.spill import Spill


def kept_nowhere(database: Path) -> MemoryJournal:
    """Return a journal in memory alone. Raises JournalRefused where the store beside it has
    something open: nothing would watch that, and no flag declines it (E-61).
    """
    if not database.exists():
        return MemoryJournal()
    with StoreReader.open(database) as reader:
        held = len(reader.positions())
    what = f"{held} open position{'' if held == 1 else 's'}" if held else ""
    if Spill(database).read():
        what = what or "entries in its emergency file that no store has taken over"
    if what:
        raise JournalRefused(
            f"{database} has {what}: a session that keeps nothing would leave that unwatched. "
            "Start it without store.persistence=off, or give another --data-dir"
        )
    return MemoryJournal()
