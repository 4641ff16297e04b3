"""Whatever a feed says: what becomes a tick is a price, in order, and not from the future (T01)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.ids import Nanos
from engine.domain.market import Bar, Tick
from engine.domain.quality_book import AHEAD_S, QualityBook
from tests.builders import BTC, CATALOG, NIFTY, SECOND

START = 1_000_000 * SECOND
ANY = st.one_of(
    st.decimals(),
    st.decimals(min_value=0, max_value=100, places=2),
    st.floats(),
    st.text(max_size=3),
    st.none(),
)
TICK = st.builds(
    Tick,
    st.sampled_from([NIFTY, BTC]),
    ANY,
    st.integers(START - 10 * SECOND, START + 10 * SECOND),
    volume=ANY,
    oi=ANY,
    bid=ANY,
    ask=ANY,
)
BAR = st.builds(
    Bar, st.just(NIFTY), st.integers(START, START + SECOND), ANY, ANY, ANY, ANY, volume=ANY
)


def is_amount(value: object) -> bool:
    return value is None or (isinstance(value, Decimal) and value.is_finite() and value >= 0)


@settings(max_examples=100)
@given(st.lists(TICK, max_size=12))
def test_only_prices_pass_the_door(ticks: list[Tick]) -> None:
    book = QualityBook(CATALOG)
    newest: dict[str, int] = {}
    passed = 0
    for tick in ticks:
        if book.accept(tick, Nanos(START)) is not None:
            continue
        passed += 1
        assert isinstance(tick.price, Decimal)
        assert tick.price.is_finite()
        assert tick.price > 0
        assert all(map(is_amount, (tick.volume, tick.oi, tick.bid, tick.ask)))
        assert newest.get(tick.instrument, 0) <= tick.at <= START + AHEAD_S * SECOND
        newest[tick.instrument] = tick.at
    report = book.report(Nanos(START))
    assert sum(count for _, count in report.refused) == len(ticks) - passed
    assert sum(q.samples for q in report.instruments) == len(ticks)
    assert 0 <= report.score <= 100
    assert all(0 <= q.score <= 100 for q in report.instruments)


@settings(max_examples=100)
@given(BAR)
def test_only_bars_that_agree_with_themselves_pass_the_door(bar: Bar) -> None:
    if QualityBook(CATALOG).accept_bar(bar, Nanos(START + SECOND)) is None:
        assert 0 < bar.low <= bar.open <= bar.high
        assert bar.low <= bar.close <= bar.high
        assert bar.high.is_finite()
        assert is_amount(bar.volume)
