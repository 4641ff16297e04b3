"""The append-only record of everything that changed the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from engine.domain.event import Entry
from engine.domain.ids import Seq
from engine.domain.state import State

START: Final = Seq(0)
"""Before the first entry."""


class JournalError(Exception):
    """Base of what a journal can raise."""


class JournalConflict(JournalError):
    """Another writer appended first: stop, this engine is no longer the active one."""


class OutcomeUnknown(JournalError):
    """A commit raised: it may or may not have survived. Reopen, re-read, append idempotently."""


class NotWritten(JournalError):
    """The entries are certainly not in the journal (full, locked): the same may be tried again."""


class JournalRefused(JournalError):
    """The store is damaged, of another mode, or newer than this program. Nothing was changed."""


class Journal(Protocol):
    """An ordered, gapless log. `append` returns only once the entries are durable."""

    @property
    def is_persisted(self) -> bool:
        """Return whether everything is in the store itself, not only in an emergency file."""

    @property
    def error(self) -> str:
        """Return why it is not; empty if it is."""

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        """Add `entries` atomically, with projections of `after`, the state they lead to.

        Raises JournalConflict if a sequence is taken or leaves a gap, NotWritten if nothing was
        committed, OutcomeUnknown if the commit raised. Appending the very same entries again is
        allowed and changes nothing.
        """

    async def read(self, after: Seq = START) -> list[Entry]:
        """Return the entries with `seq` greater than `after`, in order."""
