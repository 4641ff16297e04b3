"""When silence means something is wrong: feeds that should tick, prices that should be asked for,
positions that nobody looks at (E-20, E-22, U12). Pure: every instant is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.ids import SECOND, InstrumentId, Nanos, PositionId
from engine.domain.records import dataclass

SILENT_S: Final = 3.0
"""Longest silence of a feed that ticks."""
SLOW_S: Final = 60.0
"""Longest silence of any feed while its market is open."""
LEARNED: Final = 20
"""Messages before a feed's own rhythm counts."""
PATIENCE: Final = 5.0
"""A feed may be silent so many times its usual longest gap."""
UNCHECKED_S: Final = 5.0
BACKOFF_FIRST_S: Final = 0.5
BACKOFF_MOST_S: Final = 30.0


@unique
class Hearing(Enum):
    """What is heard of a feed."""

    WAITING = "waiting"
    """Nothing came yet."""
    LIVE = "live"
    SILENT = "silent"
    CLOSED = "closed"
    """Its market is closed: silence is right."""


class FeedClock:
    """Expects messages. A feed that usually speaks every second is silent after SILENT_S; a
    slower one after PATIENCE times its longest usual gap, SLOW_S at most.
    """

    def __init__(self, silent_s: float = SILENT_S) -> None:
        self.silent_s = silent_s
        self.heard_at: Nanos | None = None
        self._count = 0
        self._gap = 0.0
        """Longest recent gap in seconds; fades, so that one pause is not learnt for ever."""

    def hear(self, now: Nanos) -> None:
        """Note that the feed said something."""
        if self.heard_at is not None:
            gap = (now - self.heard_at) / SECOND
            if gap <= SLOW_S:
                self._gap = max(gap, self._gap * 0.98)
        self.heard_at = now
        self._count += 1

    @property
    def limit_s(self) -> float:
        """Seconds of silence from which on the feed counts as silent."""
        if self._count < LEARNED:
            return max(self.silent_s, SLOW_S)
        return min(max(self.silent_s, self._gap * PATIENCE), max(self.silent_s, SLOW_S))

    def silence_s(self, now: Nanos) -> float | None:
        """Return seconds since the last message; None: there was none."""
        if self.heard_at is None:
            return None
        self.heard_at = min(self.heard_at, now)  # the clock stepped back: count from here
        return (now - self.heard_at) / SECOND

    def look(self, now: Nanos, *, is_open: bool) -> Hearing:
        """Return what is heard at `now`; `is_open`: whether its market is."""
        silence = self.silence_s(now)
        if silence is not None and silence < self.limit_s:
            return Hearing.LIVE
        if not is_open:
            return Hearing.CLOSED
        return Hearing.WAITING if silence is None else Hearing.SILENT


@dataclass(frozen=True, slots=True)
class PollLimits:
    """E-20: how old a held price may be before it is asked for."""

    silent_s: float = 60.0
    danger_s: float = 30.0
    """The same, within `danger` of a level."""
    danger: Decimal = Decimal("0.05")


def is_poll_due(age_s: float, distance: Decimal | None, limits: PollLimits) -> bool:
    """Return whether a held price `age_s` old, `distance` from its nearest level, must be asked."""
    is_near = distance is not None and distance <= limits.danger
    return age_s > (limits.danger_s if is_near else limits.silent_s)


class Deadman:
    """Knows when each position was last looked at: by a tick of its instrument, or by the timer's
    sweep over everything that is watched. Instants are monotonic.
    """

    def __init__(self) -> None:
        self._swept: dict[PositionId, Nanos] = {}
        self._ticked: dict[InstrumentId, Nanos] = {}
        self._since: dict[PositionId, Nanos] = {}

    def tick(self, instrument: InstrumentId, now: Nanos) -> None:
        """Note that the rules saw a price of `instrument`."""
        self._ticked[instrument] = now

    def sweep(self, watched: Iterable[PositionId], now: Nanos) -> None:
        """Note that the timer's turn looked at `watched`."""
        self._swept = dict.fromkeys(watched, now)

    def unchecked(
        self, held: Iterable[tuple[PositionId, InstrumentId]], now: Nanos, least_s: float = 1.0
    ) -> tuple[tuple[PositionId, float], ...]:
        """Return positions that nobody looked at for `least_s` or more, longest first."""
        late: list[tuple[PositionId, float]] = []
        since: dict[PositionId, Nanos] = {}
        for position, instrument in held:
            first = since[position] = self._since.get(position, now)
            last = max(first, self._swept.get(position, first), self._ticked.get(instrument, first))
            age_s = (now - last) / SECOND
            if age_s >= least_s:
                late.append((position, age_s))
        self._since = since
        return tuple(sorted(late, key=lambda pair: -pair[1]))


def backoff_s(attempt: int, jitter: float) -> float:
    """Return the pause before reconnect number `attempt` (from 0), `jitter` in [0, 1).

    Doubles from BACKOFF_FIRST_S to BACKOFF_MOST_S; the jitter takes away up to half of it, so
    that many clients do not come back at once.
    """
    longest = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2.0 ** min(attempt, 16))
    return float(longest * (1 - jitter / 2))
