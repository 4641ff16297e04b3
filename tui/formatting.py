"""The one place that turns numbers, times and names into text. No markup, stable widths."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

from engine.domain.calendar import local
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.order import Side
from tui.sanitise import for_screen

NOTHING: Final = "–"
"""Shown where there is no value; never a zero that could be read as one."""

_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_OPTION: Final = re.compile(r"(?<=\d)(CE|PE)$")
_OPTION_WORD: Final = re.compile(r"\b([A-Z]+\w*\d)(CE|PE)\b")
_RIGHTS: Final = {"CE": "CALL", "PE": "PUT"}
_CENT_CURRENCIES: Final = frozenset(
    {"INR", "USD", "EUR", "GBP", "CHF", "USDT", "USDC", "AUD", "CAD", "SGD"}
)


@lru_cache(maxsize=4096)
def symbol(instrument: InstrumentId) -> str:
    """Return an instrument's name as a person reads it: never CE or PE, but CALL and PUT."""
    clean = for_screen(instrument, 40)
    return _OPTION.sub(lambda match: _RIGHTS[match[0]], clean)


@lru_cache(maxsize=1024)
def places(increment: Decimal) -> int:
    """Return how many decimals a multiple of `increment` needs."""
    exponent = increment.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def number(value: Decimal, decimals: int) -> str:
    """Return `value` with thousands separators and exactly `decimals` decimals."""
    return f"{value.quantize(Decimal(1).scaleb(-decimals), context=_CONTEXT):,f}"


def price(value: Decimal, instrument: Instrument | None) -> str:
    """Return a price with the decimals of the instrument's tick size."""
    decimals = places(instrument.tick_size) if instrument is not None else 2
    return number(value, max(decimals, 2) if decimals else 0)


def money_places(currency: str) -> int:
    """Return the decimals of an amount: 2, or 8 for a coin."""
    return 2 if currency in _CENT_CURRENCIES else 8


def money(value: Decimal, currency: str) -> str:
    """Return an amount of `currency`, without its name."""
    return number(value, money_places(currency))


def signed_money(value: Decimal, currency: str) -> str:
    """Return an amount with its sign, also when it is a gain."""
    return signed(value, money_places(currency))


def signed(value: Decimal, decimals: int = 2) -> str:
    """Return a number with an explicit sign; zero has none."""
    text = number(value, decimals)
    if text.startswith("-"):
        return text if text.strip("-0.,") else text[1:]
    return f"+{text}" if text.strip("0.,") else text


def percent(ratio: Decimal | float, decimals: int = 2) -> str:
    """Return a ratio (0.25) as a percentage with its sign (+25.00%)."""
    return signed(Decimal(ratio) * 100, decimals) + "%"


def unsigned_percent(ratio: Decimal | float, decimals: int = 2) -> str:
    """Return a distance (0.4889) as 48.89%; only a passed level carries a minus."""
    return number(Decimal(ratio) * 100, decimals) + "%"


def quantity(value: Decimal) -> str:
    """Return a quantity: whole or fractional, all its digits, with separators."""
    whole, _, rest = f"{value:,f}".partition(".")
    rest = rest.rstrip("0")
    return f"{whole}.{rest}" if rest else whole


def age(nanos: int) -> str:
    """Return how old something is in at most three characters, in steps that calm the screen."""
    seconds = max(0, nanos) // SECOND
    if seconds < 1:
        return "now"
    for size, unit in ((60, "s"), (60, "m"), (24, "h")):
        if seconds < size:
            return f"{seconds}{unit}"
        seconds //= size
    return f"{min(seconds, 99)}d"


def duration(nanos: int) -> str:
    """Return a length of time: 42s, 3m05s, 1h42m, 2d03h."""
    seconds = max(0, nanos) // SECOND
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02}h"
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"


def span(nanos: int) -> str:
    """Return a length of time that grows on screen: 42s, 3m, 1h42m; a row of it rests a minute."""
    text = duration(nanos)
    return f"{text.partition('m')[0]}m" if text[-1] == "s" and "m" in text else text


@lru_cache(maxsize=256)
def _moment(second: int, time_zone: str) -> datetime:
    return local(Nanos(second * SECOND), time_zone)


def clock(at: Nanos, time_zone: str) -> str:
    """Return the wall-clock time in an exchange's zone."""
    return f"{_moment(at // SECOND, time_zone):%H:%M:%S}"


def clock_zone(at: Nanos, time_zone: str) -> str:
    """Return the wall-clock time with its zone's short name."""
    return f"{_moment(at // SECOND, time_zone):%H:%M:%S %Z}"


def day(at: Nanos, time_zone: str) -> str:
    """Return the exchange-local date."""
    return f"{_moment(at // SECOND, time_zone):%Y-%m-%d}"


def precise_clock(at: Nanos, time_zone: str) -> str:
    """Return the wall-clock time to the millisecond."""
    return f"{clock(at, time_zone)}.{at % SECOND // 1_000_000:03}"


def standing(side: Side) -> str:
    """Return LONG or SHORT."""
    return side.standing.upper()


def words(code: str) -> str:
    """Return a code such as `trailing_stop_hit` as words."""
    return for_screen(code, 60).replace("_", " ")


_RULES: Final = {"take_profit": "target", "initial": "stop", "oi": "OI", "vwap": "VWAP"}


def rule(code: str) -> str:
    """Return an exit rule's name; one that was never heard of is shown as it is."""
    return _RULES.get(code) or words(code)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    size = len(text) if text.isascii() else cell_len(text)
    if size > width:
        return f"{set_cell_size(text, width - 1)}…"
    pad = " " * (width - size)
    return pad + text if right else text + pad


def cells(text: str) -> int:
    """Return how many columns `text` takes on screen."""
    return len(text) if text.isascii() else cell_len(text)


def symbols_in(text: str) -> str:
    """Return a sentence with option names as a person reads them (no CE, no PE)."""
    return _OPTION_WORD.sub(lambda match: f"{match[1]}{_RIGHTS[match[2]]}", text)
