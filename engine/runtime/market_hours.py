"""Whether an instrument trades now: its hours, on the days that its exchange trades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.domain import calendar
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument
from engine.runtime.holidays import Holidays

_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class MarketHours:
    """Where the holidays of an exchange are not known, its weekdays trade."""

    known: Mapping[str, Holidays] = field(default_factory=dict)
    """By the calendar code of instruments."""

    def is_open(self, now: Nanos, instrument: Instrument) -> bool:
        """Return whether `instrument` trades at `now`; one without hours always does."""
        if instrument.session_open is None:
            return True
        if not calendar.is_open(now, instrument):
            return False
        day = calendar.trading_day(now, instrument)
        exchange = self.known.get(instrument.calendar)
        is_session = None if exchange is None else exchange.is_session(day)
        if is_session is None:
            return day.weekday() < _SATURDAY
        early = exchange.early.get(day) if exchange is not None else None
        if early is not None and now >= calendar.instant(day, early, instrument.time_zone):
            return False
        return is_session
