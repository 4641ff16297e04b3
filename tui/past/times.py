"""A time of a session as a person types it."""

from __future__ import annotations

import re
from typing import Final

from engine.domain.calendar import local
from engine.domain.ids import SECOND, Nanos

_TIME: Final = re.compile(
    r"(?:(\d{4})-(\d\d?)-(\d\d?)[ T])?([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"
)


class NoTime(Exception):
    """It is not a time; the message says what is."""


def moment_of(text: str, near: Nanos, zone: str) -> Nanos:
    """Return the instant that `text` means in `zone`; without a date, of the day of `near`.

    Raises NoTime. It is the end of that second: what happened within it has happened.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise NoTime(f"was {text[:30]!r}; a time is 10:41 or 10:41:07, also 2026-01-29 10:41")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    there = local(near, zone).replace(hour=hour, minute=minute, second=second, microsecond=0)
    try:
        if found[1]:
            there = there.replace(year=year, month=month, day=day)
    except ValueError as error:
        raise NoTime(f"was {text[:30]!r}: {error}") from None
    within = SECOND - 1 if found[6] else 0
    return Nanos(int(there.timestamp()) * SECOND + within)
