"""The rig on a real pseudo-terminal, for what only a terminal shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
"""Seconds until a thing that must happen counts as not happening."""
ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[5n": b"\x1b[0n"}


class PtySession:
    """A console in a process of its own; answers queries like a modern terminal."""

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        answers: bool = True,
        program: Sequence[str] = ("-m", "tests.tui.rig"),
    ) -> None:
        self.master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._slave = slave
        self._answers = answers
        self.before = termios.tcgetattr(slave)
        clean = {k: v for k, v in os.environ.items() if k not in DROPPED}
        base = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**clean, **base, **(env or {})},
        )
        self.output = b""

    def read_until(self, wanted: bytes, since: int = 0) -> None:
        """Read until `wanted` was written after position `since`."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.output[since:]:
            assert time.monotonic() < deadline, f"never saw {wanted!r} in {self.text()[-800:]}"
            assert self.read() or self.process.poll() is None, self.text()[-800:]

    def press_until(self, key: bytes, wanted: bytes) -> None:
        """Press a key, again every second, until `wanted` is written."""
        since, deadline = len(self.output), time.monotonic() + PATIENCE
        while wanted not in self.output[since:]:
            assert self.process.poll() is None, f"ended with {self.process.returncode}"
            assert time.monotonic() < deadline, f"{key!r} never showed {wanted!r}"
            self.send(key)
            again = time.monotonic() + 1
            while time.monotonic() < again and wanted not in self.output[since:]:
                self.read()

    def read(self, seconds: float = 0.05) -> bool:
        """Read what is there; return whether anything was."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.output += data
        for question, answer in ANSWERS.items() if self._answers else ():
            if question in data:
                self.send(answer)
        return bool(data)

    def send(self, data: bytes) -> None:
        """Type."""
        os.write(self.master, data)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the console alone."""
        os.kill(self.process.pid, number)

    def wait(self) -> int:
        """Read on until the console has ended; return its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "the console did not end"
            self.read()
        while self.read(0):
            pass
        return self.process.returncode

    def text(self) -> str:
        """Return the output without its escapes."""
        plain = re.sub(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07", b"", self.output)
        return plain.decode("utf-8", "replace")

    def attributes(self) -> list[object]:
        """Return the terminal's settings now."""
        return termios.tcgetattr(self._slave)

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self._slave)
        os.close(self.master)
        self._slave = self.master = -1

    def close(self) -> None:
        """End everything."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for number in (self._slave, self.master):
            if number >= 0:
                os.close(number)


DROPPED = frozenset(
    {"TMUX", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "NO_COLOR", "LC_ALL", "LC_CTYPE"}
)
