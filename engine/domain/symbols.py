"""What a symbol says about its instrument, for instruments that no file describes.

Only forms whose terms follow from the symbol are inferred; everything else is None and the caller
asks for an instruments file. What a symbol cannot say (an exchange's lot size, a holiday that
moves an expiry) takes the most permissive value, and `described` puts all of it into one line.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.money import Currency, plain
from engine.domain.records import dataclass

FORMS: Final = (
    "NIFTY, NIFTY25DEC25900PE, NIFTY2620323300CE, BTC-PERPETUAL, BTC_USDC-PERPETUAL, "
    "BTCUSDT-PERP, BTC-26DEC25-90000-C, BTC-EUR, AAPL"
)
"""Examples of every inferred form, for messages."""

_MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)
_WEEKLY_MONTHS: Final = "123456789OND"
_RIGHTS: Final = {"CE": Right.CALL, "PE": Right.PUT, "C": Right.CALL, "P": Right.PUT}
_NSE: Final = frozenset({"NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50"})
_BSE: Final = frozenset({"SENSEX", "BANKEX"})
_TUESDAYS_FROM: Final = date(2025, 9, 1)
"""NSE moved monthly expiries from the last Thursday to the last Tuesday."""
_CRYPTO_LOT: Final = Decimal("0.0001")
"""Coins trade in fractions; one whole coin as the least lot would refuse every ordinary order."""
_FINE_TICK: Final = Decimal("0.000001")

_MONTHLY = re.compile(rf"([A-Z&]+)(\d\d)({'|'.join(_MONTHS)})(\d+(?:\.\d+)?)(CE|PE)")
_WEEKLY = re.compile(r"([A-Z&]+)(\d\d)([1-9OND])(\d\d)(\d+(?:\.\d+)?)(CE|PE)")
_PERPETUAL = re.compile(r"([A-Z0-9]{2,10})-PERPETUAL")
_LINEAR = re.compile(r"([A-Z0-9]{2,10})_(USDC|USDT|EURR)-PERPETUAL")
_PERP = re.compile(r"([A-Z0-9]{2,12}?)(USDT|USDC|USD|EUR)-PERP")
_OPTION = re.compile(
    rf"([A-Z0-9]{{2,10}})(?:_(USDC|USDT))?-(\d\d?)({'|'.join(_MONTHS)})(\d\d)-(\d+(?:d\d+)?)-([CP])"
)
_SPOT = re.compile(r"([A-Z0-9]{2,10})-(EUR|USD|USDC|USDT|GBP|BTC|ETH)")
_EQUITY = re.compile(r"[A-Z]{1,5}(?:[.][A-Z])?")


@dataclass(frozen=True, slots=True)
class _Session:
    calendar: str
    time_zone: str
    opens: str
    closes: str


_INDIA: Final = ("Asia/Kolkata", "09:15", "15:30")
_NEW_YORK: Final = _Session("NYSE", "America/New_York", "09:30", "16:00")


def infer(symbol: str) -> Instrument | None:
    """Return the terms that `symbol` itself tells; None when it does not say enough."""
    for form, build in _FORMS:
        found = form.fullmatch(symbol)
        if found is None:
            continue
        instrument = build(found)
        if instrument is not None:
            return instrument
    return None


def described(instrument: Instrument) -> str:
    """Return one line that says what was inferred, for the log."""
    parts = [instrument.kind.value]
    if instrument.right is not None and instrument.strike is not None:
        parts.append(f"{instrument.right.value} {plain(instrument.strike)} to {instrument.expiry}")
    parts.append(str(instrument.currency))
    parts.append(f"tick {plain(instrument.tick_size)}, lot {plain(instrument.lot_size)}")
    if instrument.multiplier != 1:
        parts.append(f"multiplier {plain(instrument.multiplier)}")
    if instrument.session_open is None:
        parts.append("24/7")
    else:
        hours = f"{instrument.session_open}-{instrument.session_close}"
        parts.append(f"{instrument.calendar} {hours} {instrument.time_zone}")
    return f"{instrument.id}: terms inferred from the symbol: {', '.join(parts)}"


def _indian(underlying: str) -> _Session:
    return _Session("BSE" if underlying in _BSE else "NSE", *_INDIA)


def _index(found: re.Match[str]) -> Instrument | None:
    symbol = found[0]
    if symbol not in _NSE | _BSE:
        return None
    return _in_session(
        _indian(symbol), InstrumentId(symbol), Kind.INDEX, "INR", tick_size=Decimal("0.05")
    )


def _monthly(found: re.Match[str]) -> Instrument | None:
    underlying, year, month, strike, right = found.groups()
    expiry = _month_expiry(2000 + int(year), _MONTHS.index(month) + 1)
    return _indian_option(found[0], underlying, expiry, strike, right)


def _weekly(found: re.Match[str]) -> Instrument | None:
    underlying, year, month, day, strike, right = found.groups()
    try:
        expiry = date(2000 + int(year), _WEEKLY_MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None
    return _indian_option(found[0], underlying, expiry, strike, right)


def _indian_option(
    symbol: str, underlying: str, expiry: date, strike: str, right: str
) -> Instrument | None:
    if Decimal(strike) <= 0:
        return None
    return _in_session(
        _indian(underlying),
        InstrumentId(symbol),
        Kind.OPTION,
        "INR",
        tick_size=Decimal("0.05"),
        underlying=InstrumentId(underlying),
        strike=Decimal(strike),
        right=_RIGHTS[right],
        expiry=expiry.isoformat(),
    )


def _month_expiry(year: int, month: int) -> date:
    """Return the last Tuesday (before September 2025: Thursday) of the month."""
    last = date(year, month, monthrange(year, month)[1])
    weekday = 1 if last >= _TUESDAYS_FROM else 3
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _inverse(found: re.Match[str]) -> Instrument | None:
    coin = found[1]
    return Instrument(
        InstrumentId(found[0]),
        Kind.INVERSE,
        Currency(coin),
        tick_size=Decimal("0.5") if coin == "BTC" else Decimal("0.01"),
        # Deribit: a BTC contract is 10 USD, of any other coin 1 USD.
        multiplier=Decimal(10) if coin == "BTC" else Decimal(1),
        underlying=InstrumentId(coin),
    )


def _linear(found: re.Match[str]) -> Instrument | None:
    coin, quote = found.groups()
    return Instrument(
        InstrumentId(found[0]),
        Kind.LINEAR,
        Currency(quote),
        tick_size=_coin_tick(coin, "0.1"),
        lot_size=_CRYPTO_LOT,
        underlying=InstrumentId(coin),
    )


def _coin_option(found: re.Match[str]) -> Instrument | None:
    coin, quote, day, month, year, strike, right = found.groups()
    try:
        expiry = date(2000 + int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError:
        return None
    if Decimal(strike.replace("d", ".")) <= 0:
        return None
    return Instrument(
        InstrumentId(found[0]),
        Kind.OPTION,
        Currency(quote or coin),
        tick_size=Decimal("0.01") if quote else Decimal("0.0001"),
        underlying=InstrumentId(coin),
        strike=Decimal(strike.replace("d", ".")),
        right=_RIGHTS[right],
        expiry=expiry.isoformat(),
    )


def _spot(found: re.Match[str]) -> Instrument | None:
    coin, quote = found.groups()
    return Instrument(
        InstrumentId(found[0]),
        Kind.SPOT,
        Currency(quote),
        tick_size=_coin_tick(coin, "0.01"),
        lot_size=_CRYPTO_LOT,
        underlying=InstrumentId(coin),
    )


def _equity(found: re.Match[str]) -> Instrument | None:
    return _in_session(_NEW_YORK, InstrumentId(found[0]), Kind.EQUITY, "USD")


def _coin_tick(coin: str, known: str) -> Decimal:
    """Return a tick that refuses no ordinary price: cheap coins are quoted in millionths."""
    return Decimal(known) if coin in {"BTC", "ETH"} else _FINE_TICK


def _in_session(
    session: _Session,
    symbol: InstrumentId,
    kind: Kind,
    currency: str,
    *,
    tick_size: Decimal = Decimal("0.01"),
    underlying: InstrumentId | None = None,
    strike: Decimal | None = None,
    right: Right | None = None,
    expiry: str | None = None,
) -> Instrument:
    return Instrument(
        symbol,
        kind,
        Currency(currency),
        tick_size=tick_size,
        underlying=underlying,
        strike=strike,
        right=right,
        expiry=expiry,
        calendar=session.calendar,
        time_zone=session.time_zone,
        session_open=session.opens,
        session_close=session.closes,
    )


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Instrument | None]], ...]] = (
    (re.compile(r"[A-Z0-9]+"), _index),
    (_MONTHLY, _monthly),
    (_WEEKLY, _weekly),
    (_LINEAR, _linear),
    (_PERPETUAL, _inverse),
    (_PERP, _linear),
    (_OPTION, _coin_option),
    (_SPOT, _spot),
    (_EQUITY, _equity),
)
"""Tried in this order; an option's symbol would also read as something else further down."""
