"""Exact amounts.

Units: a `Price` is quote currency per one unit of an instrument; a `Qty` is a count of
units (shares, contracts, coins), always positive; `Money` is an amount of one currency.
"""

from __future__ import annotations

from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Final, NewType

from engine.domain.errors import CurrencyMismatch, InvalidAmount
from engine.domain.records import dataclass

Price = NewType("Price", Decimal)
Qty = NewType("Qty", Decimal)
Currency = NewType("Currency", str)

EXACT: Final = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    traps=[InvalidOperation, DivisionByZero, Overflow, Inexact, FloatOperation],
)
"""Context for `decide` and `evolve`: rounding or a stray float raises instead of passing."""


class Exactly:
    """Computes under EXACT while it lasts: `localcontext(EXACT)` without a copy of the context."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = getcontext()
        setcontext(EXACT)

    def __exit__(self, *_: object) -> None:
        setcontext(self._before)


_ROUNDING: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
ZERO: Final = Decimal(0)
LEAST: Final = Decimal("1e-12")
"""The finest amount that is ever booked; divisions round to it, and what is left stays booked."""
LARGEST: Final = Decimal("1e15")
DIGITS_MAX: Final = 20
ORDINARY: Final = f"from 1e-12 to 1e15, of {DIGITS_MAX} digits at most"
"""What `is_ordinary` asks, in words."""


def price(value: str | int | Decimal) -> Price:
    """Return a finite, strictly positive price; floats are refused, their digits are wrong."""
    amount = _finite(value)
    if amount <= 0:
        raise InvalidAmount(f"price must be positive, was {amount}")
    return Price(amount)


def qty(value: str | int | Decimal) -> Qty:
    """Return a finite, strictly positive quantity."""
    amount = _finite(value)
    if amount <= 0:
        raise InvalidAmount(f"quantity must be positive, was {amount}")
    return Qty(amount)


def is_ordinary(value: Decimal) -> bool:
    """Return whether products and sums of a positive amount like `value` stay exact (EXACT)."""
    is_sized = value.is_finite() and LEAST <= value <= LARGEST
    return is_sized and len(value.as_tuple().digits) <= DIGITS_MAX


def rounded(value: Decimal, increment: Decimal) -> Decimal:
    """Round to a multiple of `increment`, half to even."""
    steps = _ROUNDING.divide(value, increment).to_integral_value(ROUND_HALF_EVEN)
    return _ROUNDING.multiply(steps, increment)


def rounded_down(value: Decimal, increment: Decimal) -> Decimal:
    """Round towards zero to a multiple of `increment`; for quantities, which never grow."""
    steps = _ROUNDING.divide(value, increment).to_integral_value(ROUND_DOWN)
    return _ROUNDING.multiply(steps, increment)


def quotient(part: Decimal, whole: Decimal, increment: Decimal = LEAST) -> Decimal:
    """Return `part / whole` rounded half-even to `increment`: the only way to divide money."""
    return rounded(_ROUNDING.divide(part, whole), increment)


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Return `part / whole` to six places: for showing and comparing, never for booking."""
    return quotient(part, whole, Decimal("0.000001"))


def plain(value: Decimal) -> str:
    """Return the shortest exact decimal text, without an exponent or trailing zeros."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _finite(value: str | int | Decimal) -> Decimal:
    if isinstance(value, (float, bool)):
        raise InvalidAmount(f"amounts are built from text, integers or Decimal, was {value!r}")
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidAmount(f"not a number: {value!r}") from None
    if not amount.is_finite():
        raise InvalidAmount(f"amount must be finite, was {amount}")
    return amount


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency; combining two currencies raises."""

    amount: Decimal
    currency: Currency

    def __add__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def _require_same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} with {other.currency}")
