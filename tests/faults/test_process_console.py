"""Console and engine as two processes: whatever becomes of the console, the engine guards on."""

from __future__ import annotations

import json
import os
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
    events,
    holdfast,
    owner_of,
    positions,
    sessions,
    until,
)
from tests.tui.pty_session import PtySession

pytestmark = pytest.mark.serial
DASHBOARD = b"Positions"
WELCOME = b"Value"
"""On screen once the engine has answered."""


def test_holdfast_starts_an_engine_that_outlives_its_killed_console(tmp_path: Path) -> None:
    first = console(tmp_path)
    with clearing(tmp_path, first):
        first.read_until(b"LINK")
        until(lambda: answers(tmp_path), "an engine")
        buy(tmp_path, "a")
        pid = owner_of(tmp_path).pid
        assert os.getsid(pid) != os.getsid(first.process.pid)
        first.signal(signal.SIGKILL)
        first.wait()
        assert owner_of(tmp_path).pid == pid
        second = console(tmp_path)
        with clearing(tmp_path, second):
            second.read_until(b"BTC_USDC-PERPETUAL")
            assert owner_of(tmp_path).pid == pid
            assert len(sessions(tmp_path)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_console_told_to_go_restores_the_terminal_and_leaves_the_engine(
    tmp_path: Path, number: signal.Signals
) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(DASHBOARD)
        until(lambda: answers(tmp_path), "an engine")
        pid = owner_of(tmp_path).pid
        session.signal(number)
        assert session.wait() == 128 + number
        assert session.attributes() == session.before
        assert b"\x1b[?1049l" in session.output
        assert f"the engine (pid {pid}) goes on" in session.text()
        assert answers(tmp_path)


def test_a_terminal_that_is_closed_ends_the_console_and_not_the_engine(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(DASHBOARD)
        until(lambda: answers(tmp_path), "an engine")
        session.hang_up()
        session.signal(signal.SIGHUP)
        assert session.process.wait(20) == 128 + signal.SIGHUP
        assert answers(tmp_path)


def test_an_engine_that_dies_is_started_again_with_its_positions(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(DASHBOARD)
        until(lambda: answers(tmp_path), "an engine")
        buy(tmp_path, "a")
        before, pid = positions(tmp_path), owner_of(tmp_path).pid
        os.kill(pid, signal.SIGKILL)
        session.read_until(b"died of signal 9")
        until(lambda: answers(tmp_path) and owner_of(tmp_path).pid != pid, "another engine")
        assert positions(tmp_path) == before
        assert "Resumed" in events(tmp_path)
        assert session.process.poll() is None


def test_an_engine_that_is_stopped_from_elsewhere_stays_stopped(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(DASHBOARD)
        until(lambda: answers(tmp_path), "an engine")
        assert holdfast("stop", "--data-dir", str(tmp_path)).returncode == 0
        session.read_until(b"LINK LOST")
        session.signal(signal.SIGTERM)
        assert session.wait() == 128 + signal.SIGTERM
        assert "no engine is running" in session.text()
        assert holder(tmp_path) is None


def test_quitting_with_nothing_open_ends_the_engine_too(tmp_path: Path) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(WELCOME)
        pid = owner_of(tmp_path).pid
        session.send(b"q")
        assert session.wait() == 0
        assert f"stopping the engine (pid {pid})" in session.text()
        assert holder(tmp_path) is None
        assert [row["status"] for row in sessions(tmp_path)] == ["completed"]


def test_a_read_only_console_sends_nothing_and_ends_nothing(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        session = PtySession(
            *("attach", "--read-only", "--data-dir", str(tmp_path)), program=("-m", "tui")
        )
        try:
            session.read_until(DASHBOARD)
            status = json.loads(holdfast("status", "--data-dir", str(tmp_path), "--json").stdout)
            assert status["control"] is None
            session.send(b"q")
            assert session.wait() == 0
        finally:
            session.close()
        assert running.process.poll() is None
        assert answers(tmp_path)


def test_a_console_that_crashes_says_in_one_line_what_became_of_the_engine(tmp_path: Path) -> None:
    session = PtySession(
        *("run", "--data-dir", str(tmp_path)), program=("-m", "tests.faults.crashing_console")
    )
    with clearing(tmp_path, session):
        assert session.wait() == 1
        pid = owner_of(tmp_path).pid
        said = session.text()
        assert f"the engine (pid {pid}) goes on" in said
        assert "planted fault" in said
        assert "a value that no screen may show" not in said
        assert session.attributes() == session.before
        crash = (tmp_path / "logs" / "console-crash.log").read_text()
        assert "planted fault" in crash
        assert "a value that no screen may show" not in crash


def test_an_engine_that_cannot_start_ends_the_console_with_its_reason(tmp_path: Path) -> None:
    session = console(tmp_path, "--set", "exits.initial.pct=7")
    with clearing(tmp_path, session):
        assert session.wait() == 2
        assert "exits.initial.pct was '7'" in session.text()
        assert session.attributes() == session.before


def test_attaching_to_nothing_says_so(tmp_path: Path) -> None:
    session = PtySession("attach", "--data-dir", str(tmp_path), program=("-m", "tui"))
    try:
        assert session.wait() == 6
        assert "no engine is running" in session.text()
    finally:
        session.close()


@pytest.mark.parametrize("term", ["dumb"])
def test_a_terminal_that_cannot_draw_is_refused_with_what_to_do(tmp_path: Path, term: str) -> None:
    session = PtySession(
        *("run", "--data-dir", str(tmp_path)), program=("-m", "tui"), env={"TERM": term}
    )
    try:
        assert session.wait() == 2
        assert "--headless" in session.text()
        assert holder(tmp_path) is None
    finally:
        session.close()
