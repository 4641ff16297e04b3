"""The bands of a replay as columns, so that thousands of prices are held against them at once.

Derived from `Band`, which alone says what a price leads to: whatever a column calls quiet is quiet,
whatever it does not is asked of the band itself. `refresh` after a band moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, nan
from typing import Final

import numpy as np

from engine.domain.band import Band

_BELOW: Final = 1 - 1e-15
_ABOVE: Final = 1 + 1e-15
_NEARER: Final = 1 + 1e-9
"""A VWAP rule is asked this much too early: the columns hold rounded sums."""


class BandTable:
    """One row per instrument, by its index."""

    def __init__(self, bands: Sequence[Band]) -> None:
        count = len(bands)
        self.bands = bands
        self._places = {band: index for index, band in enumerate(bands)}
        self.low, self.high = np.full(count, -inf), np.full(count, inf)
        """A price beyond is a new extreme, or one to ask the band about."""
        self.deadline, self.oi_from = np.full(count, inf), np.full(count, inf)
        self.vwap_low, self.vwap_high = np.full(count, nan), np.full(count, nan)
        """A price so far from the VWAP (as a ratio of it) may fire a rule; NaN: none."""
        self.has_vwap = self.is_timed = False
        """Whether any position ever had a rule for it; `is_timed`: for time or open interest."""
        for index in range(count):
            self.refresh(index)

    def refresh_all(self, moved: set[Band]) -> None:
        """Take over what the bands say that `moved`, which is emptied."""
        for band in moved:
            index = self._places.get(band)
            if index is not None:
                self.refresh(index)
        moved.clear()

    def refresh(self, index: int) -> None:
        """Take over what the band says now."""
        band = self.bands[index]
        if not band.held:
            self.low[index], self.high[index] = -inf, inf
            self.deadline[index] = self.oi_from[index] = inf
            self.vwap_low[index] = self.vwap_high[index] = nan
            return
        low = min(band.worst, band.low) if band.shorts else -inf
        high = max(band.best, band.high) if band.longs else inf
        # A position that opened a moment ago has seen no extreme: then the first price is one.
        self.low[index] = low if low > band.lo else band.lo * _ABOVE
        self.high[index] = high if high < band.hi else band.hi * _BELOW
        if band.is_timed or self.is_timed:
            self.is_timed = True
            self.deadline[index], self.oi_from[index] = band.deadline, band.oi_from
        if band.vwap_rules or self.has_vwap:
            self.has_vwap = True
            low, high = _reach(band.vwap_rules.values())
            self.vwap_low[index] = low * _NEARER if low > -inf else nan
            self.vwap_high[index] = high / _NEARER if high < inf else nan


def _reach(rules: Iterable[tuple[int, float, float]]) -> tuple[float, float]:
    """Return at or below, at or above which ratio of price to VWAP a rule may fire."""
    low, high = -inf, inf
    for sign, _, fraction in rules:
        if sign > 0:
            low = max(low, 1 - fraction)
        else:
            high = min(high, 1 + fraction)
    return low, high
