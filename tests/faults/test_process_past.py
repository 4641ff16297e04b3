"""The past of a real store in a real terminal: an engine killed, resumed, and looked at (C-15)."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.process_rig import answers, buy, clearing, console, engine, until


def test_a_killed_engine_is_told_on_screen_six_and_its_session_can_be_walked(
    tmp_path: Path,
) -> None:
    with engine(tmp_path) as first:
        buy(tmp_path, "a")
        first.signal(signal.SIGKILL)
    session = console(tmp_path, size=(120, 36))
    with clearing(tmp_path, session):
        until(lambda: answers(tmp_path), "an engine")
        session.read_until(b"Value")
        session.press_until(b"\x1b", b"Positions")  # out of the recovery room
        session.press_until(b"6", b"CRASHED")
        assert "resume by" in session.text()
        session.press_until(b"\r", b"PAST ")
        session.press_until(b"o", b"bought")
        session.press_until(b">", b"crashed")
        session.press_until(b"x", b"this is the past")
