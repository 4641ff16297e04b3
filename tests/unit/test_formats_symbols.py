"""What a symbol says about its instrument."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.calendar import is_open
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.symbols import described, infer


def inferred(symbol: str) -> Instrument:
    instrument = infer(symbol)
    assert instrument is not None, symbol
    return instrument


@pytest.mark.parametrize(
    ("symbol", "underlying", "strike", "right", "expiry"),
    [
        ("NIFTY25DEC25900PE", "NIFTY", 25900, Right.PUT, "2025-12-30"),
        ("NIFTY25AUG24500CE", "NIFTY", 24500, Right.CALL, "2025-08-28"),
        ("NIFTY2620323300CE", "NIFTY", 23300, Right.CALL, "2026-02-03"),
        ("NIFTY2672124300CE", "NIFTY", 24300, Right.CALL, "2026-07-21"),
        ("BANKNIFTY25D3059000PE", "BANKNIFTY", 59000, Right.PUT, "2025-12-30"),
        ("BTC-26DEC25-90000-C", "BTC", 90000, Right.CALL, "2025-12-26"),
        ("BTC_USDC-26DEC25-90000-P", "BTC", 90000, Right.PUT, "2025-12-26"),
    ],
)
def test_an_option_symbol_tells_underlying_strike_right_and_expiry(
    symbol: str, underlying: str, strike: int, right: Right, expiry: str
) -> None:
    option = inferred(symbol)
    assert (option.kind, option.underlying, option.strike) == (
        Kind.OPTION,
        underlying,
        Decimal(strike),
    )
    assert (option.right, option.expiry) == (right, expiry)


@pytest.mark.parametrize(
    ("symbol", "kind", "currency", "multiplier"),
    [
        ("BTC-PERPETUAL", Kind.INVERSE, "BTC", 10),
        ("ETH-PERPETUAL", Kind.INVERSE, "ETH", 1),
        ("BTC_USDC-PERPETUAL", Kind.LINEAR, "USDC", 1),
        ("BTCUSDT-PERP", Kind.LINEAR, "USDT", 1),
        ("BTC-EUR", Kind.SPOT, "EUR", 1),
        ("AAPL", Kind.EQUITY, "USD", 1),
        ("NIFTY", Kind.INDEX, "INR", 1),
        ("BANKNIFTY", Kind.INDEX, "INR", 1),
        ("BTC-26DEC25-90000-C", Kind.OPTION, "BTC", 1),
    ],
)
def test_a_symbol_tells_kind_currency_and_multiplier(
    symbol: str, kind: Kind, currency: str, multiplier: int
) -> None:
    instrument = inferred(symbol)
    assert (instrument.kind, instrument.currency) == (kind, currency)
    assert instrument.multiplier == multiplier


def test_inferred_sessions_are_those_of_the_exchange() -> None:
    share, index = inferred("AAPL"), inferred("NIFTY")
    # 2026-01-28T14:30Z is 09:30 in New York and 20:00 in Kolkata.
    opening = Nanos(1_769_610_600_000_000_000)
    assert is_open(opening, share)
    assert not is_open(Nanos(opening - 1), share)
    assert not is_open(opening, index)
    assert is_open(opening, inferred("BTC-EUR"))


@pytest.mark.parametrize(
    "symbol",
    ["", "foo", "TOOLONG", "BTC-99DEC25-1-C", "NIFTY2623223300CE", "NIFTY25DEC0PE", "A B", "BTC-"],
)
def test_a_symbol_that_says_too_little_is_not_guessed(symbol: str) -> None:
    assert infer(symbol) is None


def test_what_was_inferred_is_said_in_one_line_without_exchange_codes() -> None:
    line = described(inferred("NIFTY25DEC25900PE"))
    assert "PUT 25900 to 2025-12-30" in line
    assert "NSE 09:15-15:30 Asia/Kolkata" in line
    assert "\n" not in line
