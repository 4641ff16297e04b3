"""What a replay's quotes do not hold yet: quiet records are entered when somebody looks.

A quote that is brought up to its instrument's newest record is the one that entering every record
would have made: last price, last known open interest, exact sums of volume and turnover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from engine.domain import calendar
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import ZERO
from engine.runtime.block_scan import Scan
from engine.runtime.blocks import Block, Floats
from engine.runtime.replayer import Replayer

_NEVER: Final = 2**63 - 1


@dataclass(slots=True)
class _Waiting:
    """Records of earlier blocks: the newest, and what the others add."""

    record: Any
    make: Callable[[Any], Tick]
    oi: Decimal | None
    """What is known of the open interest after these."""
    turnover: Decimal
    volume: Decimal


class Backlog:
    """Per instrument, by index, the records that quote and venue have not seen."""

    def __init__(self, replayer: Replayer, ids: Sequence[InstrumentId]) -> None:
        self._replayer, self._ids = replayer, ids
        self._waiting: dict[int, _Waiting] = {}
        self._next: dict[int, int] = {}
        """Of the block's instruments: the first record, along the order, that is not entered."""
        self._opens = np.full(len(ids), _NEVER, np.int64)
        self._until = np.zeros(len(ids), np.int64)
        """The day of each instrument: when its session opens, and the midnight after."""
        self._block: Block
        self._scan: Scan
        self._is_quoted = False
        self._is_summing = replayer.core.is_summing

    def begin(self, block: Block, scan: Scan) -> bool:
        """Take up a block; return False if its records have to be entered one by one."""
        self._block, self._scan = block, scan
        self._is_plain = scan.oi is None and not self._is_summing
        self._next = {}
        if not block.is_even or not self._is_of_one_day(block, scan):
            return False
        if self._is_summing and not block.arrange(scan.order):
            return False
        if block.is_quoted != self._is_quoted:  # a quote keeps its last bid and ask
            self.enter_all()
        self._is_quoted = block.is_quoted
        self._next = dict(zip(scan.present.tolist(), scan.firsts.tolist(), strict=True))
        return True

    def enter(self, index: int, end: int) -> None:
        """Enter the instrument's records before place `end` of the order."""
        start = self._next.get(index, end)
        waiting = self._waiting.pop(index, None)
        if start < end and waiting is None and self._is_plain:
            block = self._block
            self._next[index] = end
            self._replayer.see(block.make(block.record(int(self._scan.order[end - 1]))))
            return
        if start < end:
            now = self._gathered(start, end, waiting)
            self._next[index] = end
        elif waiting is not None:
            now = waiting
        else:
            return
        tick = now.make(now.record)
        tick.oi = now.oi
        tick.volume = None  # it is in the sums, if anybody asks for them
        self._replayer.see(tick)
        if now.volume or now.turnover:
            quote = self._replayer.core.quotes[tick.instrument]
            quote.turnover += now.turnover
            quote.volume += now.volume

    def enter_all(self) -> None:
        """Enter everything of earlier blocks."""
        for index in list(self._waiting):
            self.enter(index, 0)

    def skip(self, index: int) -> None:
        """Take note that the instrument's next record is entered by somebody else."""
        self._next[index] += 1

    def end(self) -> None:
        """Keep what is not entered of this block."""
        scan, block, waiting = self._scan, self._block, self._waiting
        places = scan.order[scan.lasts]
        for index, last, place, at in zip(
            scan.present.tolist(),
            scan.lasts.tolist(),
            places.tolist(),
            block.at[places].tolist(),
            strict=True,
        ):
            block.passed(index, at)
            start, before = self._next[index], waiting.get(index)
            if start > last:
                continue
            if self._is_plain:
                oi = None if before is None else before.oi
                waiting[index] = _Waiting(block.record(place), block.make, oi, ZERO, ZERO)
            else:
                waiting[index] = self._gathered(start, last + 1, before)
        self._next = {}

    def traded(self) -> tuple[Floats, Floats]:
        """Return (turnover, volume) per instrument before the block's first record."""
        turnovers, volumes = np.zeros(len(self._ids)), np.zeros(len(self._ids))
        quotes = self._replayer.core.quotes
        for index in self._next:
            quote, waiting = quotes.get(self._ids[index]), self._waiting.get(index)
            if quote is not None:
                turnovers[index], volumes[index] = quote.turnover, quote.volume
            if waiting is not None:
                turnovers[index] += float(waiting.turnover)
                volumes[index] += float(waiting.volume)
        return turnovers, volumes

    def _gathered(self, start: int, end: int, earlier: _Waiting | None) -> _Waiting:
        """Return the records `start` to before `end` of the order, all of one instrument."""
        block, place = self._block, int(self._scan.order[end - 1])
        record = block.record(place)
        turnover, volume = block.sums(start, end) if self._is_summing else (ZERO, ZERO)
        oi = self._newest_oi(start, end)
        if earlier is not None:
            turnover, volume = turnover + earlier.turnover, volume + earlier.volume
            oi = earlier.oi if oi is None else oi
        return _Waiting(record, block.make, oi, turnover, volume)

    def _newest_oi(self, start: int, end: int) -> Decimal | None:
        if self._scan.oi is None:
            return None
        places = self._scan.order[start:end]
        known = np.flatnonzero(~np.isnan(self._block.oi[places]))
        if not len(known):
            return None
        block = self._block
        return block.make(block.record(int(places[known[-1]]))).oi

    def _is_of_one_day(self, block: Block, scan: Scan) -> bool:
        """Return whether every record lies in its instrument's session of one day."""
        first, last = block.at[scan.order[scan.firsts]], block.at[scan.order[scan.lasts]]
        late = last >= self._until[scan.present]
        if late.any():
            for index, at in zip(scan.present[late].tolist(), first[late].tolist(), strict=True):
                if at >= self._until[index]:
                    self._begin_day(index, Nanos(at))
        is_within = last < self._until[scan.present]
        return bool((is_within & (first >= self._opens[scan.present])).all())

    def _begin_day(self, index: int, at: Nanos) -> None:
        self.enter(index, 0)
        terms = self._replayer.core.catalog.get(self._ids[index])
        opens = None if terms is None else calendar.session_open(at, terms)
        self._opens[index] = 0 if opens is None else opens
        self._until[index] = _NEVER if terms is None else calendar.next_midnight(at, terms)
