"""P06, P07, P14: signals that come twice or cannot be caught, a crash beside a stuck thread."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from engine.store.lock import holder
from tests.faults.process_rig import (
    PATIENCE,
    QUIET,
    ROOT,
    buy,
    clearing,
    console,
    engine,
    environment,
    events,
    journal,
    owner_of,
    positions,
    sessions,
    until,
)
from tests.faults.test_standstill import Record

pytestmark = pytest.mark.serial


def test_a_second_sigint_does_not_cut_the_orderly_end_short(
    tmp_path: Path, record_property: Record
) -> None:
    ends = 3
    for number in range(ends):
        with engine(tmp_path) as running:
            running.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
            code = running.signal(signal.SIGINT)
            assert code == 128 + signal.SIGINT
        assert [row["status"] for row in sessions(tmp_path)] == ["completed"] * (number + 1)
        assert events(tmp_path)[-1] == "SessionEnded"
    record_property("n", ends)
    record_property("figure", f"{ends} ends with a second SIGINT after 50 ms: 0 dirty")


def test_a_third_sigint_ends_an_engine_that_cannot_end(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        held = positions(tmp_path)
        lock = sqlite3.connect(tmp_path / "holdfast.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")  # the end of the session cannot be written
        for _ in range(3):
            running.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        began = time.monotonic()
        assert running.process.wait(PATIENCE) == 128 + signal.SIGINT
        took = time.monotonic() - began
        lock.close()
        assert running.process.stdout is not None
        assert "ends at once: told 3 times" in running.process.stdout.read()
    assert [row["status"] for row in sessions(tmp_path)] == ["active"]  # not ended in order
    with engine(tmp_path):
        assert [row["position_id"] for row in positions(tmp_path)] == [held[0]["position_id"]]
    record_property("figure", f"gone {took:.1f} s after the third SIGINT, its store locked")
    record_property("line", "holdfast: engine PID ends at once: told 3 times")


def test_an_engine_that_crashes_hard_is_followed_by_one_that_holds_the_same(
    tmp_path: Path, record_property: Record
) -> None:
    fatal = (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT)
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        held = positions(tmp_path)
        running.signal(fatal[0])
    for number in fatal[1:]:
        with engine(tmp_path) as running:
            assert positions(tmp_path) == held
            assert running.signal(number) == -number
    with engine(tmp_path):
        assert positions(tmp_path) == held
        assert len(sessions(tmp_path)) == 1
    crashes = journal(tmp_path, "SessionCrashed")
    assert len(crashes) == len(fatal)
    record_property("n", len(fatal))
    record_property("figure", f"{len(fatal)} hard crashes: the same position after each")


def test_a_console_that_crashes_hard_leaves_a_terminal_that_one_command_restores(
    tmp_path: Path, record_property: Record
) -> None:
    session = console(tmp_path)
    with clearing(tmp_path, session):
        session.read_until(b"Positions")
        until(lambda: holder(tmp_path) is not None, "an engine")
        pid = owner_of(tmp_path).pid
        session.signal(signal.SIGSEGV)
        assert session.wait() == -signal.SIGSEGV
        assert session.attributes() != session.before  # nobody could put it back
        seen = len(session.output)
        with subprocess.Popen(
            [sys.executable, "-m", "tui", "reset-terminal"],
            cwd=ROOT,
            stdin=session._slave,
            stdout=session._slave,
            env=environment(),
        ) as reset:
            assert reset.wait(PATIENCE) == 0
        while session.read(0.2):
            pass
        assert owner_of(tmp_path).pid == pid  # the engine never noticed
        for number, expected in enumerate(session.before[:4]):
            kept = session.attributes()[number]
            assert isinstance(kept, int)
            assert isinstance(expected, int)
            assert kept & expected == expected
        for off in (b"?1049l", b"?1003l", b"?2004l", b"?25h"):
            assert off in session.output[seen:]
        assert int(session.attributes()[3]) & termios.ECHO  # type: ignore[call-overload]
    record_property("line", "the terminal is as a shell expects it")
    record_property("figure", "terminal modes put back: 4 of 4 flag words, 12 screen modes off")


def test_an_engine_that_raises_at_its_end_is_gone_and_frees_the_directory(
    tmp_path: Path, record_property: Record
) -> None:
    command = ["-m", "tests.faults.raising_engine", "engine", "--data-dir", str(tmp_path), *QUIET]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment(),
    )
    took = time.monotonic() - began
    assert done.returncode == 1
    assert "planted fault after 1 second" in done.stderr
    assert "a value that no traceback may show" not in done.stderr
    assert holder(tmp_path) is None
    with engine(tmp_path) as next_one:
        assert os.getpid() != next_one.process.pid
    record_property("figure", f"gone after {took:.1f} s, 1 of them before the fault; lock free")
    record_property("line", "RuntimeError: planted fault after 1 second")
