"""A block of records put in order: by instrument, and cut into segments.

A segment is all records of one instrument in one second. What a thousand quiet records amount to
is then their number, their extremes and their last.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.domain.ids import SECOND
from engine.runtime.blocks import Block, Floats, Ints

Places: TypeAlias = NDArray[np.intp]
Row: TypeAlias = tuple[int, int, int, int, float, float]
"""(place in the recording, place along the order, instrument, time, price, open interest)."""
_ERROR: Final = 2**-50
"""Relative error of a running sum, per record summed; the real one is a quarter of it."""


class Scan:
    """Segments in the order of time; `starts` and `ends` count along `order`."""

    def __init__(self, block: Block) -> None:
        self._block, count = block, len(block.index)
        self.order: Places = np.argsort(_small(block.index), kind="stable")
        inst, whole = block.index[self.order], block.at // SECOND
        second = _small(whole - whole[0])[self.order]
        is_first = np.empty(count, np.bool_)
        is_first[0] = True
        np.not_equal(inst[1:], inst[:-1], out=is_first[1:])
        self.present, self.firsts, self.lasts = _runs(inst, is_first)
        is_first[1:] |= second[1:] != second[:-1]
        starts = np.flatnonzero(is_first)
        by_time = np.argsort(second[starts], kind="stable")
        self.starts, self.ends = starts[by_time], np.append(starts[1:], count)[by_time]
        self.inst = inst[self.starts]
        price = block.price[self.order]
        self.high = np.maximum.reduceat(price, starts)[by_time]
        self.low = np.minimum.reduceat(price, starts)[by_time]
        self.last_at = block.at[self.order[self.ends - 1]]
        self.oi = None
        if not np.isnan(block.oi).all():
            self.oi = np.fmax.reduceat(block.oi[self.order], starts)[by_time]
        self._price, self._starts, self._by_time = price, starts, by_time
        self._cut(second[self.starts], whole)

    def _cut(self, second: Ints, whole: Ints) -> None:
        """Find where each second begins, among the segments and in the recording."""
        bounds = np.flatnonzero(second[1:] != second[:-1]) + 1
        self.segments: list[int] = [0, *bounds.tolist(), len(second)]
        begins = np.flatnonzero(whole[1:] != whole[:-1]) + 1
        self.begins: list[int] = [0, *begins.tolist(), len(whole)]
        self.first_at: list[int] = self._block.at[self.begins[:-1]].tolist()

    def rows(self, segment: int) -> Iterator[Row]:
        """Return the records of a segment, one by one."""
        start, end = int(self.starts[segment]), int(self.ends[segment])
        places, block = self.order[start:end], self._block
        return zip(
            places.tolist(),
            range(start, end),
            repeat(int(self.inst[segment])),
            block.at[places].tolist(),
            block.price[places].tolist(),
            block.oi[places].tolist(),
        )

    def vwap(self, volume: Floats, turnovers: Floats, volumes: Floats) -> tuple[Floats, Floats]:
        """Return the least and the largest price of each segment as a ratio of the VWAP then.

        `turnovers`, `volumes`: what each record's instrument had traded before the block. Both
        err to the side of waking a rule.
        """
        traded = np.where(np.isnan(volume), 0.0, volume)[self.order]
        sums, counts = np.cumsum(self._price * traded), np.cumsum(traded)
        slack = _ERROR * len(traded)
        off_sums, off_counts = slack * np.abs(sums).max(), slack * np.abs(counts).max()
        lead = self.firsts - 1
        lengths = self.lasts - self.firsts + 1
        before = np.where(lead < 0, 0.0, sums[lead]), np.where(lead < 0, 0.0, counts[lead])
        inst = np.repeat(self.present, lengths)
        sums += turnovers[inst] - np.repeat(before[0], lengths)
        counts += volumes[inst] - np.repeat(before[1], lengths)
        with np.errstate(all="ignore"):
            least = self._price * (counts - off_counts) / (sums + off_sums)
            most = self._price * (counts + off_counts) / (sums - off_sums)
        least[sums <= off_sums], most[sums <= off_sums] = 0.0, np.inf
        nothing = counts + off_counts <= 0.0
        least[nothing], most[nothing] = np.inf, -np.inf  # nothing traded: there is no VWAP
        starts, by_time = self._starts, self._by_time
        return (
            np.minimum.reduceat(least, starts)[by_time],
            np.maximum.reduceat(most, starts)[by_time],
        )


def _small(column: Places | Ints) -> Any:  # noqa: ANN401
    """Return numbers from 0 on in 16 bits, if they fit: those are sorted digit by digit."""
    return column.astype(np.uint16) if column.max() < 1 << 16 else column


def _runs(inst: Places, is_first: NDArray[np.bool_]) -> tuple[Places, Places, Places]:
    """Return the instruments there are, and where along the order each begins and ends."""
    firsts = np.flatnonzero(is_first)
    return inst[firsts], firsts, np.append(firsts[1:], len(inst)) - 1
