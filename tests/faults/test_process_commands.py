"""Commands typed at a running engine: followed to their end, refused with the reason."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.process_rig import (
    BTC,
    PATIENCE,
    ROOT,
    buy,
    engine,
    environment,
    events,
    holdfast,
    positions,
)

pytestmark = pytest.mark.xdist_group("commands")  # they share an engine


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the data directory of an engine that all tests of this file share."""
    data_dir = tmp_path_factory.mktemp("commands")
    with engine(data_dir):
        yield data_dir


def act(place: Path, *words: str) -> tuple[int, dict[str, Any]]:
    done = holdfast(*words, "--data-dir", str(place), "--json")
    return done.returncode, json.loads(done.stdout)


def test_a_close_is_followed_to_its_fill(place: Path) -> None:
    buy(place, "whole")
    (position,) = positions(place)
    code, said = act(place, "close", str(position["position_id"]), "--note", "enough")
    assert (code, said["outcome"]) == (0, "filled")
    (fill,) = said["fills"]
    assert fill["qty"] == "0.1"
    steps = said["steps"]
    assert isinstance(steps, list)
    assert steps[0] == "sent"
    assert [s.split(":")[0] for s in steps[1:2]] == ["accepted"]
    assert "committed" in steps[2]
    assert "filled" in steps[-1]
    assert positions(place) == []


def test_what_was_closed_by_hand_is_reported_at_live_prices(place: Path) -> None:
    buy(place, "reported")
    (position,) = positions(place)
    assert act(place, "close", str(position["position_id"]), "--note", "cold feet")[0] == 0
    rows = act(place, "report", "operator")[1]["interventions"]
    (row,) = [r for r in rows if r["note"] == "cold feet"]
    assert (row["deed"], row["done_by"], row["operator_status"]) == ("closed", "cli", "final")
    assert (row["strategy_status"], row["strategy_price"]) == ("open", None)
    told = Decimal(row["operator_pnl"]) - Decimal(row["strategy_pnl"])
    assert Decimal(row["difference"]) == told
    read = holdfast("report", "operator", "--data-dir", str(place))
    assert "cold feet" in read.stdout
    assert positions(place) == []


def test_part_of_a_position_is_closed_by_its_symbol(place: Path) -> None:
    buy(place, "part", "0.2")
    code, said = act(place, "close", BTC, "--qty", "0.05")
    assert (code, said["outcome"]) == (0, "filled")
    (left,) = positions(place)
    assert left["qty"] == "0.15"
    assert act(place, "close", BTC)[0] == 0


def test_what_is_refused_says_why_and_exits_with_1(place: Path) -> None:
    buy(place, "refused")
    code, said = act(place, "close", BTC, "--qty", "5")
    assert (code, said["outcome"]) == (1, "refused")
    assert "more than the open" in str(said["reason"])
    code, said = act(place, "stop-price", BTC, "99999999")
    assert (code, said["outcome"]) == (1, "refused")
    assert "not below the price" in str(said["reason"])
    unknown = holdfast("close", "nothing", "--data-dir", str(place))
    assert unknown.returncode == 1
    assert BTC in unknown.stderr
    for words in (("stop-price", BTC, "cheap"), ("close", BTC, "--qty", "-1")):
        wrong = holdfast(*words, "--data-dir", str(place))
        assert wrong.returncode == 2
        assert "allowed: a number above 0" in wrong.stderr
    assert act(place, "close", BTC)[0] == 0


def test_a_stop_price_is_set_and_shown(place: Path) -> None:
    buy(place, "stopped")
    assert act(place, "stop-price", BTC, "1000.5")[0] == 0
    assert positions(place)[0]["stop_loss"] == "1000.5"
    assert act(place, "stop-price", BTC, "none")[0] == 0
    assert positions(place)[0]["stop_loss"] is None
    assert act(place, "close", BTC)[0] == 0


def test_a_flatten_ends_flat_and_latched_until_it_is_lifted(place: Path) -> None:
    buy(place, "flat-1")
    buy(place, "flat-2")
    code, said = act(place, "flatten", "--reason", "an exercise")
    assert (code, said["outcome"]) == (0, "flat")
    assert len(said["fills"]) == 2
    assert positions(place) == []
    again, said = act(place, "flatten")
    assert (again, said["outcome"]) == (1, "refused")
    assert "an exercise" in str(said["reason"])
    code, said = act(place, "lift", "--reason", "done")
    assert (code, said["outcome"]) == (0, "accepted")


def test_entries_are_paused_and_resumed(place: Path) -> None:
    assert act(place, "pause")[0] == 0
    blocked = json.loads(holdfast("status", "--data-dir", str(place), "--json").stdout)
    assert "operator" in blocked["entries_blocked"]
    assert act(place, "resume")[0] == 0
    code, said = act(place, "resume")
    assert (code, said["outcome"]) == (1, "refused")


def test_a_strategy_is_paused_by_name(place: Path) -> None:
    assert act(place, "pause", "signals")[0] == 0
    rows = json.loads(holdfast("strategies", "--data-dir", str(place), "--json").stdout)
    assert [row["state"] for row in rows if row["name"] == "signals"] == ["paused"]
    assert act(place, "resume", "signals")[0] == 0
    code, said = act(place, "pause", "nobody")
    assert (code, said["reason"]) == (1, "no strategy nobody")


def test_signals_act_as_their_lines_arrive_and_bad_lines_are_said(place: Path) -> None:
    stream = subprocess.Popen(
        [sys.executable, "-m", "tui", "signal", "--json", "--data-dir", str(place)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert stream.stdin is not None
    assert stream.stdout is not None
    assert stream.stderr is not None
    try:
        line = f'{{"time": "2026-01-01T00:00:00Z", "symbol": "{BTC}", "side": "buy", "qty": "0.1"}}'
        stream.stdin.write(f"{line}\n".encode())
        stream.stdin.flush()
        assert select.select([stream.stdout], [], [], PATIENCE)[0]
        assert json.loads(stream.stdout.readline())["outcome"] == "filled"
        stream.stdin.write(b'{"symbol": 7}\n{"time": 1, "symbol": "X", "side": "buy"}')
        stream.stdin.close()
        assert json.loads(stream.stdout.readline())["outcome"] == "refused"
        assert stream.wait(PATIENCE) == 2
        assert b"standard input line 2" in stream.stderr.read()
    finally:
        stream.kill()
        stream.wait()
        stream.stdout.close()
        stream.stderr.close()
    assert act(place, "close", BTC)[0] == 0


def test_the_log_is_followed(place: Path) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-m", "tui", "logs", "-f", "-n", "1", "--data-dir", str(place)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert follower.stdout is not None
    try:
        assert follower.stdout.readline()
        assert act(place, "pause")[0] == 0
        os.set_blocking(follower.stdout.fileno(), True)
        while b"paused from the command line" not in follower.stdout.readline():
            pass
        follower.send_signal(signal.SIGINT)
        assert follower.wait(PATIENCE) == 130
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()
    assert act(place, "resume")[0] == 0


def test_each_question_answers_in_json_and_in_text(place: Path) -> None:
    for name in ("status", "positions", "trades", "sessions", "strategies", "health"):
        shown = holdfast(name, "--data-dir", str(place), "--json")
        assert shown.returncode == 0, shown.stderr
        json.loads(shown.stdout)
        read = holdfast(name, "--data-dir", str(place))
        assert read.returncode == 0
        assert read.stdout.strip()


def test_the_doctor_finds_a_working_installation(place: Path) -> None:
    said = holdfast("doctor", "--data-dir", str(place), "--json")
    assert said.returncode == 0, said.stdout
    findings = {row["about"]: row["grade"] for row in json.loads(said.stdout)}
    assert findings["store"] == "ok"
    assert findings["configuration"] == "ok"
    wrong = holdfast("doctor", "--data-dir", str(place), "--set", "exits.initial.pct=9")
    assert wrong.returncode == 1
    assert "exits.initial.pct" in wrong.stdout


def test_every_command_is_in_the_journal(place: Path) -> None:
    kinds = set(events(place))
    assert {"CommandAccepted", "CommandRefused", "FlattenLatched", "LatchLifted"} <= kinds
