"""What cannot be used is refused in one line with place, value and what is allowed; code 2."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tui.cli import main

TICKS = "time,symbol,price\n2026-01-30T20:16:50+05:30,AAPL,101\n"
GOOD = {"time": "2026-01-30T20:16:50+05:30", "symbol": "AAPL", "side": "buy"}
TERMS = {"symbol": "AAPL", "kind": "equity", "currency": "USD"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ok.csv").write_text(TICKS)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return what is said when `words` are refused; nothing on standard output, nothing raw."""
    assert main(["replay", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("holdfast: ")
    assert "Traceback" not in said.err
    assert said.err.replace("\n", "").isprintable()
    return said.err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("foo.bar=1", ["foo.bar", "exits"]),
        ("exits.initail.pct=0.2", ["exits.initail.pct"]),
        ("exits.initial.pct=abc", ["exits.initial.pct", "abc"]),
        ("exits.initial.pct=25", ["exits.initial.pct", "25", "less than 1"]),
        ("exits.initial.pct=0", ["exits.initial.pct", "'0'", "greater than 0"]),
        ("exits.initial.pct=NaN", ["exits.initial.pct", "finite"]),
        ("exits.trailing.activation_pct=-0.1", ["activation_pct", "greater than or equal to 0"]),
        ("exits.time_stop.minutes=0", ["minutes", "greater than 0"]),
        ("exits.end_of_day.time=25:00", ["exits.end_of_day.time", "25:00"]),
        ("paper.initial_capital=1e400", ["paper.initial_capital"]),
        ("paper.initial_capital=-5", ["paper.initial_capital", "-5"]),
        ("nothing", ["nothing", "key=value"]),
    ],
)
def test_a_bad_setting(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, names: list[str]
) -> None:
    said = refused(capsys, "ok.csv", "--set", text)
    assert [name for name in names if name not in said] == []


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_bad_speed(here: Path, capsys: pytest.CaptureFixture[str], speed: str) -> None:
    said = refused(capsys, "ok.csv", "--speed", speed)
    assert f"was {speed!r}, allowed: a number above 0, or max" in said


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty.csv:1: no header"),
        ("wrong.csv", b"time,symbol,prize\n", "column 3 is unknown: 'prize'"),
        ("less.csv", b"time,symbol\n", "column 'price' is missing"),
        ("twice.csv", b"time,symbol,price,price\n", "column 4 repeats"),
        ("noise.csv", bytes(range(256)) * 9, "noise.csv:1"),
        ("noise.csv.gz", b"no gzip at all", "cannot be read"),
        ("torn.csv.gz", gzip.compress(TICKS.encode(), mtime=0)[:12], "cannot be read"),
        ("hostile.csv", b"\x1b[31mtime\x1b]0;owned\x07,symbol,price\n", "column 1 is unknown"),
    ],
)
def test_a_bad_recording(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, says: str
) -> None:
    (here / name).write_bytes(content)
    assert says in refused(capsys, name)


def test_files_that_are_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "folder.json").mkdir()
    assert "gone.csv: cannot be read" in refused(capsys, "gone.csv")
    for option in ("--signals", "--instruments", "--config"):
        assert "gone.json" in refused(capsys, "ok.csv", option, "gone.json")
        assert "cannot be read" in refused(capsys, "ok.csv", option, "folder.json")
    assert "is a directory" in refused(capsys, ".")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"side": None}, "side was None"),
        ({"side": "BUY"}, 'side was \'BUY\', allowed: "buy" or "sell"'),
        ({"time": "2026-01-30T09:16:49"}, "ISO-8601 with an offset"),
        ({"time": "0001-01-01T00:00:00+05:30"}, "time was"),
        ({"time": True}, "time was True"),
        ({"symbol": ""}, "symbol was ''"),
        ({"symbol": 5}, "symbol was '5'"),
        ({"symbol": "\ud800"}, "halves of characters"),
        ({"qty": 0}, "qty was '0'"),
        ({"qty": "1" * 40}, "20 digits at most"),
        ({"qty": "NaN"}, "qty was 'NaN'"),
        ({"confidence": 2}, "from 0 to 1"),
        ({"stop_loss": "x"}, "stop_loss was 'x'"),
        ({"take_profit": True}, "take_profit was True"),
        ({"reason": 5}, "reason was '5'"),
        ({"id": []}, "id was []"),
        ({"color": "red"}, "field was 'color'"),
        ({"\x1b[2J": 1}, "field was '\\x1b[2J'"),
    ],
)
def test_a_bad_signal_names_its_line(
    here: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], says: str
) -> None:
    lines = [json.dumps(GOOD), "", json.dumps({**GOOD, **change})]
    (here / "s.jsonl").write_text("\n".join(lines))
    said = refused(capsys, "ok.csv", "--signals", "s.jsonl")
    assert "s.jsonl line 3" in said
    assert says in said


@pytest.mark.parametrize("text", ["rubbish", "[1]", '"x"', "{", "null", '{"time":1e999999999999}'])
def test_a_line_that_is_no_signal(
    here: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (here / "s.jsonl").write_text(text)
    assert "s.jsonl line 1" in refused(capsys, "ok.csv", "--signals", "s.jsonl")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "stonk"}, "kind was 'stonk', allowed: index|equity"),
        ({"tick_size": 0}, "tick_size was 0"),
        ({"lot_size": "1e999999"}, "lot_size was '1e999999'"),
        ({"time_zone": "Mars/X"}, "time_zone was 'Mars/X'"),
        ({"session_open": "09:30", "session_close": "16:00+02:00"}, "allowed: HH:MM"),
        ({"session_open": "09:30"}, "come together"),
        ({"kind": "option"}, "a strike and a right"),
        ({"kind": "option", "strike": 1, "right": "CE"}, "allowed: CALL or PUT"),
        ({"colour": 1}, "unknown key 'colour'"),
    ],
)
def test_a_bad_instrument_names_its_place(
    here: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], says: str
) -> None:
    (here / "i.json").write_text(json.dumps([{**TERMS, **change}]))
    said = refused(capsys, "ok.csv", "--instruments", "i.json")
    assert "i.json: instrument 1" in said
    assert says in said


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("class Foo(", "SyntaxError"),
        ("raise ValueError('\\x1b[31mred')", "ValueError"),
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("x = 1", "has no class 'Foo'"),
    ],
)
def test_a_strategy_file_that_does_not_load(
    here: Path, capsys: pytest.CaptureFixture[str], source: str, says: str
) -> None:
    (here / "mine.py").write_text(source)
    assert says in refused(capsys, "ok.csv", "--strategy", "mine.py:Foo")


def test_a_strategy_or_a_parameter_that_does_not_exist(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there are: oi_momentum" in refused(capsys, "ok.csv", "--strategy", "nope")
    for text, says in (("foo=1", "no parameter 'foo'"), ("bar_seconds=x", "a whole number")):
        words = ("--strategy", "oi_momentum", "--set", f"strategies.oi_momentum.{text}")
        assert says in refused(capsys, "ok.csv", *words)


def test_a_data_directory_that_is_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "cannot be used" in refused(capsys, "ok.csv", "--data-dir", "ok.csv")


def test_hostile_symbols_leave_as_escapes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    symbol = "\x1b]0;x\x07\x9b31m\u202eABC"
    (here / "s.jsonl").write_text(json.dumps({**GOOD, "symbol": symbol, "id": symbol}))
    for words in ([], ["--json"]):
        assert main(["replay", "ok.csv", "--signals", "s.jsonl", *words]) == 0
        said = capsys.readouterr()
        assert said.out.replace("\n", "").isprintable()
        assert "unknown instrument" in said.out
