"""Decision bars from ticks."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import price
from engine.domain.strategy import Moment
from engine.runtime.bars import NEVER, Bars

A, B = InstrumentId("A"), InstrumentId("B")
OPEN = Nanos(33_300 * SECOND)


def tick(
    at: float, last: str, instrument: InstrumentId = A, volume: int | None = None, oi: int = 0
) -> Tick:
    return Tick(
        instrument,
        price(last),
        Nanos(OPEN + int(at * SECOND)),
        None if volume is None else Decimal(volume),
        Decimal(oi) if oi else None,
    )


def fed(bars: Bars, *ticks: Tick, session: Nanos | None = OPEN) -> list[Moment]:
    moments: list[Moment] = []
    for item in ticks:
        if item.at >= bars.due:
            moments += bars.end(item.at)
        bars.add(item, session)
    return moments


def test_a_bar_holds_open_high_low_close_volume_and_the_last_oi() -> None:
    bars = Bars(300)
    assert fed(bars, tick(1, "10", volume=5, oi=7), tick(2, "12"), tick(3, "9", oi=8)) == []
    (moment,) = fed(bars, tick(300, "11"))
    bar = moment.closes[A].bar
    assert (bar.open, bar.high, bar.low, bar.close) == tuple(map(Decimal, ("10", "12", "9", "9")))
    assert (bar.volume, bar.oi, bar.seconds) == (Decimal(5), Decimal(8), 300)
    assert (moment.at, moment.ends) == (OPEN, OPEN + 300 * SECOND)


def test_intervals_are_half_open_a_tick_at_the_end_belongs_to_the_next_bar() -> None:
    bars = Bars(300)
    (moment,) = fed(bars, tick(0, "10"), tick(299.999, "20"), tick(300, "30"))
    assert moment.closes[A].bar.close == 20
    (after,) = bars.end(Nanos(OPEN + 600 * SECOND))
    assert after.closes[A].bar.open == 30


def test_bars_align_to_the_session_open_and_without_one_to_the_epoch() -> None:
    bars = Bars(420)
    fed(bars, tick(500, "10"))
    assert bars.due == OPEN + 840 * SECOND
    endless = Bars(420)
    fed(endless, tick(500, "10"), session=None)
    assert endless.due == (OPEN // SECOND + 500) // 420 * 420 * SECOND + 420 * SECOND


def test_all_bars_of_an_interval_end_together_and_a_silent_instrument_has_none() -> None:
    bars = Bars(300)
    fed(bars, tick(1, "10", B), tick(2, "20", A))
    (first,) = fed(bars, tick(301, "21", A))
    assert list(first.closes) == [A, B]
    (second,) = bars.end(Nanos(OPEN + 600 * SECOND))
    assert list(second.closes) == [A]


def test_a_hole_of_several_intervals_yields_no_empty_moments() -> None:
    bars = Bars(300)
    moments = fed(bars, tick(1, "10"), tick(2000, "11"), tick(2100, "12"))
    assert [moment.at for moment in moments] == [OPEN, OPEN + 1800 * SECOND]


def test_vwap_counts_since_the_session_open_and_restarts_with_the_next() -> None:
    bars = Bars(300)
    early = tick(-10, "1", volume=1000)
    (pre,) = fed(bars, early, tick(1, "10", volume=1), tick(2, "40", volume=2))
    assert pre.closes[A].vwap is None, "volume from before the open does not count"
    (first,) = bars.end(Nanos(OPEN + 300 * SECOND))
    assert first.closes[A].vwap == 30
    bars.add(tick(86400, "50", volume=1), Nanos(OPEN + 86400 * SECOND))
    (next_day,) = bars.end(NEVER)
    assert next_day.closes[A].vwap == 50
    assert next_day.closes[A].bar.oi is None


def test_without_volume_there_is_no_vwap() -> None:
    bars = Bars(300)
    fed(bars, tick(1, "10", volume=0))
    (moment,) = bars.end(NEVER)
    assert moment.closes[A].vwap is None


def test_a_tick_for_a_bar_that_was_handed_out_counts_in_vwap_and_is_told() -> None:
    bars = Bars(300)
    fed(bars, tick(1, "10", volume=1), tick(301, "11", B))
    bars.add(tick(299, "99", A, volume=1), OPEN)
    assert bars.late == 1
    bars.add(tick(302, "12", A, volume=0), OPEN)
    (moment,) = bars.end(NEVER)
    assert moment.closes[A].bar.high == 12
    assert moment.closes[A].vwap == Decimal("54.5")


def test_nothing_is_due_until_something_ticked() -> None:
    bars = Bars(60)
    assert bars.due == NEVER
    assert bars.end(Nanos(10**18)) == []


def test_a_bar_of_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 second"):
        Bars(0)


TICKS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 50), st.sampled_from([A, B]), st.integers(0, 3)),
    max_size=40,
).map(lambda rows: [tick(t, str(p), i, v, v) for t, p, i, v in sorted(rows, key=lambda r: r[0])])


@given(TICKS, st.integers(0, 40))
def test_restored_at_any_tick_the_bars_are_those_of_an_unbroken_run(
    ticks: list[Tick], cut: int
) -> None:
    whole, first = Bars(120), Bars(120)
    expected = fed(whole, *ticks) + whole.end(NEVER)
    before = fed(first, *ticks[:cut])
    second = Bars(120)
    second.restore(json.loads(json.dumps(first.memory())))
    assert before + fed(second, *ticks[cut:]) + second.end(NEVER) == expected
