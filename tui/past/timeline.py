"""A session's journal, folded again: any moment of it, quickly, in bounded memory.

Entries stay encoded and squeezed, a page at a time; the moment before each page is kept. Going
somewhere opens the page around it: its entries, the moment after each, and its log lines. A few
opened pages are remembered, so that stepping either way costs nothing.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from engine.domain.event import Entry, OrderAdopted, OrderRequested
from engine.domain.ids import Nanos, OrderId
from engine.domain.log import LogRecord
from engine.domain.narrate import narrate
from engine.domain.order import Order
from engine.domain.state import State
from engine.link.protocol_past import EntryPage, SessionRecord
from tui.past.kinds import Kind, kind_of
from tui.past.moment import Moment, after, beginning

BYTES_MAX: Final = 64 * 1024 * 1024
"""Squeezed entries held; a session that is longer is shown up to there, and that is said."""
BASES_MAX: Final = 512
"""Moments kept between pages; beyond, every second one is folded anew when it is needed."""
OPENED_MAX: Final = 12

Unfold: TypeAlias = Callable[[EntryPage], list[Entry]]
Recent: TypeAlias = tuple[Entry, Moment, LogRecord | None]
"""An entry, the moment after it, and its line in the log."""


@dataclass(slots=True)
class Opened:
    """A page that somebody looks at."""

    entries: list[Entry]
    moments: list[Moment]
    """The one after each entry."""
    records: list[LogRecord | None]
    before: Moment


@dataclass(slots=True)
class Timeline:
    """Positions count entries: 0 is before the session's first, `len` after its last one held."""

    record: SessionRecord
    unfold: Unfold
    is_full: bool = False
    """The session is longer than what is held."""
    _pages: list[EntryPage] = field(default_factory=list)
    _starts: array[int] = field(default_factory=lambda: array("q"))
    """Position before each page."""
    _bases: list[Moment | None] = field(default_factory=list)
    _times: array[int] = field(default_factory=lambda: array("q"))
    """When each entry was made; a clock that stepped back counts as standing still."""
    _kinds: bytearray = field(default_factory=bytearray)
    _opened: OrderedDict[int, Opened] = field(default_factory=OrderedDict)
    _end: Moment = field(default_factory=Moment)
    _size: int = 0

    def __len__(self) -> int:
        return len(self._times)

    @property
    def total(self) -> int:
        """Entries of the session when it was asked about."""
        return max(0, self.record.last - self.record.first + 1)

    @property
    def is_complete(self) -> bool:
        return len(self) >= self.total

    # Filling it.

    def base(self, state: State) -> None:
        """Start from a state that the journal went through before the session."""
        self._end = beginning(state)

    def add(self, page: EntryPage) -> list[Entry]:
        """Fold the next page; what is before the session only leads to it. Return its entries.

        Raises IllegalTransition, ConnectionError if it cannot follow.
        """
        entries = self.unfold(page)
        moment, times, kinds = self._end, array("q"), bytearray()
        base, newest = moment, self._times[-1] if self._times else 0
        for entry in entries:
            moment = after(moment, entry)
            if entry.seq < self.record.first:
                base = moment
                continue
            newest = max(newest, entry.at)
            times.append(newest)
            kinds.append(kind_of(entry.event))
        self._end = moment
        if times:
            squeezed = replace(page, body=zlib.compress(page.body, 1))
            self._keep(squeezed, base)
            self._times.extend(times)
            self._kinds.extend(kinds)
        return entries

    def _keep(self, page: EntryPage, base: Moment) -> None:
        self._pages.append(page)
        self._starts.append(len(self._times))
        self._bases.append(base)
        self._size += len(page.body)
        self.is_full = self._size >= BYTES_MAX
        kept = [n for n, known in enumerate(self._bases) if known is not None]
        if len(kept) > BASES_MAX:
            for number in kept[1::2]:
                self._bases[number] = None

    # Looking at it.

    def moment(self, position: int) -> Moment:
        """Return the moment after the first `position` entries of what is held."""
        if not self._pages:
            return self._end
        number = self._page_of(position)
        opened = self._open(number)
        at = position - self._starts[number]
        return opened.moments[at - 1] if at else opened.before

    def entry(self, position: int) -> Entry | None:
        """Return the entry that led to `position`; None at the very beginning."""
        if position < 1 or not self._pages:
            return None
        number = self._page_of(position)
        return self._open(number).entries[position - self._starts[number] - 1]

    def recent(self, position: int, count: int) -> list[Recent]:
        """Return the last `count` entries up to `position`, the moment after each and its line."""
        out: list[Recent] = []
        number = self._page_of(position) if self._pages else -1
        while number >= 0 and len(out) < count:
            opened, first = self._open(number), self._starts[number]
            have = list(zip(opened.entries, opened.moments, opened.records, strict=True))
            out = have[: max(0, position - first)] + out
            number -= 1
        return out[-count:]

    def time(self, position: int) -> Nanos:
        """Return when the entry at `position` was made; before the first: when that was."""
        if not self._times:
            return Nanos(0)
        return Nanos(self._times[min(max(position, 1), len(self)) - 1])

    def at_time(self, at: Nanos) -> int:
        """Return the position of the last entry that was made by `at`."""
        return bisect_right(self._times, at)

    def next_of(self, kind: Kind, position: int, step: int) -> int | None:
        """Return the nearest position after (or before) `position` whose entry is of `kind`."""
        kinds = self._kinds
        where = range(position, len(kinds)) if step > 0 else range(position - 2, -1, -1)
        return next((index + 1 for index in where if kinds[index] & kind), None)

    def _page_of(self, position: int) -> int:
        """Return the page that holds the entry leading to `position`."""
        return max(0, bisect_right(self._starts, max(0, position - 1)) - 1)

    def _open(self, number: int) -> Opened:
        opened = self._opened.get(number)
        if opened is None:
            opened = self._opened[number] = self._folded(number)
            while len(self._opened) > OPENED_MAX:
                self._opened.popitem(last=False)
        self._opened.move_to_end(number)
        return opened

    def _folded(self, number: int) -> Opened:
        before = moment = self._base(number)
        entries = self._entries(number)
        moments: list[Moment] = []
        for entry in entries:
            moment = after(moment, entry)
            moments.append(moment)
        return Opened(entries, moments, _told(entries, moments, before), before)

    def _base(self, number: int) -> Moment:
        known = self._bases[number]
        if known is not None:
            return known
        start = next(n for n in range(number, -1, -1) if self._bases[n] is not None)
        moment = self._bases[start]
        assert moment is not None
        for between in range(start, number):
            for entry in self._entries(between):
                moment = after(moment, entry)
        return moment

    def _entries(self, number: int) -> list[Entry]:
        page = self._pages[number]
        entries = self.unfold(replace(page, body=zlib.decompress(page.body)))
        return [entry for entry in entries if entry.seq >= self.record.first]


def _told(entries: list[Entry], moments: list[Moment], before: Moment) -> list[LogRecord | None]:
    """Return the log line of each entry, each with the state right after it."""
    orders: dict[OrderId, Order] = {id_: at.order for id_, at in before.state.orders.items()}
    records: list[LogRecord | None] = []
    for entry, moment in zip(entries, moments, strict=True):
        if isinstance(entry.event, OrderRequested | OrderAdopted):
            orders[entry.event.order.id] = entry.event.order
        records.append(narrate(entry, moment.state, orders))
    return records
