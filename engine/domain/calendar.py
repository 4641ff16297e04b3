"""Session times of an instrument, from its own open, close and time zone.

Holidays are data that the edge supplies (engine.runtime.holidays asks a calendar library); here
only wall-clock arithmetic in the exchange's zone. Intervals are half-open: open <= t < close.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from engine.domain.ids import SECOND, Nanos
from engine.domain.instrument import Instrument

QUARTER: Final = 900
"""Seconds that lie in one day in any zone of a market: offsets from UTC are whole quarters of an
hour (since 1972). What is remembered of a day is then a hundred answers, not one per minute."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the time zone called `name`."""
    return ZoneInfo(name)


@lru_cache(maxsize=256)
def clock_time(text: str) -> time:
    """Return HH:MM or HH:MM:SS as a time of day."""
    return time.fromisoformat(text)


def local(at: Nanos, time_zone: str) -> datetime:
    """Return `at` in the exchange's zone (whole microseconds)."""
    seconds, rest = divmod(at, SECOND)
    return (
        datetime.fromtimestamp(seconds, UTC)
        .replace(microsecond=rest // 1000)
        .astimezone(zone(time_zone))
    )


@lru_cache(maxsize=512)
def instant(day: date, at: str, time_zone: str) -> Nanos:
    """Return the instant of wall-clock time `at` on `day` in `time_zone`."""
    moment = datetime.combine(day, clock_time(at), zone(time_zone))
    return Nanos(int(moment.timestamp()) * SECOND + moment.microsecond * 1000)


@lru_cache(maxsize=512)
def _day_of(quarter: int, time_zone: str) -> date:
    return datetime.fromtimestamp(quarter * QUARTER, UTC).astimezone(zone(time_zone)).date()


def trading_day(at: Nanos, instrument: Instrument) -> date:
    """Return the exchange-local date of `at`."""
    return _day_of(at // SECOND // QUARTER, instrument.time_zone)


def session_open(at: Nanos, instrument: Instrument) -> Nanos | None:
    """Return when the session of the day of `at` opens; None for a market that never closes."""
    if instrument.session_open is None:
        return None
    return instant(trading_day(at, instrument), instrument.session_open, instrument.time_zone)


def session_close(at: Nanos, instrument: Instrument) -> Nanos | None:
    """Return when the session of the day of `at` closes; None for a market that never closes."""
    if instrument.session_close is None:
        return None
    return instant(trading_day(at, instrument), instrument.session_close, instrument.time_zone)


def is_open(at: Nanos, instrument: Instrument) -> bool:
    """Return whether `at` lies in the session (half-open); a 24/7 market always is."""
    opens, closes = session_open(at, instrument), session_close(at, instrument)
    if opens is None or closes is None:
        return True
    return opens <= at < closes


def next_midnight(at: Nanos, instrument: Instrument) -> Nanos:
    """Return the next exchange-local midnight after `at`."""
    return instant(trading_day(at, instrument) + timedelta(days=1), "00:00", instrument.time_zone)
