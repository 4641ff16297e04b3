"""The engine as a process: one for a data directory, ended in order, found again after a kill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from engine.link.address import connected, socket_path
from engine.store.lock import holder
from tests.faults.process_rig import (
    QUIET,
    answers,
    buy,
    engine,
    events,
    holdfast,
    owner_of,
    positions,
    sessions,
    until,
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_engine_told_to_end_ends_its_session_and_says_by_which_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    with engine(tmp_path) as running:
        assert running.signal(number) == 128 + number
        assert holder(tmp_path) is None
    assert not socket_path(tmp_path).exists()
    assert [row["status"] for row in sessions(tmp_path)] == ["completed"]
    assert events(tmp_path)[-1] == "SessionEnded"


def test_a_second_engine_is_refused_with_who_holds_the_directory(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        second = holdfast("run", "--headless", "--data-dir", str(tmp_path), *QUIET)
        assert second.returncode == 3
        assert str(running.process.pid) in second.stderr
        assert socket.gethostname() in second.stderr
        assert "attach" in second.stderr
        assert answers(tmp_path)
        assert owner_of(tmp_path).pid == running.process.pid


def test_a_killed_engine_is_replaced_by_one_that_holds_the_same_positions(tmp_path: Path) -> None:
    with engine(tmp_path) as first:
        buy(tmp_path, "a")
        before = positions(tmp_path)
        assert len(before) == 1
        assert first.signal(signal.SIGKILL) == -signal.SIGKILL
    stored = holdfast("status", "--data-dir", str(tmp_path), "--json")
    assert stored.returncode == 6
    assert json.loads(stored.stdout)["open_positions"] == 1
    with engine(tmp_path):
        live = json.loads(holdfast("positions", "--data-dir", str(tmp_path), "--json").stdout)
        assert [row["id"] for row in live] == [row["position_id"] for row in before]
        assert [row["entry_price"] for row in live] == [row["entry_price"] for row in before]
        assert len(sessions(tmp_path)) == 1
        assert "Resumed" in events(tmp_path)


def test_an_engine_needs_no_standard_input(tmp_path: Path) -> None:
    with engine(tmp_path, closed_stdin=True) as running:
        buy(tmp_path, "a")
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    assert len(positions(tmp_path)) == 1


def test_what_is_no_client_leaves_the_engine_at_work(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        held = []
        for said in (b"GET / HTTP/1.0\r\n\r\n", b"\x00\x00\x00", b"\xff" * 70_000, b""):
            rude = connected(socket_path(tmp_path))
            rude.settimeout(5)
            with contextlib.suppress(OSError):  # cut off before all was said
                rude.sendall(said)
            held.append(rude)
        buy(tmp_path, "a")
        for rude in held:
            rude.close()
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    assert len(positions(tmp_path)) == 1


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("exits.initial.pct=7", ("exits.initial.pct", "'7'", "less than 1")),
        ("exits.initial.percent=0.2", ("exits.initial.percent", "pct")),
        ("nonsense", ("nonsense", "key=value")),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(
    tmp_path: Path, setting: str, named: tuple[str, ...]
) -> None:
    done = holdfast("run", "--headless", "--data-dir", str(tmp_path), "--set", setting)
    assert done.returncode == 2
    assert all(word in done.stderr for word in named), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "holdfast.db").exists()


def test_a_damaged_store_is_refused_with_its_own_exit_code_and_not_touched(tmp_path: Path) -> None:
    database = tmp_path / "holdfast.db"
    database.write_bytes(b"not a database, but somebody's file" * 100)
    before = database.read_bytes()
    done = holdfast("run", "--headless", "--data-dir", str(tmp_path), *QUIET)
    assert done.returncode == 4
    assert "holdfast.db" in done.stderr
    assert "Traceback" not in done.stderr
    assert database.read_bytes() == before


def test_stop_says_its_steps_and_leaves_nothing_running(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        done = holdfast("stop", "--data-dir", str(tmp_path), "--json")
        assert done.returncode == 0
        said = json.loads(done.stdout)
        assert said["stopped"] is True
        assert any(str(running.process.pid) in step for step in said["steps"])
        assert running.process.wait(20) == 128 + signal.SIGTERM
    assert holdfast("stop", "--data-dir", str(tmp_path)).returncode == 6


def test_a_frozen_engine_is_reported_and_not_killed(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        os.kill(running.process.pid, signal.SIGSTOP)
        done = holdfast("status", "--data-dir", str(tmp_path))
        assert done.returncode == 1
        assert "does not answer" in done.stderr
        os.kill(running.process.pid, signal.SIGCONT)
        until(lambda: holdfast("status", "--data-dir", str(tmp_path)).returncode == 0, "an answer")
        assert running.process.poll() is None


def test_everything_in_the_data_directory_is_its_owners_alone(tmp_path: Path) -> None:
    place = tmp_path / "fresh"
    with engine(place):
        buy(place, "a")
        modes = {path: path.stat().st_mode & 0o777 for path in place.rglob("*")}
        assert place.stat().st_mode & 0o777 == 0o700
    assert {m for p, m in modes.items() if p.suffix in {".db", ".log", ".sock"}} == {0o600}
    assert not [p for p, mode in modes.items() if mode & 0o077]
