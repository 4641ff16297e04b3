"""What is remembered of times is bounded, and small for a day: an engine runs for months."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from engine.domain import calendar
from engine.domain.calendar import is_open, trading_day
from engine.domain.ids import SECOND, Nanos
from engine.store import times
from tests.builders import CATALOG, NIFTY

BEGIN = int(datetime(2026, 3, 28, tzinfo=UTC).timestamp())
"""The day before clocks change in Europe."""
MINUTE, DAY = 60, 86_400


@pytest.mark.parametrize(
    "zone",
    ["Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"],
)
def test_a_day_is_the_one_of_the_zones_own_clock_at_every_minute(zone: str) -> None:
    listed = replace(CATALOG[NIFTY], time_zone=zone)
    wrong = [
        second
        for second in range(BEGIN, BEGIN + 10 * DAY, MINUTE)
        if trading_day(Nanos(second * SECOND), listed)
        != datetime.fromtimestamp(second, ZoneInfo(zone)).date()
    ]
    assert wrong == []


def test_a_day_of_prices_leaves_a_hundred_answers_behind_and_a_year_no_more_than_fit() -> None:
    listed = replace(
        CATALOG[NIFTY], time_zone="Asia/Kolkata", session_open="09:15", session_close="15:30"
    )
    calendar._day_of.cache_clear()
    calendar.instant.cache_clear()
    for second in range(BEGIN, BEGIN + DAY, 7):
        is_open(Nanos(second * SECOND), listed)
    assert calendar._day_of.cache_info().currsize <= DAY // calendar.QUARTER + 1
    assert calendar.instant.cache_info().currsize <= 4
    for second in range(BEGIN, BEGIN + 365 * DAY, calendar.QUARTER):
        is_open(Nanos(second * SECOND), listed)
    assert calendar._day_of.cache_info().currsize <= 512
    assert calendar.instant.cache_info().currsize <= 512


def test_texts_of_times_are_remembered_for_a_batch_and_no_longer() -> None:
    for number in range(5_000):
        times.iso(Nanos(number * SECOND + number))
    assert times.iso.cache_info().currsize <= 1_024
    assert times._second.cache_info().currsize <= 256
