"""Numbers, names and lines as text, without a terminal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import SECOND, InstrumentId
from engine.domain.instrument import Instrument, Kind
from engine.domain.money import Currency
from tui import formatting as fmt
from tui.sanitise import for_screen
from tui.widgets.chart import Level, chart
from tui.widgets.gauges import bar, meter, sparkline
from tui.widgets.line import line_cells, pushed_apart, titled_rule
from tui.widgets.lines import changed_cells

D = Decimal
SHARE = Instrument(InstrumentId("X"), Kind.EQUITY, Currency("INR"), D("0.05"))
COIN = Instrument(InstrumentId("Y"), Kind.LINEAR, Currency("USDT"), D("0.5"))
FINE = Instrument(InstrumentId("Z"), Kind.SPOT, Currency("USDT"), D("0.00001"))
WHOLE = Instrument(InstrumentId("W"), Kind.INDEX, Currency("INR"), D(1))


@pytest.mark.parametrize(
    ("value", "instrument", "text"),
    [
        ("2954.1", SHARE, "2,954.10"),
        ("97250.5", COIN, "97,250.50"),
        ("0.1", FINE, "0.10000"),
        ("25900", WHOLE, "25,900"),
        ("1.005", None, "1.00"),
        ("1.015", None, "1.02"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick_size(
    value: str, instrument: Instrument | None, text: str
) -> None:
    assert fmt.price(D(value), instrument) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("262.5", "+262.50"), ("-0.005", "0.00"), ("0", "0.00"), ("-1234567.891", "-1,234,567.89")],
)
def test_an_amount_always_carries_its_sign_and_zero_none(value: str, text: str) -> None:
    assert fmt.signed_money(D(value), "INR") == text


def test_coins_keep_eight_decimals() -> None:
    assert fmt.signed_money(D("-0.00012345"), "BTC") == "-0.00012345"


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "now"), (999_999_999, "now"), (SECOND, "1s"), (59 * SECOND, "59s"), (60 * SECOND, "1m"),
     (3600 * SECOND, "1h"), (86_400 * SECOND, "1d"), (-5, "now"), (10**9 * SECOND, "99d")],
)  # fmt: skip
def test_an_age_never_takes_more_than_three_characters(nanos: int, text: str) -> None:
    assert fmt.age(nanos) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("NIFTY25DEC25900PE", "NIFTY25DEC25900PUT"), ("NIFTY25DEC26000CE", "NIFTY25DEC26000CALL"),
     ("RELIANCE", "RELIANCE"), ("PRICE", "PRICE"), ("BTC-PERP", "BTC-PERP")],
)  # fmt: skip
def test_a_person_reads_call_and_put(name: str, text: str) -> None:
    assert fmt.symbol(InstrumentId(name)) == text
    assert fmt.symbols_in(f"BUY 75 {name} at") == f"BUY 75 {text} at"


@pytest.mark.parametrize(
    ("value", "text"), [("0.0150", "0.015"), ("1500", "1,500"), ("1E+3", "1,000")]
)
def test_a_quantity_shows_all_its_digits(value: str, text: str) -> None:
    assert fmt.quantity(D(value)) == text


@given(st.text(max_size=30), st.integers(0, 30))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    assert fmt.cells(fmt.fit(for_screen(text), width)) == width


def test_changed_cells_are_only_those_that_differ() -> None:
    old = (("AAPL  ", "text"), ("100.00", "text"), (" +5.00", "profit"))
    new = (("AAPL  ", "text"), ("100.05", "text"), (" +5.00", "profit"))
    assert changed_cells(old, new, 40) == (11, 12)
    new = (("AAPL  ", "text"), ("100.00", "text"), (" -5.00", "loss"))
    assert changed_cells(old, new, 40) == (12, 18)


def test_a_span_of_another_width_repaints_to_the_end() -> None:
    assert changed_cells((("ab", "text"), ("c", "text")), (("abc", "text"), ("c", "text")), 9) == (
        0,
        9,
    )


def test_the_right_end_is_never_cut() -> None:
    line = pushed_apart((("left side of it", "text"),), (("12:00", "text"),), 12)
    assert "".join(text for text, _ in line) == "left … 12:00"
    assert line_cells(line) == 12


@pytest.mark.parametrize("width", [1, 5, 10, 20, 80])
def test_a_titled_rule_is_as_wide_as_asked(width: int) -> None:
    assert line_cells(titled_rule("Positions 9", width, notes="by danger")) == width


def test_bars_sparks_and_meters_keep_their_width() -> None:
    assert len(bar(0.5, 10)) == 10
    assert bar(1.5, 4) == "████"
    assert len(sparkline([1, 2, 3], 8)) == 8
    assert sparkline([1, 2, 3], 8).strip() == "▁▅█"
    assert sum(len(text) for text, _ in meter(0.3, 10, "bar")) == 10


def test_a_chart_draws_levels_and_the_line_in_its_place() -> None:
    rows = chart([1.0, 2.0, 3.0], [Level(3.0, "high", "near-stop")], 30, 5, "profit")
    assert len(rows) == 5
    assert "high" in rows[0][-1][0]
    assert {line_cells(row) for row in rows} == {30}
