"""A journal that goes on when its store does not (E-56).

What the store cannot take in time goes, fsynced, to an emergency file: exits go on, nothing that
was decided is only in memory. `restore` brings it into the journal, in order and each entry once,
when the store is back. A commit that raised may have survived: the store is opened anew and what
it holds is compared before anything is appended again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from engine.domain.event import Entry
from engine.domain.evolve import fold
from engine.domain.ids import Seq
from engine.domain.state import State
from engine.ports.journal import START, JournalConflict, JournalError, NotWritten
from engine.store.ballast import Ballast
from engine.store.lockers import lockers
from engine.store.spill import Spill
from engine.store.sqlite import SqliteJournal

RECENT: Final = 5_000
"""Newest entries kept in memory, in case the file they were written to is gone."""
COMMIT_SECONDS: Final = 2.0
"""A store that takes longer is treated as down: an exit does not wait for a disk."""
NAME_SECONDS: Final = 0.25
"""So long is looked for whoever locks the store; nobody waits longer for a name."""


class ResilientJournal:
    """Implements engine.ports.journal.Journal over a SqliteJournal."""

    def __init__(
        self,
        inner: SqliteJournal,
        spill: Spill,
        ballast: Ballast,
        commit_s: float = COMMIT_SECONDS,
    ) -> None:
        self.inner = inner
        self._spill = spill
        self._ballast = ballast
        self._commit_s = commit_s
        self._pending: list[Entry] = []
        self._recent: deque[Entry] = deque(maxlen=RECENT)
        self._identity = inner.identity()
        self._after = State()
        self.error = ""
        """Why the store does not take entries; empty: it does."""
        self.is_spilled = True
        """Whether everything pending is at least in an emergency file."""
        self._spilling = asyncio.Lock()

    async def recover(self) -> State:
        """Take up what an earlier process left, and return the state after it. Entries of an
        emergency file that the store does not take, on a disk that is still full, stay there and
        are pending: what is open is watched meanwhile. Raises JournalConflict.
        """
        try:
            state = await recover_spilled(self.inner, self._spill)
        except JournalConflict:
            raise
        except JournalError as error:
            self.error = str(error)
        else:
            self._ballast.lay()
            return state
        before = self.inner.recovered.state
        self._pending = [entry for entry in self._spill.read() if entry.seq > before.seq]
        self._after = after = fold(self._pending, before)
        self._recent.extend(self._pending)
        self._ballast.release()  # whoever restores may need it
        return after

    @property
    def is_persisted(self) -> bool:
        """Return whether everything so far is in the store itself."""
        return not self._pending

    @property
    def place(self) -> str:
        """Where pending entries are."""
        return str(self._spill.place or "memory only") if self.is_spilled else "memory only"

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        """Make `entries` durable: in the store, else in the emergency file."""
        if not entries:
            return
        self._recent.extend(entries)
        self._after = after
        spilled = list(entries)
        if not self._pending:
            error = await self._tried(entries, after)
            if self._pending:  # `look` found the file gone meanwhile and spills these, too
                async with self._spilling:
                    return
            if not error:
                return
            self.error = error
            if self.inner.identity() != self._identity:
                spilled = list(self._recent)  # what was written before may have gone with it
        self._pending += spilled
        await self._spill_over(spilled)

    async def read(self, after: Seq = START) -> list[Entry]:
        """Return the stored entries that follow `after`, and the pending ones."""
        if self._pending and self._pending[0].seq <= after + 1:
            return [entry for entry in self._pending if entry.seq > after]
        stored = await self.inner.read(after)
        last = stored[-1].seq if stored else after
        return stored + [entry for entry in self._pending if entry.seq > last]

    async def look(self) -> None:
        """Notice a database file that was deleted or replaced under the engine (D11).

        What was written since may have gone with it: the newest entries are made durable again.
        """
        if self._pending or self.inner.identity() == self._identity:
            return
        self.error = "the database file was deleted or replaced while in use"
        self._pending = list(self._recent)
        await self._spill_over(list(self._pending))

    async def restore(self) -> bool:
        """Try to bring pending entries into the store; return whether nothing is pending."""
        conflicts = 0
        while self._pending:
            batch, after = list(self._pending), self._after
            try:
                await self.inner.reopen()
                await _take_over(self.inner, batch, after)
            except JournalConflict:
                conflicts += 1
                if conflicts > 1:
                    raise
                continue  # a commit that was given up may have landed meanwhile: compare again
            except (JournalError, OSError) as error:
                self.error = str(error)
                return False
            del self._pending[: len(batch)]
            self._identity = self.inner.identity()
        if self.error:
            await self._set_aside()
        return not self._pending

    async def _spill_over(self, entries: list[Entry]) -> None:
        async with self._spilling:
            try:
                await asyncio.to_thread(self._spill.append, entries)
            except OSError as failure:
                self.is_spilled = False
                self.error = f"{self.error}; {failure}"

    async def _set_aside(self) -> None:
        """Put the emergency file aside; one that cannot be stays: each entry acts once anyway."""
        async with self._spilling:
            if self._pending:
                return  # the store failed again
            self.error, self.is_spilled = "", True
            with suppress(OSError):
                await asyncio.to_thread(self._spill.set_aside)
            self._ballast.lay()

    async def _tried(self, entries: Sequence[Entry], after: State) -> str:
        """Append to the store; return why it did not work, empty if it did."""
        error = await self._once(entries, after)
        if isinstance(error, JournalError) and self._ballast.release():
            error = await self._once(entries, after)
        return str(error or "")

    async def _once(self, entries: Sequence[Entry], after: State) -> Exception | None:
        try:
            async with asyncio.timeout(self._commit_s):
                await self.inner.append(entries, after)
        except JournalConflict:
            raise
        except TimeoutError:  # it may land yet: only `restore` may look
            text = f"the store did not answer within {self._commit_s:g} s"
            return TimeoutError(f"{text}{await self._locked_by()}")
        except JournalError as error:
            return error
        return None

    async def _locked_by(self) -> str:
        """Return who else writes to the store's files, as the end of a sentence."""
        others = ""
        with suppress(TimeoutError):  # exits wait for this, and a disk that hangs hangs here, too
            async with asyncio.timeout(NAME_SECONDS):
                others = await asyncio.to_thread(lockers, self.inner.path)
        return f"; locked by {others}" if others else ""


async def recover_spilled(inner: SqliteJournal, spill: Spill) -> State:
    """Take entries of an emergency file that an earlier process left into the journal.

    Returns the state after them. Raises JournalConflict if they do not follow what is stored.
    """
    state = inner.recovered.state
    found = [entry for entry in spill.read() if entry.seq > state.seq]
    if not found:
        with suppress(OSError):
            spill.set_aside()
        return state
    if found[0].seq != state.seq + 1:
        raise JournalConflict(
            f"the emergency file goes on at entry {found[0].seq}, the journal ends at {state.seq}"
        )
    after = fold(found, state)
    await inner.append(found, after)
    with suppress(OSError):
        spill.set_aside()
    return after


async def _take_over(inner: SqliteJournal, batch: list[Entry], after: State) -> None:
    """Append what is not stored of `batch`; what is stored must be the same."""
    if inner.head + 1 < batch[0].seq:
        raise NotWritten(f"the store ends at entry {inner.head}, {batch[0].seq} is the next known")
    stored = await inner.read(Seq(batch[0].seq - 1))
    if stored != batch[: len(stored)]:
        raise JournalConflict(f"entry {batch[0].seq} is stored, but another one")
    rest = batch[len(stored) :]
    if rest:
        await inner.append(rest, after)
