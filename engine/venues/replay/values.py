"""Text from a file into instants and exact numbers, or a refusal with its reason.

Both readers remember what they have read: the second of a time and a price repeat all day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from engine.domain.ids import SECOND, Nanos
from engine.venues.refusals import RowRefused, excerpt

TIME_ALLOWED: Final = (
    "ISO-8601 with offset (2026-01-30T09:15:00+05:30) or epoch s, ms, us or ns, 1990 to 2100"
)
_EARLIEST: Final = 631_152_000 * SECOND
_LATEST: Final = 4_102_444_800 * SECOND
_REMEMBERED: Final = 1 << 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?(Z|z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_EPOCH_TEXT = re.compile(r"(\d{1,19})(?:\.(\d{1,9})\d*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NOT_FINITE = frozenset({"nan", "inf", "+inf", "-inf", "infinity", "-infinity", "+infinity"})

_DIGITS_MAX: Final = 20
"""Sums of price x volume stay exact in the domain's 60-digit context with room to spare."""
_LARGEST: Final = Decimal("1e15")
_SMALLEST: Final = Decimal("1e-12")


class Times:
    """Reads instants; one per file, since the offset seldom changes within it."""

    def __init__(self) -> None:
        self._seconds: dict[str, int] = {}

    def read(self, text: str) -> Nanos:
        """Return the instant that `text` names; raise RowRefused if there is none."""
        # 2026-01-30T09:15:00.123+05:30: the text but for the fraction repeats within a second.
        if text[19:20] == ".":
            cut = 23 if text[23:24] in _AFTER_FRACTION else 20
            while text[cut : cut + 1].isdigit():
                cut += 1
            second = self._seconds.get(text[:19] + text[cut:])
            digits = text[20:cut]
            if second is not None and cut <= 29 and digits.isdigit() and digits.isascii():
                return Nanos(second + int(digits) * _SCALE[cut - 20])
        else:
            second = self._seconds.get(text)
            if second is not None:
                return Nanos(second)
        return self._parsed(text)

    def _parsed(self, text: str) -> Nanos:
        found = _ISO.fullmatch(text.strip())
        if found is None:
            return _epoch(text)
        moment, fraction, offset = found.groups()
        if offset is None:
            raise _time_refused("time_without_offset", text)
        try:
            instant = datetime.fromisoformat(moment + offset.upper())
        except ValueError:
            raise _time_refused("time_unreadable", text) from None
        second = (instant - _EPOCH) // timedelta(seconds=1) * SECOND
        at = _in_range(second + int((fraction or "").ljust(9, "0")), text)
        if len(moment) == 19:
            if len(self._seconds) >= _REMEMBERED:
                self._seconds.clear()
            self._seconds[moment + offset] = second
        return at


_AFTER_FRACTION: Final = frozenset("+-Z")
_SCALE: Final = tuple(10 ** (9 - digits) for digits in range(10))


def _epoch(text: str) -> Nanos:
    found = _EPOCH_TEXT.fullmatch(text.strip())
    if found is None:
        raise _time_refused("time_unreadable", text)
    whole = int(found[1])
    unit = _unit(whole)
    fraction = int((found[2] or "").ljust(9, "0")) * unit // SECOND
    return _in_range(whole * unit + fraction, text)


def _unit(whole: int) -> int:
    """Return nanoseconds per unit of an epoch time, told from its size (1973 to 5138)."""
    if whole < 100_000_000_000:
        return SECOND
    if whole < 100_000_000_000_000:
        return 1_000_000
    return 1_000 if whole < 100_000_000_000_000_000 else 1


def _in_range(at: int, text: str) -> Nanos:
    if not _EARLIEST <= at < _LATEST:
        raise _time_refused("time_out_of_range", text)
    return Nanos(at)


def _time_refused(reason: str, text: str) -> RowRefused:
    return RowRefused(reason, "time", excerpt(text), TIME_ALLOWED)


class Numbers:
    """Reads the numbers of one column: above zero, or not below it."""

    def __init__(self, column: str, *, zero: bool) -> None:
        self.column = column
        self.known: dict[str, Decimal] = {}
        """Texts read before; look here first, it saves two calls in three."""
        self._zero = zero

    def read(self, text: str) -> Decimal:
        """Return the number that `text` is; raise RowRefused with the reason if it is none."""
        value = self.known.get(text)
        if value is None:
            value = self._parsed(text.strip())
            if len(self.known) >= _REMEMBERED:
                self.known.clear()
            self.known[text] = value
        return value

    def _parsed(self, text: str) -> Decimal:
        if text.lower() in _NOT_FINITE:
            raise self._refused("not_finite", text)
        if _NUMBER.fullmatch(text) is None:
            raise self._refused("missing" if not text else "not_a_number", text)
        value = Decimal(text)
        if value < 0:
            raise self._refused("negative", text)
        if value == 0:
            if self._zero:
                return Decimal(0)
            raise self._refused("zero", text)
        if not _SMALLEST <= value <= _LARGEST or len(value.as_tuple().digits) > _DIGITS_MAX:
            raise self._refused("out_of_range", text)
        return value

    def _refused(self, what: str, text: str) -> RowRefused:
        least = "0 or more" if self._zero else "above 0"
        allowed = f"a number {least}, up to 1e15 and {_DIGITS_MAX} digits"
        return RowRefused(f"{self.column}_{what}", self.column, excerpt(text), allowed)
