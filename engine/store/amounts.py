"""Amounts in tables: a number where it is exact, decimal text where it would not be.

A decimal of at most 15 digits comes back from a double digit by digit (IEEE 754: DBL_DIG is 15),
so it is stored as a REAL and compares and sorts in SQL. Anything longer stays text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeAlias

from engine.domain.money import plain

Stored: TypeAlias = float | str
"""What a column for an amount holds. A person may have typed an integer or a text."""

_EXACT: Final = 15


def stored(amount: Decimal) -> Stored:
    """Return what is stored for `amount`; equal amounts are stored equally."""
    text = str(amount)
    if len(text) <= _EXACT:
        return float(text) or 0.0  # no negative zero
    text = plain(amount)
    return float(text) if len(text) <= _EXACT else text


def text_of(value: object) -> str:
    """Return the canonical decimal text of what is stored: no exponent, no trailing zeros."""
    return plain(Decimal(repr(value))) if isinstance(value, float) else str(value)
