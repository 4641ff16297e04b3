"""`holdfast replay`: one object on standard output, or one clear line and an exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from engine.domain.event import Entry
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos, Seq
from engine.domain.session import Mode
from engine.domain.state import State
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import session
from tui.cli import main

TICKS = """time,symbol,price,volume,oi
2026-01-05T09:20:00+05:30,NIFTY26JAN25000CE,100.00,75,1000
2026-01-05T09:20:01+05:30,NIFTY26JAN25000CE,101.00,75,1000
2026-01-05T09:20:02+05:30,NIFTY26JAN25000CE,74.00,75,1000
2026-01-05T09:20:03+05:30,NIFTY26JAN25000CE,90.00,75,1000
"""
SIGNAL = (
    '{"time": "2026-01-05T09:20:00+05:30", "symbol": "NIFTY26JAN25000CE", '
    '"side": "buy", "qty": 75, "id": "s1"}'
)


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    path = tmp_path / "ticks.csv"
    path.write_text(TICKS)
    return path


@pytest.fixture
def signals(tmp_path: Path) -> Path:
    path = tmp_path / "signals.jsonl"
    path.write_text(SIGNAL + "\n")
    return path


def replayed(
    capsys: pytest.CaptureFixture[str], *words: str | Path
) -> tuple[int, dict[str, Any], str]:
    code = main(["replay", *map(str, words), "--json"])
    said = capsys.readouterr()
    assert said.out.count("\n") == 1
    return code, json.loads(said.out), said.err


def test_a_replay_prints_one_object_with_what_was_traded(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, errors = replayed(capsys, ticks, "--signals", signals)
    assert (code, errors) == (0, "")
    (trade,) = said["trades"]
    assert trade["exit_reason"] == "stop_loss_hit"
    assert (trade["entry_price"], trade["exit_price"], trade["level"]) == ("100", "74", "75")
    assert trade["pnl"] == "-1950"
    assert said["ticks"] == 4
    assert isinstance(said["elapsed_s"], float)


def test_the_same_input_gives_the_same_bytes(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (replayed(capsys, ticks, "--signals", signals)[1] for _ in range(2))
    for said in (first, second):
        del said["elapsed_s"]
    assert json.dumps(first) == json.dumps(second)


def test_settings_change_what_the_rules_do(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = ("--set", "exits.initial.pct=0.30", "--set", "exits.vwap.enabled=false")
    _, said, _ = replayed(capsys, ticks, "--signals", signals, *sets)
    assert said["trades"] == []
    (held,) = said["open_positions"]
    assert held["last_price"] == "90"


def test_at_a_speed_the_result_is_the_same(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, quick, _ = replayed(capsys, ticks, "--signals", signals, "--speed", "max")
    _, paced, _ = replayed(capsys, ticks, "--signals", signals, "--speed", "50")
    assert quick["trades"] == paced["trades"]
    assert float(str(paced["elapsed_s"])) >= 3 / 50


def test_without_json_a_table_is_printed(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(ticks), "--signals", str(signals)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split()[:3] == ["SYMBOL", "SIDE", "QTY"]
    assert "stop_loss_hit" in said
    assert "4 ticks in" in said


def test_a_kept_replay_can_be_asked_afterwards(
    ticks: Path, signals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "kept"
    assert replayed(capsys, ticks, "--signals", signals, "--data-dir", place)[0] == 0
    assert main(["trades", "--json", "--data-dir", str(place)]) == 0
    (trade,) = json.loads(capsys.readouterr().out)
    assert trade["exit_reason"] == "stop_loss_hit"


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", "", "empty.csv"),
        ("columns.csv", "when,what\n1,2\n", "columns.csv"),
        ("binary.csv", "\x00\x01\x02", "binary.csv"),
    ],
)
def test_a_file_that_is_no_recording_is_named(
    name: str,
    content: str | None,
    named: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    assert main(["replay", str(path), "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert named in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--signals", "no.jsonl"], "no.jsonl"),
        (["--instruments", "no.toml"], "no.toml"),
        (["--strategy", "nonsense"], "nonsense"),
        (["--set", "exits.initial.pct=2"], "exits.initial.pct"),
        (["--set", "exits.nonsense.pct=2"], "exits.nonsense"),
        (["--config", "no.toml"], "no.toml"),
        (["--strategy", "oi_momentum", "--set", "strategies.oi_momentum.bar_seconds=x"], "bar_sec"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_is_replayed(
    words: list[str], named: str, ticks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(ticks), "--json", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert named in said.err
    assert "Traceback" not in said.err


def test_a_bad_signal_names_its_line_field_and_what_is_allowed(
    ticks: Path, signals: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signals.write_text(f"{SIGNAL}\n{SIGNAL.replace('buy', 'hold')}\n")
    assert main(["replay", str(ticks), "--signals", str(signals)]) == 2
    said = capsys.readouterr().err
    for word in (str(signals), "line 2", "side", "'hold'", '"buy" or "sell"'):
        assert word in said


def test_a_store_of_a_paper_session_takes_no_replay(
    ticks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "holdfast.db"

    async def make() -> None:
        async with SqliteJournal.open(database, Stamp(Mode.PAPER, "paper"), Nanos(0)) as journal:
            started = session()
            after = evolve(State(), Entry(Seq(1), Nanos(1), started))
            await journal.append([Entry(Seq(1), Nanos(1), started)], after)

    asyncio.run(make())
    assert main(["replay", str(ticks), "--data-dir", str(tmp_path)]) == 4
    assert "holdfast.db" in capsys.readouterr().err
    assert main(["sessions", "--json", "--data-dir", str(tmp_path)]) == 0
    (kept,) = json.loads(capsys.readouterr().out)
    assert kept["mode"] == "paper"
