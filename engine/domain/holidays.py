"""Trading days of exchanges, as plain data; `engine.runtime.holidays` asks a calendar library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from engine.domain import calendar
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument

ALWAYS: Final = "24/7"
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class TradingDays:
    """Days on which an exchange trades, complete from `first` to `last`."""

    first: date
    last: date
    days: frozenset[date]


@dataclass(frozen=True, slots=True)
class Holidays:
    """What is known of exchanges, by calendar code. Empty: weekdays trade."""

    known: Mapping[str, TradingDays] = field(default_factory=dict)

    def is_trading_day(self, code: str, day: date) -> bool:
        """Return whether the exchange `code` trades on `day`; where nothing is known, whether it
        is a weekday.
        """
        if code == ALWAYS:
            return True
        exchange = self.known.get(code)
        if exchange is None or not exchange.first <= day <= exchange.last:
            return day.weekday() < _SATURDAY
        return day in exchange.days

    def is_open(self, now: Nanos, instrument: Instrument) -> bool:
        """Return whether `instrument` trades at `now`: its hours on a trading day."""
        if not calendar.is_open(now, instrument):
            return False
        if instrument.session_open is None:
            return True
        return self.is_trading_day(instrument.calendar, calendar.trading_day(now, instrument))
