"""Several consoles, frozen consoles and an engine in the console's own loop (O-1)."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from engine.store.lock import holder
from tests.faults.process_rig import (
    answers,
    buy,
    clearing,
    console,
    engine,
    holdfast,
    owner_of,
    positions,
    sessions,
    until,
)
from tests.tui.pty_session import PtySession

pytestmark = pytest.mark.serial
WELCOME = b"Value"
"""On screen once the engine has answered."""


def test_two_consoles_that_start_at_once_share_one_engine(tmp_path: Path) -> None:
    first, second = console(tmp_path), console(tmp_path)
    with clearing(tmp_path, first, second):
        first.read_until(WELCOME)
        second.read_until(WELCOME)
        assert len(sessions(tmp_path)) == 1
        pid = owner_of(tmp_path).pid
        for session in (first, second):
            session.signal(signal.SIGTERM)
            assert session.wait() == 128 + signal.SIGTERM
        assert owner_of(tmp_path).pid == pid


def test_only_one_console_is_in_control_and_the_other_says_whose_it_is(tmp_path: Path) -> None:
    with engine(tmp_path):
        words = ("attach", "--data-dir", str(tmp_path))
        first = PtySession(*words, program=("-m", "tui"))
        first.read_until(WELCOME)
        second = PtySession(*words, program=("-m", "tui"), size=(140, 30))
        try:
            second.read_until(WELCOME)
            second.press_until(b"X", b"only watches")
            status = json.loads(holdfast("status", "--data-dir", str(tmp_path), "--json").stdout)
            assert status["control"].startswith("console on pts/")
            assert status["entries_blocked"] == {}
        finally:
            first.close()
            second.close()


def test_a_frozen_console_delays_nobody_and_catches_up(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(WELCOME)
        session.signal(signal.SIGSTOP)
        for number in range(3):
            buy(tmp_path, f"b{number}", "0.01")
        assert len(positions(tmp_path)) == 3
        done = holdfast("flatten", "--data-dir", str(tmp_path), "--json")
        assert json.loads(done.stdout)["outcome"] == "flat"
        assert positions(tmp_path) == []
        session.signal(signal.SIGCONT)
        session.read_until(b"FLATTEN")


def test_a_console_may_host_its_engine_in_its_own_loop(tmp_path: Path) -> None:
    session = console(tmp_path, "--engine", "inline")
    with clearing(tmp_path, session):
        session.read_until(WELCOME)
        assert owner_of(tmp_path).pid == session.process.pid
        assert not answers(tmp_path)
        session.send(b"q")
        assert session.wait() == 0
        assert holder(tmp_path) is None
        assert [row["status"] for row in sessions(tmp_path)] == ["completed"]


def test_an_inline_engine_is_refused_beside_another(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        session = console(tmp_path, "--engine", "inline")
        try:
            assert session.wait() == 3
            assert str(running.process.pid) in session.text()
            assert session.attributes() == session.before
        finally:
            session.close()
        assert running.process.poll() is None


def test_a_console_finds_an_engine_that_is_started_after_it(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(WELCOME)
        assert holdfast("stop", "--data-dir", str(tmp_path)).returncode == 0
        session.read_until(b"LINK LOST")
        seen = len(session.output)
        with engine(tmp_path):
            session.read_until(b"STORE", since=seen)
            until(lambda: answers(tmp_path), "the second engine")
            status = json.loads(holdfast("status", "--data-dir", str(tmp_path), "--json").stdout)
            assert status["control"].startswith("console on pts/")
