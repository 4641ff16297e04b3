"""Terms of an instrument as plain data and back. Every mistake names its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.domain.errors import InvalidInstrument
from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.money import ORDINARY, Currency, is_ordinary, plain
from engine.venues.refusals import FormatError, excerpt

KEYS: Final = (
    "symbol",
    "kind",
    "tick_size",
    "lot_size",
    "multiplier",
    "currency",
    "underlying",
    "strike",
    "right",
    "expiry",
    "calendar",
    "time_zone",
    "session_open",
    "session_close",
)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
_KINDS: Final = "|".join(kind.value for kind in Kind)


def instrument_from(entry: object, where: str) -> Instrument:
    """Return the instrument that a mapping of KEYS describes; `where` begins each message."""
    if not isinstance(entry, Mapping):
        raise FormatError(f"{where}: was {_shown(entry)}, allowed: a table with {', '.join(KEYS)}")
    for key in entry:
        if key not in KEYS:
            raise FormatError(f"{where}: unknown key {_shown(key)}, allowed: {', '.join(KEYS)}")
    symbol = _text(entry, "symbol", where)
    if not symbol:
        raise FormatError(f"{where}: symbol is missing")
    where = f"{where} ({excerpt(symbol)})"
    terms = {key: value for key, value in entry.items() if value is not None}
    try:
        return Instrument(InstrumentId(symbol), _kind(terms, where), **_terms(terms, where))
    except InvalidInstrument as failure:
        raise FormatError(f"{where}: {failure}") from None


def instrument_data(instrument: Instrument) -> dict[str, str]:
    """Return the entry of an instruments file that reads back as `instrument`."""
    entry = {
        "symbol": instrument.id,
        "kind": instrument.kind.value,
        "tick_size": plain(instrument.tick_size),
        "lot_size": plain(instrument.lot_size),
        "multiplier": plain(instrument.multiplier),
        "currency": instrument.currency,
        "underlying": instrument.underlying,
        "strike": plain(instrument.strike) if instrument.strike is not None else None,
        "right": instrument.right.value if instrument.right else None,
        "expiry": instrument.expiry,
        "calendar": instrument.calendar,
        "time_zone": instrument.time_zone,
        "session_open": instrument.session_open,
        "session_close": instrument.session_close,
    }
    return {key: str(value) for key, value in entry.items() if value is not None}


def _kind(terms: Mapping[str, Any], where: str) -> Kind:
    try:
        return Kind(terms.get("kind"))
    except ValueError:
        was = _shown(terms.get("kind"))
        raise FormatError(f"{where}: kind was {was}, allowed: {_KINDS}") from None


def _terms(terms: Mapping[str, Any], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {"currency": Currency(_text(terms, "currency", where))}
    if not found["currency"]:
        raise FormatError(f"{where}: currency is missing, e.g. INR")
    for key in ("tick_size", "lot_size", "multiplier", "strike"):
        if key in terms:
            found[key] = _positive(terms, key, where)
    for key in ("calendar", "time_zone", "session_open", "session_close"):
        if key in terms:
            found[key] = _text(terms, key, where)
    if "underlying" in terms:
        found["underlying"] = InstrumentId(_text(terms, "underlying", where))
    if "right" in terms:
        found["right"] = _right(terms, where)
    if "expiry" in terms:
        found["expiry"] = _day(terms, where)
    _check_session(found, where)
    return found


def _positive(terms: Mapping[str, Any], key: str, where: str) -> Decimal:
    value = terms[key]
    try:
        if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
            number = Decimal(value)
            if is_ordinary(number):
                return number
    except InvalidOperation:
        pass
    raise FormatError(f"{where}: {key} was {_shown(value)}, allowed: a number above 0, {ORDINARY}")


def _text(terms: Mapping[str, Any], key: str, where: str) -> str:
    value = terms.get(key, "")
    if not isinstance(value, str) or not value.isprintable():
        raise FormatError(f"{where}: {key} was {_shown(value)}, allowed: printable text")
    return value.strip()


def _right(terms: Mapping[str, Any], where: str) -> Right:
    try:
        return Right(terms["right"])
    except ValueError:
        was = _shown(terms["right"])
        raise FormatError(f"{where}: right was {was}, allowed: CALL or PUT") from None


def _day(terms: Mapping[str, Any], where: str) -> str:
    value = terms["expiry"]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise FormatError(
            f"{where}: expiry was {_shown(value)}, allowed: a date like 2026-02-03"
        ) from None


def _check_session(found: Mapping[str, Any], where: str) -> None:
    zone = found.get("time_zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        allowed = "an IANA zone like Asia/Kolkata"
        raise FormatError(f"{where}: time_zone was {_shown(zone)}, allowed: {allowed}") from None
    hours = [found.get(key) for key in ("session_open", "session_close")]
    if (hours[0] is None) != (hours[1] is None):
        raise FormatError(f"{where}: session_open and session_close come together or not at all")
    for text in hours:
        if text is not None and _CLOCK.fullmatch(text) is None:
            raise FormatError(f"{where}: session time was {_shown(text)}, allowed: HH:MM")
    if hours[0] is not None and hours[1] is not None and hours[0] >= hours[1]:
        raise FormatError(f"{where}: session_open {hours[0]} is not before {hours[1]}")


def _shown(value: object) -> str:
    return excerpt(repr(value))
