"""U05, U06: noise on standard input and a storm of resizes; console and engine live on."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import struct
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.process_rig import answers, buy, engine, positions
from tests.faults.test_standstill import Record
from tests.tui.pty_session import PtySession

pytestmark = pytest.mark.serial
NOISE_KB = int(os.environ.get("HOLDFAST_NOISE_KB", "64"))
RESIZES = int(os.environ.get("HOLDFAST_RESIZES", "300"))
PIECE = 512


def attached(data_dir: Path, *words: str) -> PtySession:
    """Return a console on a running engine, as soon as it has drawn the position."""
    words = ("attach", "--data-dir", str(data_dir), *words)
    session = PtySession(*words, program=("-m", "tui"), size=(120, 36))
    session.read_until(b"BTC_USDC")
    return session


def fed(session: PtySession, data: bytes) -> None:
    """Type bytes as fast as the console takes them, reading what it draws meanwhile."""
    os.set_blocking(session.master, False)
    try:
        while data:
            with suppress(BlockingIOError):
                data = data[os.write(session.master, data[:PIECE]) :]
            assert session.process.poll() is None, session.text()[-500:]
            session.read(0.001)
    finally:
        os.set_blocking(session.master, True)


def test_random_bytes_on_standard_input_do_not_end_the_console(
    tmp_path: Path, record_property: Record
) -> None:
    rng = random.Random(5)
    # Neither q nor ctrl+c: what a person presses on purpose to leave would do so.
    alphabet = bytes(set(range(256)) - set(b"qQ\x03\x04\x1a\x1c"))
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        session = attached(tmp_path, "--read-only")
        try:
            fed(session, bytes(rng.choices(alphabet, k=NOISE_KB * 1024)))
            fed(session, b"\x1b" * 6)
            assert session.process.poll() is None
            session.signal(signal.SIGTERM)
            assert session.wait() == 128 + signal.SIGTERM
            assert b"Traceback" not in session.output
        finally:
            session.close()
        assert running.process.poll() is None
        assert len(positions(tmp_path)) == 1
    record_property("n", NOISE_KB * 1024)
    record_property("seed", 5)
    record_property("figure", f"{NOISE_KB} kB of random bytes: console alive, engine untouched")


def test_a_storm_of_resizes_ends_neither_console_nor_engine(
    tmp_path: Path, record_property: Record
) -> None:
    rng = random.Random(6)
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        session = attached(tmp_path)
        try:
            for number in range(RESIZES):
                small = number % 10 == 0
                size = (1, 1) if small else (rng.randint(1, 60), rng.randint(1, 250))
                resized(session, *size)
                session.read(0.002)
                assert session.process.poll() is None, session.text()[-500:]
            resized(session, 36, 120)
            session.press_until(b"4", b"Components")  # it draws, and hears its keys
            session.signal(signal.SIGTERM)
            assert session.wait() == 128 + signal.SIGTERM
        finally:
            session.close()
        assert running.process.poll() is None
        assert answers(tmp_path)
    record_property("n", RESIZES)
    record_property("seed", 6)
    record_property("figure", f"{RESIZES} resizes, {RESIZES // 10} of them to 1x1: both alive")


def resized(session: PtySession, rows: int, columns: int) -> None:
    """Change the terminal's size, as a window does."""
    fcntl.ioctl(session.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    session.signal(signal.SIGWINCH)
