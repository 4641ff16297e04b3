"""What a person should read of the measurements, each thing once when it begins and once when it
is over (E-21, U12). Pure: measurements in, log lines out.
"""

from __future__ import annotations

from typing import Final

from engine.domain.health import BANDS, Health, Level
from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.log import LogRecord
from engine.domain.silence import UNCHECKED_S
from engine.domain.vitals import WAL_MB, Vitals
from engine.domain.wording import label

SOURCE: Final = "health"
_RANK: Final = {level: rank for rank, (level, _) in enumerate(BANDS)}
_BAD: Final = frozenset({Level.POOR, Level.CRITICAL})


class Remarks:
    """Remembers what was said already."""

    def __init__(self) -> None:
        self._level: Level | None = None
        self._unchecked: frozenset[PositionId] = frozenset()
        self._stale: frozenset[InstrumentId] = frozenset()
        self._is_grown = False

    def on(self, vitals: Vitals, health: Health) -> tuple[LogRecord, ...]:
        """Return what is new."""
        said = (*self._deadman(vitals), *self._prices(vitals), *self._log_size(vitals))
        return (*said, *self._health(health))

    def _deadman(self, vitals: Vitals) -> list[LogRecord]:
        late = {p: age for p, age in vitals.exits.unchecked if age >= UNCHECKED_S}
        said = [
            _line(vitals.at, "critical", f"nobody looked at position {position} for {age:.1f} s")
            for position, age in late.items()
            if position not in self._unchecked
        ]
        said += [
            _line(vitals.at, "info", f"position {position} is looked at again")
            for position in sorted(self._unchecked.difference(late))
        ]
        self._unchecked = frozenset(late)
        return said

    def _prices(self, vitals: Vitals) -> list[LogRecord]:
        stale = dict(vitals.feed.stale) if vitals.feed.is_market_open else {}
        said = [
            _line(vitals.at, "warning", f"STALE: the price of {label(i)} is {age:.0f} s old")
            for i, age in stale.items()
            if i not in self._stale
        ]
        if vitals.feed.is_market_open:
            said += [
                _line(vitals.at, "info", f"the price of {label(i)} is no longer stale")
                for i in sorted(self._stale.difference(stale))
            ]
        self._stale = frozenset(stale)
        return said

    def _log_size(self, vitals: Vitals) -> list[LogRecord]:
        was, size = self._is_grown, vitals.store.wal_mb
        self._is_grown = size >= (WAL_MB / 2 if was else WAL_MB)
        if self._is_grown == was:
            return []
        if was:
            return [_line(vitals.at, "info", f"the write-ahead log is down to {size:.0f} MB")]
        why = "something reads the database and does not end; end it"
        return [_line(vitals.at, "error", f"the write-ahead log is {size:.0f} MB: {why}")]

    def _health(self, health: Health) -> list[LogRecord]:
        before, self._level = self._level, health.level
        if before is health.level or (before is None and health.level is Level.EXCELLENT):
            return []
        is_worse = before is None or _RANK[health.level] > _RANK[before]
        why = f": {health.worst}" if health.worst else ""
        text = f"health is {health.level.value} ({health.score:.0f}){why}"
        grade = "error" if health.level in _BAD else "warning"
        return [_line(health.at, grade if is_worse else "info", text)]


def _line(at: Nanos, level: str, text: str) -> LogRecord:
    return LogRecord(at, level, SOURCE, text)
