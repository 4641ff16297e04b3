"""A real terminal: signals, exit codes, stray bytes, refusals; left as it was found (C-9)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tui.pty_session import ROOT, PtySession

pytestmark = pytest.mark.serial

HOSTILE_INPUT = {
    "a byte that is not UTF-8": b"\xff",
    "a Latin-1 paste": "déjà vu".encode("latin-1"),
    "an X10 mouse report past column 223": b"\x1b[M \xff\xff",
    "a key code above Unicode": b"\x1b[1114112u",
    "a huge key code": b"\x1b[999999999999u",
    "a huge parameter": b"\x1b[999999999999A",
    "a huge mouse report": b"\x1b[<35;99999999999999999999;1M",
    "half a sequence and noise": b"\x1b[\x00\x01\x1bP\xf0\x9f\x1b]52;c;x\x07",
}


@contextmanager
def session(*arguments: str, **options: Any) -> Iterator[PtySession]:
    console = PtySession(*arguments, **options)
    try:
        console.read_until(b"Positions")
        yield console
    finally:
        console.close()


def assert_restored(console: PtySession) -> None:
    assert b"\x1b[?1049l" in console.output
    assert console.output.rfind(b"\x1b[?25h") > console.output.rfind(b"\x1b[?25l")
    assert b"Traceback" not in console.output
    assert console.attributes() == console.before


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
)
def test_a_signal_ends_it_in_order_with_128_plus_n(number: signal.Signals, code: int) -> None:
    with session() as console:
        console.signal(number)
        assert console.wait() == code
        assert_restored(console)


def test_ctrl_z_and_sigtstp_do_not_stop_it() -> None:
    with session() as console:
        console.signal(signal.SIGTSTP)
        console.send(b"\x1a")
        seen = len(console.output)
        console.send(b"5")
        console.read_until(b"Record", seen)
        console.signal(signal.SIGTERM)
        assert console.wait() == 143


@pytest.mark.parametrize("name", HOSTILE_INPUT)
def test_stray_bytes_do_not_end_it(name: str) -> None:
    with session() as console:
        console.send(HOSTILE_INPUT[name])
        console.send(b"\x1b\x1b")
        console.press_until(b"5", b"Record")  # what was half read may swallow a key
        console.press_until(b"4", b"Components")
        console.signal(signal.SIGTERM)
        assert console.wait() == 143
        assert_restored(console)


def test_a_closed_terminal_ends_it_without_a_spin() -> None:
    with session() as console:
        console.hang_up()
        assert console.process.wait(timeout=20) == 129


def test_the_title_is_given_back() -> None:
    with session() as console:
        console.read_until(b"\x1b[22;2t")
        console.signal(signal.SIGTERM)
        console.wait()
        assert b"\x1b[23;2t" in console.output


@pytest.mark.parametrize("term", ["screen", "linux", "vt100"])
def test_a_terminal_of_sixteen_colours_gets_no_24_bit_colour(term: str) -> None:
    with session(env={"TERM": term, "COLORTERM": ""}) as console:
        assert b"38;2;" not in console.output
        assert b"38;5;" not in console.output


def test_no_color_sends_no_colour_at_all() -> None:
    with session(env={"NO_COLOR": "1"}) as console:
        console.signal(signal.SIGTERM)
        console.wait()
        for code in (b"[3", b";3", b"[4", b";4"):
            for digit in b"01234567":
                assert b"\x1b" + code + bytes([digit]) + b"m" not in console.output
        assert b"38;2;" not in console.output


def test_a_locale_that_is_not_utf8_gets_ascii_only() -> None:
    env = {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with session(env=env) as console:
        assert console.output.isascii()


@pytest.mark.parametrize(
    ("term", "stdin"), [("dumb", None), ("xterm-256color", subprocess.DEVNULL)]
)
def test_without_a_terminal_it_refuses_and_names_headless(term: str, stdin: int | None) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tui.rig"],
        cwd=ROOT, stdin=stdin or subprocess.DEVNULL, capture_output=True, check=False, timeout=20,
        env={"TERM": term, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 1
    assert b"--headless" in done.stderr
    assert b"\x1b[" not in done.stdout + done.stderr


@pytest.mark.parametrize("chunks", [(b"\x1b3",), (b"\x1b", b"3"), (b"j\x1b3",), (b"\x1b[B\x1b3",)])
def test_escape_is_not_lost_when_the_next_key_comes_at_once(chunks: tuple[bytes, ...]) -> None:
    with session(size=(100, 30)) as console:
        seen = len(console.output)
        console.send(b"x")
        console.read_until(b"Close at market", seen)
        seen = len(console.output)
        for chunk in chunks:
            console.send(chunk)
        console.read_until(b"Strategies", seen)


def test_arrow_keys_and_a_lone_escape_still_work() -> None:
    with session(size=(100, 30)) as console:
        seen = len(console.output)
        console.send(b"3")
        console.read_until(b"Strategies", seen)
        seen = len(console.output)
        console.send(b"\x1b")
        console.read_until(b"Positions", seen)
