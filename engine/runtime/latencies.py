"""Percentiles of the last minute, at a constant cost per sample and without keeping samples."""

from __future__ import annotations

from typing import Final

from engine.domain.ids import SECOND, Nanos

HALF: Final = 30 * SECOND
"""Two halves: the figures cover the last 30 to 60 seconds."""
_FINE: Final = 3
"""Sub-buckets per power of two, as bits: a percentile is at most 12.5 % too high."""
_SIZE: Final = 48 << _FINE


class Latencies:
    """A histogram of durations with logarithmic buckets."""

    __slots__ = ("_before", "_most", "_most_before", "_now", "_turns_at", "total")

    def __init__(self) -> None:
        self.total = 0
        """Samples ever."""
        self._now = [0] * _SIZE
        self._before = [0] * _SIZE
        self._most = self._most_before = 0
        self._turns_at = 0

    def add(self, took: Nanos) -> None:
        """Count a duration."""
        self.total += 1
        self._most = max(self._most, took)
        self._now[_index(took)] += 1

    def turn(self, now: Nanos) -> None:
        """Let what is older than a minute go; call about every second (monotonic time)."""
        if now < self._turns_at:
            return
        if now - self._turns_at >= HALF:  # a long pause, or the first call
            self._before, self._most_before = [0] * _SIZE, 0
        else:
            self._before, self._most_before = self._now, self._most
        if self._turns_at or not self.total:
            self._now, self._most = [0] * _SIZE, 0
        self._turns_at = now + HALF

    def ms(self, share: float) -> float:
        """Return the duration in ms that `share` of the samples do not exceed; 0 without any."""
        counts = [a + b for a, b in zip(self._now, self._before, strict=True)]
        wanted = share * sum(counts)
        if not wanted:
            return 0.0
        seen = 0
        for index, count in enumerate(counts):
            seen += count
            if seen >= wanted:
                return min(_upper(index), max(self._most, self._most_before)) / 1e6
        return self.ms_max

    @property
    def ms_max(self) -> float:
        """Longest of the last minute in ms."""
        return max(self._most, self._most_before) / 1e6


def _index(took: int) -> int:
    if took < 1 << _FINE:
        return max(0, took)
    shift = took.bit_length() - 1 - _FINE
    return min(_SIZE - 1, (shift + 1 << _FINE) + (took >> shift) - (1 << _FINE))


def _upper(index: int) -> int:
    """Return the largest duration that falls into a bucket."""
    group, fine = index >> _FINE, index & ((1 << _FINE) - 1)
    if group == 0:
        return index
    shift = group - 1
    return (((1 << _FINE) + fine + 1) << shift) - 1
