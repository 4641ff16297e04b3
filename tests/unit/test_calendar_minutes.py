"""T07: every minute of two years, against the exchanges: clocks change, days are short."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import pytest

from engine.domain.ids import SECOND, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.runtime.holidays import CODES, _holidays, look_up
from engine.runtime.market_hours import MarketHours
from tests.builders import INR, NIFTY

pytestmark = pytest.mark.filterwarnings("ignore")  # of pandas, about itself

Record = Callable[[str, object], None]
YEAR = 2026
STRIDE = int(os.environ.get("HOLDFAST_MINUTES", "61"))
"""Between the hours in which something may change every so many minutes; 1: every minute."""
MINUTE = 60 * SECOND
MARKETS = {
    "NSE": ("Asia/Kolkata", "09:15", "15:30"),
    "NYSE": ("America/New_York", "09:30", "16:00"),
}


def listed(exchange: str) -> Instrument:
    time_zone, opens, closes = MARKETS[exchange]
    return Instrument(
        NIFTY,
        Kind.EQUITY,
        INR,
        calendar=exchange,
        time_zone=time_zone,
        session_open=opens,
        session_close=closes,
    )


def schedule(exchange: str) -> list[tuple[int, int]]:
    """Return (open, close) of every session of two years, as the library itself has them in UTC."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(CODES[exchange])
    last = min(f"{YEAR}-12-31", str(calendar.last_session.date()))
    found: Any = calendar.schedule.loc[f"{YEAR - 1}-01-01" : last]
    return [
        (int(opens.value), int(closes.value))
        for opens, closes in zip(found["open"], found["close"], strict=True)
    ]


@pytest.mark.parametrize("exchange", MARKETS)
def test_every_minute_of_two_years_is_open_exactly_when_the_exchange_says_so(
    exchange: str, record_property: Record
) -> None:
    hours = MarketHours({exchange: _holidays(exchange, look_up(CODES[exchange], YEAR))})
    instrument, sessions = listed(exchange), schedule(exchange)
    opens = [begin for begin, _ in sessions]
    first, last = sessions[0][0] // MINUTE * MINUTE, sessions[-1][1]
    wrong: list[int] = []
    count = 0
    for at in range(first, last + MINUTE, MINUTE):
        place = bisect_right(opens, at) - 1
        is_open = place >= 0 and at < sessions[place][1]
        if at // MINUTE % STRIDE and not _is_near(at, sessions[max(0, place) : place + 2]):
            continue
        count += 1
        if hours.is_open(Nanos(at), instrument) is not is_open:
            wrong.append(at)
    record_property("n", count)
    record_property("figure", f"{count:,} minutes of {exchange}: {len(wrong)} differ")
    assert count > 90_000
    assert wrong == []


def _is_near(at: int, around: list[tuple[int, int]]) -> bool:
    """Return whether something opens or closes within an hour and a half: a change of the clocks
    moves it by one.
    """
    return any(abs(at - edge) <= 90 * MINUTE for session in around for edge in session)


def test_the_clocks_did_change_in_those_years() -> None:
    """Without a change of the clocks the table above would prove nothing of it."""
    hours = {begin // SECOND % 86_400 for begin, _ in schedule("NYSE")}
    assert hours == {13 * 3600 + 1800, 14 * 3600 + 1800}
    assert len({end - begin for begin, end in schedule("NYSE")}) > 1  # and short days
