"""Signals as JSON lines (interfaces.md): from a file, a watched file, or standard input.

{"time", "symbol", "side": "buy"|"sell", "qty"?, "confidence"?, "reason"?, "stop_loss"?,
 "take_profit"?, "id"?}

Numbers become exact decimals from their text, never by way of a binary float. A file named on the
command line is all or nothing: `read_signals` raises at the first bad line. A live source goes on:
`SignalLines` counts a bad line, keeps its message, and skips it.
"""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.money import ORDINARY, Price, Qty, is_ordinary
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.ports.clock import Clock

FIELDS: Final = (
    "time",
    "symbol",
    "side",
    "qty",
    "confidence",
    "reason",
    "stop_loss",
    "take_profit",
    "id",
)
LINE_MAX: Final = 64 * 1024
"""Characters; a longer line is refused unread."""
_DIGITS: Final = 28
_UNITS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3), (10**20, 1))
"""An epoch below the first figure is in a unit of so many nanoseconds: s, ms, µs, ns."""


class SignalFormatError(ValueError):
    """A line is not a signal; the message names place, field, value and what is allowed."""


def read_signals(path: Path) -> list[Signal]:
    """Return the signals of a file in its order; raises SignalFormatError naming the bad line."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SignalFormatError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SignalFormatError(f"{path}: not UTF-8 text (byte {error.start})") from None
    lines = enumerate(text.splitlines(), 1)
    return [
        parse_signal(line, source=str(path), number=number)
        for number, line in lines
        if line.strip()
    ]


def parse_signal(line: str, source: str, number: int) -> Signal:
    """Return the signal on `line`; `source` and `number` say where it stands."""
    return _Line(f"{source} line {number}", f"{Path(source).name}:{number}").signal(line)


class SignalLines:
    """A live source: feed it text as it comes, take signals; a bad line is counted and skipped."""

    def __init__(self, source: str, on_bad: Callable[[str], None] | None = None) -> None:
        self._source = source
        self._on_bad = on_bad
        self._rest = ""
        self._number = 0
        self._skips = False
        self.bad = 0
        self.last_bad = ""

    def feed(self, text: str) -> list[Signal]:
        """Return the signals on the lines that `text` completes."""
        *lines, self._rest = (self._rest + text).split("\n")
        found = list(self._parsed(lines))
        if len(self._rest) > LINE_MAX:
            self._rest, self._skips = "", True
        return found

    def finish(self) -> list[Signal]:
        """Return the signal on a last line without an end; the source is over."""
        rest, self._rest = self._rest, ""
        return list(self._parsed([rest]))

    def _parsed(self, lines: list[str]) -> Iterator[Signal]:
        for line in lines:
            self._number += 1
            if self._skips:
                self._skips = False
                self._refuse(f"{self._source} line {self._number}: longer than {LINE_MAX}")
            elif line.strip():
                try:
                    yield parse_signal(line, self._source, self._number)
                except SignalFormatError as error:
                    self._refuse(str(error))

    def _refuse(self, message: str) -> None:
        self.bad += 1
        self.last_bad = message
        if self._on_bad is not None:
            self._on_bad(message)


async def watch(
    path: Path, clock: Clock, lines: SignalLines, period_s: float = 0.25
) -> AsyncIterator[list[Signal]]:
    """Yield the signals of a file as it grows, for ever; it need not exist yet.

    A file that became shorter was replaced and is read from its start.
    """
    tail = _Tail(path)
    while True:
        chunk = tail.read()
        if not chunk:
            await clock.sleep(period_s)
        elif found := lines.feed(chunk):
            yield found


class _Tail:
    """Reads what was added to a file since it was last asked; characters are never torn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < self._done:
            self._done = 0
            self._decoder.reset()
        if size == self._done:
            return ""
        with self._path.open("rb") as file:
            file.seek(self._done)
            chunk = file.read(1 << 20)
        self._done += len(chunk)
        return self._decoder.decode(chunk)


class _Line:
    """One line and where it stands: every complaint names it."""

    def __init__(self, place: str, fallback_id: str) -> None:
        self._place = place
        self._fallback_id = fallback_id

    def signal(self, line: str) -> Signal:
        values = self._object(line)
        confidence = self._number(values, "confidence", least=Decimal(0), most=Decimal(1))
        quantity, stop, target = (
            self._number(values, name, above=Decimal(0))
            for name in ("qty", "stop_loss", "take_profit")
        )
        return Signal(
            id=self._id(values),
            instrument=InstrumentId(self._text(values, "symbol", is_needed=True)),
            side=self._side(values),
            at=self._time(values),
            qty=None if quantity is None else Qty(quantity),
            confidence=Decimal(1) if confidence is None else confidence,
            reason=self._text(values, "reason"),
            stop_loss=None if stop is None else Price(stop),
            take_profit=None if target is None else Price(target),
        )

    def _object(self, line: str) -> dict[str, Any]:
        if len(line) > LINE_MAX:
            raise SignalFormatError(f"{self._place}: longer than {LINE_MAX} characters")
        try:
            values = json.loads(line, parse_float=Decimal, parse_int=Decimal, parse_constant=str)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise SignalFormatError(f"{self._place}: not a JSON object: {error}") from None
        if not isinstance(values, dict):
            raise SignalFormatError(f"{self._place}: a signal is a JSON object, was {line[:60]!r}")
        for name in values:
            if name not in FIELDS:
                self._refuse("field", name, f"one of {', '.join(FIELDS)}")
        return values

    def _refuse(self, field: str, value: object, allowed: str) -> NoReturn:
        shown = repr(str(value) if isinstance(value, Decimal) else value)[:80]
        raise SignalFormatError(f"{self._place}: {field} was {shown}, allowed: {allowed}")

    def _text(self, values: dict[str, Any], name: str, *, is_needed: bool = False) -> str:
        value = values.get(name)
        if value is None and not is_needed:
            return ""
        if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            self._refuse(name, value, "text without halves of characters")
        if not isinstance(value, str) or (is_needed and not value.strip()):
            self._refuse(name, value, "a text" + (" that is not empty" if is_needed else ""))
        return value.strip() if is_needed else value

    def _id(self, values: dict[str, Any]) -> str:
        value = values.get("id")
        if value is None or value == "":
            return self._fallback_id
        if isinstance(value, Decimal) and value == value.to_integral_value():
            return f"{value:f}"
        return self._text(values, "id", is_needed=True)

    def _side(self, values: dict[str, Any]) -> Side:
        value = values.get("side")
        if value not in ("buy", "sell"):
            self._refuse("side", value, '"buy" or "sell"')
        return Side(value)

    def _number(
        self,
        values: dict[str, Any],
        name: str,
        above: Decimal | None = None,
        least: Decimal | None = None,
        most: Decimal | None = None,
    ) -> Decimal | None:
        value = values.get(name)
        if value is None:
            return None
        span = f"above 0, {ORDINARY}" if above is not None else f"from {least} to {most}"
        allowed = f"a number {span}"
        amount = value
        if isinstance(value, str):
            try:
                amount = Decimal(value.strip())
            except ArithmeticError:
                self._refuse(name, value, allowed)
        if not isinstance(amount, Decimal) or not amount.is_finite() or not _is_sane(amount):
            self._refuse(name, value, allowed)
        is_small = amount < least if least is not None else not is_ordinary(amount)
        if is_small or (most is not None and amount > most):
            self._refuse(name, value, allowed)
        return amount

    def _time(self, values: dict[str, Any]) -> Nanos:
        value = values.get("time")
        at = instant_of(value)
        if at is None:
            allowed = "ISO-8601 with an offset, or an epoch in s, ms, µs or ns"
            self._refuse("time", value, allowed)
        return at


def instant_of(value: object) -> Nanos | None:
    """Return the instant that text or number `value` names; None: it names none.

    ISO-8601 needs an offset: a time without one could be anybody's.
    """
    if isinstance(value, Decimal):
        return _epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        return _epoch(Decimal(text))
    except ArithmeticError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    at = ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000
    return Nanos(at) if at > 0 else None


def _epoch(value: Decimal) -> Nanos | None:
    if not value.is_finite() or not _is_sane(value) or value <= 0:
        return None
    for limit, unit in _UNITS:
        if value < limit:
            return Nanos(int(value * unit))
    return None


def _is_sane(value: Decimal) -> bool:
    """Return whether `value` has few enough digits to be an amount (1e999999 has not)."""
    exponent = value.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and -_DIGITS <= exponent <= _DIGITS
        and len(value.as_tuple().digits) <= 2 * _DIGITS
    )
