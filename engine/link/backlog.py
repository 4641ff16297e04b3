"""What a listener that cannot keep up still has to hear; bounded, whatever the engine says."""

from __future__ import annotations

from collections import deque
from typing import Final

from engine.domain.event import Entry
from engine.domain.ids import InstrumentId
from engine.domain.log import LogRecord
from engine.link.batch import Batch
from engine.link.protocol import Quotes

ENTRIES_MAX: Final = 2000
BYTES_MAX: Final = 2 * 1024 * 1024
"""Beyond either a fresh snapshot is shorter than what was missed."""
LOGS_MAX: Final = 500


class Backlog:
    """Entries in full, log lines the newest, everything else the last of its kind."""

    def __init__(self) -> None:
        self.is_overfull = False
        """Entries were let go: only a snapshot helps now."""
        self.moved: set[InstrumentId] = set()
        """Instruments whose quotes changed."""
        self._entries: list[bytes] = []
        self._size = 0
        self._logs: deque[bytes] = deque(maxlen=LOGS_MAX)
        self._newest: dict[str, bytes] = {}

    def add(self, batch: Batch) -> None:
        """Keep what of `batch` will still matter."""
        for number, update in enumerate(batch.updates):
            if isinstance(update, Quotes):
                self.moved.update(quote.instrument for quote in update.quotes)
            elif self.is_overfull:
                continue
            elif isinstance(update, Entry):
                self._entry(batch.frames[number])
            elif isinstance(update, LogRecord):
                self._logs.append(batch.frames[number])
            else:
                self._newest[type(update).__name__] = batch.frames[number]

    def take(self) -> bytes:
        """Return the frames, entries first, and forget them; quotes are asked for anew."""
        data = b"".join((*self._entries, *self._logs, *self._newest.values()))
        self.clear()
        return data

    def clear(self) -> None:
        """Forget everything: a snapshot is on its way."""
        self.is_overfull, self._size = False, 0
        self._entries.clear()
        self._logs.clear()
        self._newest.clear()
        self.moved.clear()

    @property
    def size(self) -> int:
        """Bytes of entries kept."""
        return self._size

    def _entry(self, data: bytes) -> None:
        self._entries.append(data)
        self._size += len(data)
        if len(self._entries) > ENTRIES_MAX or self._size > BYTES_MAX:
            self.clear()
            self.is_overfull = True
