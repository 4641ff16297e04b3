"""Instruments files (TOML or JSON)."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from pathlib import Path

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument
from engine.venues.refusals import FormatError
from engine.venues.terms import instrument_from


def load_instruments(path: Path) -> dict[InstrumentId, Instrument]:
    """Return the instruments that a .toml or .json file describes; raise FormatError."""
    listed: dict[InstrumentId, Instrument] = {}
    for place, entry in enumerate(_entries(path), start=1):
        where = f"{path}: instrument {place}"
        instrument = instrument_from(entry, where)
        if instrument.id in listed:
            raise FormatError(f"{where}: symbol {instrument.id!r} is there twice")
        listed[instrument.id] = instrument
    return listed


def _entries(path: Path) -> list[object]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".toml":
            data: object = tomllib.loads(text, parse_float=Decimal)
        elif path.suffix == ".json":
            data = json.loads(text, parse_float=Decimal)
        else:
            raise FormatError(f"{path}: allowed are instruments as .toml or .json")
    except (OSError, UnicodeDecodeError) as failure:
        raise FormatError(f"{path}: cannot be read: {failure}") from failure
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, RecursionError) as failure:
        raise FormatError(f"{path}: is not {path.suffix[1:].upper()}: {failure}") from failure
    if isinstance(data, dict):
        unknown = [key for key in data if key != "instruments"]
        data = data.get("instruments") if not unknown else None
    if not isinstance(data, list):
        raise FormatError(f"{path}: allowed is a list of instruments, in TOML as [[instruments]]")
    return data
