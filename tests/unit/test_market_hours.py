"""An instrument trades in its hours on the days of its exchange."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument, Kind
from engine.runtime.holidays import Holidays
from engine.runtime.market_hours import MarketHours, market_hours
from tests.builders import INR, NIFTY, SECOND

NOON = 1_769_753_527  # Friday 2026-01-30 11:42 in Kolkata
FRIDAY = date(2026, 1, 30)
TERMS = Instrument(
    NIFTY,
    Kind.EQUITY,
    INR,
    calendar="NSE",
    time_zone="Asia/Kolkata",
    session_open="09:15",
    session_close="15:30",
)


def known(*closed: date, early: str | None = None, special: date | None = None) -> MarketHours:
    return MarketHours(
        {
            "NSE": Holidays(
                "NSE",
                date(2026, 1, 1),
                date(2026, 2, 1),
                frozenset(closed),
                frozenset({special} if special else ()),
                {FRIDAY: early} if early else {},
            )
        }
    )


@pytest.mark.parametrize(
    ("hours", "later_s", "is_open"),
    [
        (MarketHours(), 0, True),
        (MarketHours(), 86_400, False),
        (MarketHours(), 4 * 3600, False),
        (known(), 0, True),
        (known(FRIDAY), 0, False),
        (known(early="11:42"), 0, False),
        (known(early="11:43"), 0, True),
        (known(special=date(2026, 1, 31)), 86_400, True),
        (known(), 3 * 86_400, True),
        (known(), 30 * 86_400, False),
    ],
)
def test_hours_holidays_short_days_and_what_is_not_known(
    hours: MarketHours, later_s: int, is_open: bool
) -> None:
    assert hours.is_open(Nanos((NOON + later_s) * SECOND), TERMS) is is_open


def test_a_market_without_hours_never_closes() -> None:
    saturday = Nanos((NOON + 86_400) * SECOND)
    assert known(FRIDAY).is_open(saturday, Instrument(NIFTY, Kind.SPOT, INR, calendar="NSE"))


async def test_the_holidays_of_every_exchange_with_hours_are_looked_up(tmp_path: Path) -> None:
    told: list[str] = []
    around_the_clock = replace(TERMS, calendar="NYSE", session_open=None, session_close=None)
    hours = await market_hours([TERMS, TERMS, around_the_clock], FRIDAY, tmp_path, told.append)
    assert (list(hours.known), told) == (["NSE"], [])
    republic_day = Nanos((NOON - 4 * 86_400) * SECOND)  # Monday, 26 January
    assert not hours.is_open(republic_day, TERMS)
    assert hours.is_open(Nanos(NOON * SECOND), TERMS)


async def test_holidays_that_cannot_be_found_out_are_told(tmp_path: Path) -> None:
    told: list[str] = []
    hours = await market_hours([TERMS], date(2150, 1, 5), tmp_path, told.append)
    assert hours.known == {}
    assert told[0].startswith("holidays of NSE are not known: XBOM: exit code 1: ValueError")
