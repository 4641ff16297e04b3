"""Which samples become ticks, what each check counts, and what it costs (S-20 … S-23)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Bar, Tick
from engine.domain.money import Price
from engine.domain.quality import CHECKS, GATE, REFUSING, score_of
from engine.domain.quality_book import QualityBook
from tests.builders import BTC, CATALOG, INR, NIFTY, SECOND, tick

INDEX = Instrument(InstrumentId("NIFTY"), Kind.INDEX, INR)
START = 1_000_000 * SECOND


def book() -> QualityBook:
    return QualityBook({**CATALOG, INDEX.id: INDEX})


def feed(into: QualityBook, *ticks: Tick) -> list[str | None]:
    return [into.accept(each, each.at) for each in ticks]


def raw(value: object, at: int = START, **more: Decimal) -> Tick:
    return Tick(NIFTY, value, Nanos(at), **more)  # type: ignore[arg-type]


def counted(into: QualityBook, instrument: InstrumentId = NIFTY) -> dict[str, int]:
    report = into.report(Nanos(START))
    return dict(next(q for q in report.instruments if q.instrument == instrument).counts)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        (raw(Decimal("NaN")), "price_invalid"),
        (raw(Decimal("sNaN")), "price_invalid"),
        (raw(Decimal("Infinity")), "price_invalid"),
        (raw(Decimal(0)), "price_invalid"),
        (raw(Decimal(-1)), "price_invalid"),
        (raw("30.05"), "price_invalid"),
        (raw(30.05), "price_invalid"),
        (raw(None), "price_invalid"),
        (raw(Decimal(30), volume=Decimal("NaN")), "unreadable"),
        (raw(Decimal(30), volume=Decimal(-1)), "volume_invalid"),
        (raw(Decimal(30), oi=Decimal(-1)), "oi_invalid"),
        (raw(Decimal(30), bid=Decimal("Infinity")), "book_invalid"),
        (raw(Decimal(30), at=START + 6 * SECOND), "future"),
        (Tick(InstrumentId("GHOST"), Price(Decimal(1)), Nanos(START)), "unknown_instrument"),
    ],
)
def test_what_cannot_be_a_price_never_becomes_a_tick(sample: Tick, reason: str) -> None:
    judge = book()
    assert judge.accept(sample, Nanos(START)) == reason
    assert judge.refused == {reason: 1}
    assert judge.quarantine[-1].sample.check == reason


def test_an_older_tick_of_the_same_instrument_is_refused_and_of_another_is_not() -> None:
    judge = book()
    later, earlier = tick("30", START + SECOND), tick("29", START)
    assert feed(judge, later, earlier) == [None, "out_of_order"]
    assert judge.accept(tick("60000", START, BTC), Nanos(START + SECOND)) is None
    assert judge.accept(tick("31", START + SECOND), Nanos(START + SECOND)) is None


def test_a_refused_tick_changes_nothing_that_later_ticks_are_compared_with() -> None:
    judge = book()
    feed(judge, tick("30", START))
    assert judge.accept(tick("31", START + 9 * SECOND), Nanos(START)) == "future"
    assert judge.accept(tick("30.5", START + SECOND), Nanos(START + SECOND)) is None


def test_a_gap_through_everything_is_counted_and_still_becomes_a_tick() -> None:
    judge = book()
    for n in range(100):
        last = "30.05" if n % 2 else "30.00"
        assert judge.accept(tick(last, START + n * SECOND), Nanos(START + n * SECOND)) is None
    at = Nanos(START + 100 * SECOND)
    assert judge.accept(tick("20.00", at), at) is None
    assert counted(judge) == {"price_jump": 1}
    assert judge.score(NIFTY) > GATE


def test_moves_of_the_usual_size_are_no_jumps() -> None:
    judge = book()
    for n in range(400):
        price = 100 + (n * 7919 % 13) / 10
        feed(judge, tick(f"{price:.2f}", START + n * SECOND))
    assert counted(judge) == {}


def test_a_move_after_a_night_is_not_judged() -> None:
    judge = book()
    for n in range(100):
        feed(judge, tick("30.05" if n % 2 else "30.00", START + n * SECOND))
    feed(judge, tick("20", START + 3600 * SECOND))
    assert "price_jump" not in counted(judge)


def test_a_crossed_book_is_counted_and_a_locked_or_one_sided_one_is_not() -> None:
    judge = book()
    crossed = raw(Decimal(30), bid=Decimal(31), ask=Decimal(30))
    locked = raw(Decimal(30), START + 1, bid=Decimal(30), ask=Decimal(30))
    no_ask = raw(Decimal(30), START + 2, bid=Decimal(30), ask=Decimal(0))
    assert feed(judge, crossed, locked, no_ask) == [None, None, None]
    assert counted(judge)["crossed_book"] == 1


def test_a_tick_slightly_ahead_of_our_clock_is_skew() -> None:
    judge = book()
    assert judge.accept(tick("30", START + SECOND), Nanos(START)) is None
    assert counted(judge) == {"clock_skew": 1}
    assert judge.take_delay() == -SECOND
    assert judge.take_delay() is None


def test_an_index_that_stands_still_is_frozen_and_a_quiet_option_is_not() -> None:
    judge = book()
    for n in range(600):
        at = START + n * SECOND
        feed(judge, tick("25900", at, INDEX.id), tick("300", at))
    assert counted(judge, INDEX.id)["frozen_price"] == 5
    assert "frozen_price" not in counted(judge)


def test_a_price_that_stands_still_while_others_trade_is_frozen() -> None:
    judge = book()
    for n in range(400):
        feed(judge, tick("300", START + n * SECOND, volume="75"))
    assert counted(judge) == {"frozen_price": 2}


def test_a_worthless_option_may_trade_at_the_least_price_all_day() -> None:
    judge = book()
    for n in range(2000):
        feed(judge, tick("0.05", START + n * SECOND, volume="75"))
    assert counted(judge) == {}


def test_an_instrument_that_never_trades_stays_above_the_gate() -> None:
    """Deep strikes print one price all day, with no volume, sometimes the same line twice."""
    judge = book()
    for n in range(1000):
        same = tick("30", START + n * SECOND, volume="0", oi="100")
        feed(judge, same, same)
        assert judge.score(NIFTY) >= GATE
    assert set(counted(judge)) == {"zero_volume", "duplicate"}


def test_no_mix_of_what_illiquid_instruments_do_shuts_the_default_gate() -> None:
    natural = ("zero_volume", "duplicate", "missing_bars", "frozen_price")
    assert score_of(dict.fromkeys(natural, 10_000), 10_000) >= GATE


def test_one_bad_price_costs_points_and_many_shut_the_gate_until_the_window_has_passed() -> None:
    judge = book()
    feed(judge, tick("30", START))
    judge.accept(raw(Decimal("NaN"), START), Nanos(START))
    assert GATE < judge.score(NIFTY) < 100
    for _ in range(5):
        judge.accept(raw(Decimal("NaN"), START), Nanos(START))
    assert judge.score(NIFTY) < GATE
    bad = judge.report(Nanos(START)).instruments[0]
    assert bad.last_bad is not None
    assert bad.last_bad.check == "price_invalid"
    later = judge.report(Nanos(START + 301 * SECOND)).instruments[0]
    assert later.score == 100.0
    assert later.trend > 40
    assert dict(later.counts) == {"price_invalid": 6}


def bar(at_s: int, *prices: str, volume: str | None = "10", instrument: InstrumentId = BTC) -> Bar:
    low, high, opened, closed = (Price(Decimal(p)) for p in prices)
    size = None if volume is None else Decimal(volume)
    return Bar(instrument, Nanos(START + at_s * SECOND), opened, high, low, closed, size)


@pytest.mark.parametrize(
    ("prices", "reason"),
    [
        (("9", "11", "10", "10"), None),
        (("10", "10", "10", "10"), None),
        (("10.5", "11", "10", "10.6"), "ohlc"),
        (("9", "11", "10", "12"), "ohlc"),
        (("11", "9", "10", "10"), "ohlc"),
        (("0", "11", "10", "10"), "price_invalid"),
        (("9", "NaN", "10", "10"), "price_invalid"),
        (("9", "11", "NaN", "10"), "price_invalid"),
    ],
)
def test_a_bar_must_not_contradict_itself(prices: tuple[str, ...], reason: str | None) -> None:
    sample = bar(0, *prices)
    assert book().accept_bar(sample, sample.at) == reason


def test_missing_and_repeated_bars_are_counted() -> None:
    judge = book()
    flat = ("9", "11", "10", "10")
    for at_s in (0, 60, 240, 240):
        judge.accept_bar(bar(at_s, *flat), Nanos(START + at_s * SECOND))
    assert counted(judge, BTC) == {"duplicate": 1, "missing_bars": 2}
    assert judge.accept_bar(bar(180, *flat), Nanos(START + 300 * SECOND)) == "out_of_order"


def test_the_nights_bars_are_not_missing() -> None:
    equity = Instrument(
        InstrumentId("SPY"), Kind.EQUITY, INR, session_open="09:30", session_close="16:00"
    )
    judge = QualityBook({equity.id: equity})
    day = 86_400 * SECOND
    close, opens = Nanos(100 * day + 57_540 * SECOND), Nanos(101 * day + 34_200 * SECOND)
    for at in (close, opens):
        sample = bar(0, "9", "11", "10", "10", instrument=equity.id)
        sample.at = at
        judge.accept_bar(sample, at)
    assert counted(judge, equity.id) == {}


def test_refusals_of_a_reader_count_against_their_instrument_or_the_feed() -> None:
    judge = book()
    feed(judge, *(tick("30", START + n) for n in range(30)))
    judge.refuse("price_not_a_number", NIFTY, "price='x'", Nanos(START))
    judge.refuse("row_too_short", "", "1,2", Nanos(START))
    report = judge.report(Nanos(START))
    assert dict(report.refused) == {"price_not_a_number": 1, "row_too_short": 1}
    assert report.instruments[0].score < 100
    assert report.score < report.instruments[0].score


def test_a_held_instrument_weighs_more_in_the_overall_score() -> None:
    judge = book()
    feed(judge, tick("60000", START, BTC), tick("30", START))
    judge.accept(raw(Decimal(0)), Nanos(START))
    free = judge.report(Nanos(START)).score
    assert judge.report(Nanos(START), held={NIFTY}).score < free
    assert judge.report(Nanos(START), held={BTC}).score > free


def test_every_refusing_check_has_its_own_points() -> None:
    assert set(CHECKS) > REFUSING


def test_a_report_follows_every_sample_refusal_and_passing_minute() -> None:
    judge = book()
    feed(judge, tick("30", START, volume="0"))
    before = judge.report(Nanos(START))
    assert judge.report(Nanos(START)) == before
    feed(judge, tick("30", START, volume="0"))
    assert counted(judge)["duplicate"] == 1
    judge.refuse("row_too_short", NIFTY, "1,2", Nanos(START))
    bad = judge.report(Nanos(START)).instruments[0]
    assert bad.last_bad is not None
    assert bad.last_bad.check == "row_too_short"
    assert judge.report(Nanos(START + 301 * SECOND)).instruments[0].samples == 0
