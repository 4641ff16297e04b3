"""Whether an instrument trades now: its hours, on the days that its exchange trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from engine.domain import calendar
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument
from engine.runtime.holidays import CODES, Holidays, HolidaysUnknown, holidays

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


async def market_hours(
    instruments: Iterable[Instrument], today: date, cache: Path, warn: Callable[[str], None]
) -> MarketHours:
    """Return hours with the holidays of every exchange among `instruments` that is known.

    What cannot be found out is told to `warn`; that exchange's weekdays then trade.
    """
    exchanges = {i.calendar for i in instruments if i.session_open is not None}
    known: dict[str, Holidays] = {}
    for exchange in sorted(exchanges & CODES.keys()):
        try:
            known[exchange] = await holidays(exchange, today, cache)
        except HolidaysUnknown as error:
            warn(f"holidays of {exchange} are not known: {error}")
    return MarketHours(known)
