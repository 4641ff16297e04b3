"""How well the terminal's line keeps up, judged by how long it takes to answer (C-7, B-9).

A pseudo-terminal, and sshd behind it, swallow what is written at once and deliver it later: only
the terminal itself can say what has been drawn. On a line that lags a frame is followed by as much
silence as it took, so that a key finds the line free half of the time and little before it.
"""

from __future__ import annotations

from typing import Final

from engine.domain.ids import SECOND

SLOW: Final = SECOND // 40
"""A line whose answers come so much later than its best ones lags behind."""
FAR: Final = SECOND // 8
"""So does one that takes so long altogether: it may never have been seen at its best."""
TRUSTED: Final = 10
"""After so many prompt answers a line need not be asked after every frame."""
REST_MAX: Final = 2 * SECOND


class Pace:
    """Judges a line by the answers to probes, in nanoseconds.

    The input thread tells it, the loop asks it.
    """

    def __init__(self) -> None:
        self.round_trip: int | None = None
        """From the last probe to its answer; None: the terminal never answered."""
        self.free_at = 0
        """Monotonic time before which no ordinary frame is to follow."""
        self._best = 0
        """The shortest round trip of late: what the way alone takes."""
        self._late = 0
        """How much longer than that answers took, the newest before all."""
        self._prompt = 0
        """How many answers in a row came at once."""

    def answered(self, took: int, mono: int) -> None:
        """Take the answer to a probe, `took` after it was asked, at monotonic time `mono`."""
        known = self.round_trip is not None
        self._best = min(took, self._best + self._best // 64) if known else took
        self.round_trip = took
        late = took - self._best
        self._late = max(late, (self._late + late) // 2)
        self._prompt = 0 if self.is_slow else self._prompt + 1
        self.free_at = mono + min(late, REST_MAX)

    @property
    def is_slow(self) -> bool:
        """Whether the line lags: every frame is followed to its end then."""
        return self._late > SLOW or (self.round_trip or 0) > FAR

    @property
    def is_trusted(self) -> bool:
        """Whether the line has kept up for a while."""
        return self._prompt >= TRUSTED
