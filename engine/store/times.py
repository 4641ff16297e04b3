"""Instants as text: ISO-8601 in UTC with nine decimals, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from engine.domain.ids import MINUTE, SECOND, Nanos


@lru_cache(maxsize=256)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)  # a batch; an entry's time is in its row and in every row it touches
def iso(at: Nanos) -> str:
    """Return `at` as e.g. `2026-01-30T03:45:00.000000000Z`; sqlite's date functions read it."""
    second, rest = divmod(at, SECOND)
    return f"{_second(second)}.{rest:09d}Z"


def minutes(since: Nanos, until: Nanos) -> float:
    """Return the minutes between two instants, to a hundredth; for showing only."""
    return round((until - since) / MINUTE, 2)
