"""Counts over a sliding window, in a ring of buckets; the score of now and of a window ago."""

from __future__ import annotations

from typing import Final

from engine.domain.ids import SECOND
from engine.domain.quality import WINDOW_S, score_of

BUCKETS: Final = 10
BUCKET: Final = WINDOW_S * SECOND // BUCKETS


class Window:
    """`samples` counts into the running bucket; `turn` moves on when `turns_at` is reached."""

    __slots__ = (
        "_counts",
        "_in_bucket",
        "_old_counts",
        "_old_samples",
        "_past_samples",
        "_scores",
        "samples",
        "totals",
        "turns_at",
    )

    def __init__(self, now: int) -> None:
        self.turns_at = now + BUCKET
        self.samples = 0
        """Of the running bucket."""
        self.totals: dict[str, int] = {}
        """Objections ever, by check."""
        self._past_samples = 0
        """Of the finished buckets that are still in the window."""
        self._counts: dict[str, int] = {}
        """Objections in the window, the running bucket included."""
        self._in_bucket: dict[str, int] = {}
        self._old_counts: list[dict[str, int]] = []
        self._old_samples: list[int] = []
        self._scores: list[float] = []

    @property
    def size(self) -> int:
        """Samples in the window."""
        return self._past_samples + self.samples

    def count(self, check: str, times: int = 1) -> None:
        """Count an objection."""
        self.totals[check] = self.totals.get(check, 0) + times
        self._counts[check] = self._counts.get(check, 0) + times
        self._in_bucket[check] = self._in_bucket.get(check, 0) + times

    def how_often(self, check: str) -> int:
        """Return how often `check` objected in the window."""
        return self._counts.get(check, 0)

    @property
    def score(self) -> float:
        """Score of the window, 0 to 100."""
        return score_of(self._counts, self.size) if self._counts else 100.0

    @property
    def trend(self) -> float:
        """Score now minus score one window ago (or at the first full bucket)."""
        return self.score - self._scores[0] if self._scores else 0.0

    def turn(self, now: int) -> None:
        """Finish the buckets that ended by `now`."""
        if now < self.turns_at:
            return
        ended = (now - self.turns_at) // BUCKET + 1
        self.turns_at += ended * BUCKET
        if ended > BUCKETS:
            self._forget()
            return
        for _ in range(ended):
            self._finish()

    def _forget(self) -> None:
        """Everything is older than the window; the score then is the one to compare with."""
        self._scores = [self.score]
        self._old_counts, self._old_samples = [], []
        self._counts, self._in_bucket = {}, {}
        self.samples = self._past_samples = 0

    def _finish(self) -> None:
        self._scores.append(self.score)
        self._old_samples.append(self.samples)
        self._old_counts.append(self._in_bucket)
        self._past_samples += self.samples
        self.samples, self._in_bucket = 0, {}
        if len(self._scores) > BUCKETS:
            del self._scores[0]
        if len(self._old_counts) >= BUCKETS:  # the running bucket is the tenth
            self._past_samples -= self._old_samples.pop(0)
            for check, times in self._old_counts.pop(0).items():
                left = self._counts[check] - times
                if left:
                    self._counts[check] = left
                else:
                    del self._counts[check]
