"""When silence means something is wrong, and what is done about it (E-20, E-22, U12, N02)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import Nanos, PositionId
from engine.domain.silence import (
    BACKOFF_MOST_S,
    Deadman,
    FeedClock,
    Hearing,
    PollLimits,
    backoff_s,
    is_poll_due,
)
from tests.builders import BTC, NIFTY, SECOND

P1, P2 = PositionId("p1"), PositionId("p2")


def at(seconds: float) -> Nanos:
    return Nanos(int(seconds * SECOND))


def spoken(count: int, gap_s: float) -> tuple[FeedClock, float]:
    clock = FeedClock()
    for n in range(count):
        clock.hear(at(n * gap_s))
    return clock, (count - 1) * gap_s


def test_a_feed_that_ticks_is_silent_three_seconds_after_its_last_word() -> None:
    clock, last = spoken(50, 0.2)
    assert clock.look(at(last + 2.9), is_open=True) is Hearing.LIVE
    assert clock.look(at(last + 3.0), is_open=True) is Hearing.SILENT


def test_a_slow_feed_is_given_its_own_rhythm_and_never_more_than_a_minute() -> None:
    clock, last = spoken(50, 8.0)
    assert clock.look(at(last + 39), is_open=True) is Hearing.LIVE
    assert clock.look(at(last + 41), is_open=True) is Hearing.SILENT
    slowest, last = spoken(50, 50.0)
    assert slowest.look(at(last + 61), is_open=True) is Hearing.SILENT


def test_silence_of_a_closed_market_is_right_and_words_in_it_count() -> None:
    clock, last = spoken(50, 0.2)
    assert clock.look(at(last + 3600), is_open=False) is Hearing.CLOSED
    clock.hear(at(last + 3600))
    assert clock.look(at(last + 3601), is_open=False) is Hearing.LIVE


def test_before_the_first_word_the_feed_is_waited_for() -> None:
    assert FeedClock().look(at(5), is_open=True) is Hearing.WAITING


def test_one_pause_is_forgotten_again() -> None:
    clock, last = spoken(50, 0.2)
    clock.hear(at(last + 20))
    assert clock.limit_s == 60.0
    for n in range(300):
        clock.hear(at(last + 20 + n * 0.2))
    assert clock.limit_s == 3.0


@pytest.mark.parametrize(
    ("age_s", "distance", "due"),
    [
        (60.0, "0.30", False),
        (60.1, "0.30", True),
        (30.0, "0.05", False),
        (30.1, "0.05", True),
        (30.1, "0.0501", False),
        (30.1, "-0.01", True),
        (59.0, None, False),
    ],
)
def test_a_price_near_a_level_is_asked_for_sooner(
    age_s: float, distance: str | None, due: bool
) -> None:
    given_distance = None if distance is None else Decimal(distance)
    assert is_poll_due(age_s, given_distance, PollLimits()) is due


def test_a_position_is_checked_by_a_tick_or_by_a_sweep_that_has_it() -> None:
    deadman = Deadman()
    held = [(P1, NIFTY), (P2, BTC)]
    assert deadman.unchecked(held, at(0)) == ()
    deadman.sweep([P1], at(4))
    deadman.tick(BTC, at(5))
    assert deadman.unchecked(held, at(5.5)) == ((P1, 1.5),)
    deadman.sweep([P1], at(6))
    assert deadman.unchecked(held, at(10.5)) == ((P2, 5.5), (P1, 4.5))


def test_a_position_that_every_sweep_misses_is_found_while_others_tick() -> None:
    deadman = Deadman()
    held = [(P1, NIFTY), (P2, BTC)]
    deadman.unchecked(held, at(0))
    for n in range(1, 40):
        deadman.sweep([P2], at(n / 4))
        deadman.tick(BTC, at(n / 4))
    assert [position for position, _ in deadman.unchecked(held, at(10))] == [P1]


def test_a_new_position_is_not_late_from_the_start() -> None:
    deadman = Deadman()
    assert deadman.unchecked([(P1, NIFTY)], at(1000)) == ()
    assert deadman.unchecked([(P1, NIFTY)], at(1006)) == ((P1, 6.0),)


@given(st.integers(0, 1000), st.floats(0, 1, exclude_max=True))
def test_the_pause_before_a_reconnect_grows_and_stays_within_its_limits(
    attempt: int, jitter: float
) -> None:
    pause = backoff_s(attempt, jitter)
    assert 0.25 <= pause <= BACKOFF_MOST_S
    assert backoff_s(attempt + 1, jitter) >= pause
