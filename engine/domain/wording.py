"""Figures and names in sentences: exact digits, CALL and PUT, no codes."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.money import plain
from engine.domain.order import ExitReason

_OPTION: Final = re.compile(r"(?<=\d)(CE|PE)$")
_OPTION_WORD: Final = re.compile(r"\b([A-Z]+\w*\d)(CE|PE)\b")
_ROUND: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_RIGHTS: Final = {"CE": "CALL", "PE": "PUT"}


def label(instrument: InstrumentId) -> str:
    """Return an instrument's name as a person reads it: CALL and PUT, never CE and PE."""
    return _OPTION.sub(lambda found: _RIGHTS[found[0]], instrument)


def labelled(text: str) -> str:
    """Return a sentence with the option names in it as a person reads them."""
    return _OPTION_WORD.sub(lambda found: f"{found[1]}{_RIGHTS[found[2]]}", text)


def number(value: Decimal) -> str:
    """Return all digits with thousands separators."""
    whole, _, rest = plain(value).partition(".")
    sign = "-" if whole.startswith("-") else ""
    grouped = f"{sign}{int(whole.lstrip('-')):,}"
    return f"{grouped}.{rest}" if rest else grouped


def price(value: Decimal) -> str:
    """Return a price with at least two decimals."""
    text = plain(value)
    _, dot, rest = text.partition(".")
    return text + ("" if len(rest) >= 2 else "0" * (2 - len(rest))) if dot else f"{text}.00"


def legible(value: Decimal, tick: Decimal) -> str:
    """Return a level for reading: two decimals finer than its ticks, never a tail of digits."""
    places = max(0, -int(tick.normalize().as_tuple().exponent)) + 2
    return price(value.quantize(Decimal(1).scaleb(-places), context=_ROUND))


def signed(value: Decimal) -> str:
    """Return a price or amount with its sign."""
    return f"{'+' if value > 0 else ''}{price(value)}"


def words(exit_: ExitReason) -> str:
    """Return why a position is closed, with a person's note."""
    code = exit_.code.replace("_", " ")
    return f"{code}: {exit_.note}" if exit_.note else code
