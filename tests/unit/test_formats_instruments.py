"""Instruments files."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Kind, Right
from engine.venues.refusals import FormatError
from engine.venues.replay.instruments import load_instruments
from engine.venues.sim.catalog import sim_instruments
from engine.venues.terms import instrument_data, instrument_from

OPTION = {
    "symbol": "NIFTY2620323300CE",
    "kind": "option",
    "underlying": "NIFTY",
    "strike": "23300.0",
    "right": "CALL",
    "expiry": "2026-02-03",
    "lot_size": 65,
    "tick_size": "0.05",
    "multiplier": 1,
    "currency": "INR",
    "calendar": "NSE",
    "time_zone": "Asia/Kolkata",
    "session_open": "09:15",
    "session_close": "15:30",
}


def test_a_json_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "i.json"
    path.write_text(json.dumps([OPTION]))
    option = load_instruments(path)[InstrumentId("NIFTY2620323300CE")]
    assert (option.kind, option.right, option.strike) == (
        Kind.OPTION,
        Right.CALL,
        Decimal(23300),
    )
    assert (option.lot_size, option.tick_size) == (Decimal(65), Decimal("0.05"))


def test_toml_numbers_stay_exact(tmp_path: Path) -> None:
    path = tmp_path / "i.toml"
    path.write_text(
        '[[instruments]]\nsymbol = "X"\nkind = "equity"\ncurrency = "USD"\ntick_size = 0.1\n'
    )
    assert load_instruments(path)[InstrumentId("X")].tick_size == Decimal("0.1")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "stock"}, "kind was 'stock', allowed: index|equity"),
        ({"kind": None}, "kind was None"),
        ({"lot_size": "0"}, "lot_size was '0', allowed: a number above 0"),
        ({"tick_size": "NaN"}, "tick_size was 'NaN'"),
        ({"multiplier": True}, "multiplier was True"),
        ({"strike": None}, "an option has a strike and a right"),
        ({"right": "CE"}, "right was 'CE', allowed: CALL or PUT"),
        ({"expiry": "soon"}, "expiry was 'soon'"),
        ({"currency": ""}, "currency is missing"),
        ({"symbol": ""}, "symbol is missing"),
        ({"symbol": "\x1b[2J"}, "symbol was"),
        ({"time_zone": "Mars/Olympus"}, "time_zone was 'Mars/Olympus'"),
        ({"session_open": "9 am"}, "session time was '9 am', allowed: HH:MM"),
        ({"session_open": "16:00"}, "session_open 16:00 is not before 15:30"),
        ({"session_close": None}, "come together"),
        ({"colour": "red"}, "unknown key 'colour', allowed: symbol, kind"),
    ],
)
def test_a_wrong_term_names_file_instrument_key_and_what_is_allowed(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    path = tmp_path / "i.json"
    path.write_text(json.dumps([OPTION | {"symbol": "NIFTY"}, OPTION | change]))
    with pytest.raises(FormatError) as raised:
        load_instruments(path)
    assert problem in str(raised.value)
    assert f"{path}: instrument 2" in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("i.json", "[{", "is not JSON"),
        ("i.toml", "a = ", "is not TOML"),
        ("i.json", '{"things": []}', "a list of instruments"),
        ("i.json", "[1]", "instrument 1: was 1"),
        ("i.yaml", "", ".toml or .json"),
        ("i.json", json.dumps([OPTION, OPTION]), "there twice"),
    ],
)
def test_a_broken_file_stops_the_start(tmp_path: Path, name: str, text: str, problem: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(FormatError, match=r"i\.") as raised:
        load_instruments(path)
    assert problem in str(raised.value)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        load_instruments(tmp_path / "none.toml")


def test_terms_written_as_data_read_back_the_same() -> None:
    for instrument in sim_instruments().values():
        assert instrument_from(instrument_data(instrument), "x") == instrument
