"""Real engines killed and started again: forced recovery when open, a choice when flat."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from engine.domain.ids import SECOND
from engine.runtime.clock import SystemClock
from engine.store.lock import holder
from engine.store.reader import StoreReader
from tests.faults.process_rig import (
    BTC,
    QUIET,
    answers,
    clearing,
    console,
    engine,
    events,
    holdfast,
    owner_of,
    positions,
    sessions,
    until,
)

HELD = ((BTC, "0.1"), ("AAPL", "10"), ("TSLA", "10"))
AWAY_S = 2.0


def opened(data_dir: Path) -> None:
    """Open three positions."""
    for symbol, qty in HELD:
        place(data_dir, symbol, qty)


def place(data_dir: Path, symbol: str, qty: str, *, id_: str = "") -> bool:
    """Wish a position as soon as there is a price; return whether it was admitted."""
    while True:
        now = SystemClock().now() // SECOND
        name = f"{id_ or symbol}-{SystemClock().now()}"
        wish = {"time": now, "symbol": symbol, "side": "buy", "qty": qty, "id": name}
        done = holdfast("signal", "--data-dir", str(data_dir), given=json.dumps(wish))
        if done.returncode == 0 or "no price" not in done.stdout:
            return done.returncode == 0


def payloads(data_dir: Path, kind: str) -> list[dict[str, Any]]:
    """Return what the journal says in all entries of a kind."""
    with StoreReader.open(data_dir / "holdfast.db") as reader:
        found = [e for e in reader.events(limit=100_000) if e["type"] == kind]
    return [json.loads(str(event["payload"])) for event in found]


def count(data_dir: Path, kind: str) -> int:
    return events(data_dir).count(kind)


def killed(data_dir: Path, *words: str) -> None:
    """Leave a dead engine's session with three positions open."""
    with engine(data_dir, *words) as first:
        opened(data_dir)
        assert first.signal(signal.SIGKILL) == -signal.SIGKILL


def killed_flat(data_dir: Path) -> None:
    with engine(data_dir) as first:
        assert first.signal(signal.SIGKILL) == -signal.SIGKILL


def status(data_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        holdfast("status", "--data-dir", str(data_dir), "--json").stdout
    )
    return found


def test_three_positions_of_a_killed_engine_are_looked_back_at_and_watched_again(
    tmp_path: Path,
) -> None:
    killed(tmp_path)
    before = positions(tmp_path)
    time.sleep(AWAY_S)  # the market goes on: that is what is looked back at
    with engine(tmp_path):
        until(lambda: count(tmp_path, "RecoverySettled") == 1, "a settled recovery")
        assert positions(tmp_path) == before
        gaps = [payload["gap"] for payload in payloads(tmp_path, "GapJudged")]
        assert {gap["position"] for gap in gaps} == {row["position_id"] for row in before}
        assert all(gap["samples"] > 0 and not gap["unknown"] for gap in gaps)
        (crash,) = payloads(tmp_path, "SessionCrashed")
        assert {gap["since"] for gap in gaps} == {crash["last_at"]}
        shown = holdfast("positions", "--data-dir", str(tmp_path), "--json").stdout
        assert all(row["stop_level"] for row in json.loads(shown))
        names = events(tmp_path)
        assert names.index("GapJudged") < names.index("RecoverySettled")
        assert place(tmp_path, "MSFT", "1")


def test_no_entry_is_let_in_before_the_recovery_is_settled(tmp_path: Path) -> None:
    killed(tmp_path)
    with engine(tmp_path):
        while not place(tmp_path, "MSFT", "1"):
            (refused, *_) = payloads(tmp_path, "SignalRefused")
            assert "recovery" in refused["reason"]
        names = events(tmp_path)
        later = names[names.index("Resumed") :]
        assert later.index("RecoverySettled") < later.index("SignalAccepted")


def test_an_engine_killed_again_and_again_while_it_recovers_ends_the_same(tmp_path: Path) -> None:
    killed(tmp_path, "--set", "recovery.safe_mode_crashes=0")
    before = positions(tmp_path)
    hold = ("--set", "recovery.gap=hold", "--set", "recovery.safe_mode_crashes=0")
    for pause in (0.0, 0.05, 0.2, 0.0):
        with engine(tmp_path, *hold) as running:
            time.sleep(pause)  # anywhere in the recovery
            running.signal(signal.SIGKILL)
    crashes = count(tmp_path, "SessionCrashed")
    with engine(tmp_path, *hold):
        until(lambda: events(tmp_path)[-20:].count("RecoverySettled") > 0, "a settled recovery")
        assert positions(tmp_path) == before
        assert count(tmp_path, "SessionCrashed") == crashes + 1
        assert len(sessions(tmp_path)) == 1


@pytest.mark.parametrize(("policy", "count_"), [("resume", 1), ("fresh", 2)])
def test_when_flat_and_without_a_terminal_the_policy_decides_and_says_so(
    tmp_path: Path, policy: str, count_: int
) -> None:
    killed_flat(tmp_path)
    with engine(tmp_path, "--set", f"recovery.flat={policy}") as running:
        until(lambda: count(tmp_path, "RecoverySettled") == 1, "a settled recovery")
        (decided,) = payloads(tmp_path, "RecoveryDecided")
        assert (decided["choice"], decided["by"]) == (policy, "configuration")
        assert len(sessions(tmp_path)) == count_
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM


def test_when_flat_and_a_person_has_to_say_a_headless_start_ends_with_its_own_code(
    tmp_path: Path,
) -> None:
    killed_flat(tmp_path)
    ask = ("--set", "recovery.flat=ask")
    for _ in range(2):
        done = holdfast("run", "--headless", "--data-dir", str(tmp_path), *QUIET, *ask)
        assert done.returncode == 5
        assert "with nothing open" in done.stderr
        assert "recovery.flat=resume" in done.stderr
        assert holder(tmp_path) is None
    assert count(tmp_path, "DecisionAsked") == 1
    assert count(tmp_path, "RecoveryDecided") == 0
    with engine(tmp_path, "--set", "recovery.flat=resume"):
        until(lambda: count(tmp_path, "RecoverySettled") == 1, "a settled recovery")
        assert count(tmp_path, "DecisionWithdrawn") == 1


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        (("--set", "recovery.flat=fresh"), "fresh"),
        (("--set", "recovery.flat=ask"), "fresh"),
        (("--set", "recovery.gap=ask"), "inspect"),
    ],
)
def test_with_positions_open_no_flag_and_no_command_declines(
    tmp_path: Path, flags: tuple[str, ...], answer: str
) -> None:
    killed(tmp_path)
    before = {row["position_id"] for row in positions(tmp_path)}
    with engine(tmp_path, *flags):
        session = status(tmp_path)["session"]
        for id_ in (f"crash:{session}:0", str(session), BTC):
            done = holdfast("decide", "--data-dir", str(tmp_path), id_, answer)
            assert done.returncode != 0
        assert {row["position_id"] for row in positions(tmp_path)} == before
        (decided,) = payloads(tmp_path, "RecoveryDecided")
        assert (decided["choice"], decided["by"]) == ("resume", "engine")


def test_at_a_console_a_flat_crash_waits_and_another_terminal_can_answer(tmp_path: Path) -> None:
    killed_flat(tmp_path)
    session = console(tmp_path, "--set", "recovery.countdown=600")
    with clearing(tmp_path, session):
        session.read_until(b"Recovery room")
        session.read_until(b"nothing is traded until")
        assert count(tmp_path, "RecoveryDecided") == 0
        (asked,) = payloads(tmp_path, "DecisionAsked")
        id_ = asked["decision"]["id"]
        assert not place(tmp_path, "MSFT", "1"), "nothing is traded before somebody chose"
        shown = holdfast("decide", "--data-dir", str(tmp_path)).stdout
        assert id_ in shown
        done = holdfast("decide", "--data-dir", str(tmp_path), id_, "fresh")
        assert done.returncode == 0, done.stdout + done.stderr
        session.read_until(b"settled")
        (decided,) = payloads(tmp_path, "RecoveryDecided")
        assert decided["choice"] == "fresh"
        assert decided["by"].startswith("cli")
        assert len(sessions(tmp_path)) == 2


def test_at_a_console_the_countdown_ends_with_the_policy(tmp_path: Path) -> None:
    killed_flat(tmp_path)
    session = console(tmp_path, "--set", "recovery.countdown=1")
    with clearing(tmp_path, session):
        until(lambda: count(tmp_path, "RecoverySettled") == 1, "a settled recovery")
        (decided,) = payloads(tmp_path, "RecoveryDecided")
        assert (decided["choice"], decided["by"]) == ("resume", "configuration")


def test_an_engine_that_waits_for_a_person_can_be_told_to_end(tmp_path: Path) -> None:
    killed_flat(tmp_path)
    session = console(tmp_path, "--set", "recovery.flat=ask")
    with clearing(tmp_path, session):
        session.read_until(b"nothing is traded until")
        pid = owner_of(tmp_path).pid
        os.kill(pid, signal.SIGTERM)
        until(lambda: holder(tmp_path) is None, "its end")
        assert count(tmp_path, "RecoveryDecided") == 0
        assert [row["status"] for row in sessions(tmp_path)] == ["crashed"]


def test_the_recovery_room_of_three_positions_opens_before_anything_else(tmp_path: Path) -> None:
    killed(tmp_path)
    session = console(tmp_path, size=(120, 36))
    with clearing(tmp_path, session):
        session.read_until(b"cannot be declined")
        until(lambda: answers(tmp_path), "an engine")
        session.read_until(b"rule would have fired")
        assert session.process.poll() is None
