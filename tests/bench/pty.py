"""A program on a real pseudo-terminal: what it writes, when, and what that draws."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

import pyte

ANSWERS = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[5n": b"\x1b[0n"}
"""What any modern terminal answers: whether it synchronises output, and that it is well."""
LONGEST = max(map(len, ANSWERS))
STEP = 0.005
"""Seconds of a slow link's traffic that are read at once."""


@dataclass(slots=True)
class Terminal:
    """A child on a pty of its own. Use as a context manager; leaving it ends the child."""

    command: Sequence[str]
    columns: int = 120
    rows: int = 36
    environment: Mapping[str, str] = field(default_factory=dict)
    answers: bool = True
    rate: float | None = None
    """Bytes per second that the link carries; None: as much as comes."""
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    """(monotonic seconds, bytes), as they came."""
    pid: int = 0
    _fd: int = -1
    _tail: bytes = b""

    def __enter__(self) -> Terminal:
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            for name in ("TMUX", "NO_COLOR", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
                env.pop(name, None)
            env.update(self.environment)
            os.execvpe(self.command[0], list(self.command), env)
        size = struct.pack("HHHH", self.rows, self.columns, 0, 0)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, size)
        os.set_blocking(self._fd, False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.ended(0):
                break
            os.kill(self.pid, number)
            self.read_for(1.0)
        os.close(self._fd)

    def ended(self, options: int = 0) -> bool:
        """Return whether the child is gone."""
        if self.pid == 0:
            return True
        done, _ = os.waitpid(self.pid, os.WNOHANG | options)
        if done:
            self.pid = 0
        return bool(done)

    def write(self, data: bytes) -> float:
        """Type `data`; return when."""
        now = time.monotonic()
        os.write(self._fd, data)
        return now

    def read_for(self, seconds: float) -> None:
        """Read what comes during `seconds`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not self._read(left):
                return

    def read_until(self, text: bytes, seconds: float) -> float:
        """Read until `text` was written since the start; return when. Raises TimeoutError."""
        end = time.monotonic() + seconds
        seen = b"".join(data for _, data in self.chunks)
        while text not in seen:
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                raise TimeoutError(f"{text!r} did not appear in {seconds} s; ended {seen[-300:]!r}")
            seen = seen[-len(text) :] + self.chunks[-1][1] if self.chunks else b""
        return self.chunks[-1][0]

    def _read(self, seconds: float) -> bool:
        """Read once, waiting `seconds` at most; False: the terminal was closed."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return True
        size = 1 << 16 if self.rate is None else max(1, int(self.rate * STEP))
        try:
            data = os.read(self._fd, size)
        except OSError:
            return False
        if self.rate is not None:
            time.sleep(len(data) / self.rate)
        self.chunks.append((time.monotonic(), data))
        if self.answers:
            self._answer(data)
        return bool(data)

    def _answer(self, data: bytes) -> None:
        """Answer what was asked in `data`, also where a question began before it."""
        text, known = self._tail + data, len(self._tail)
        for question, answer in ANSWERS.items():
            asked = text.count(question) - text[:known].count(question)
            if asked:
                os.write(self._fd, answer * asked)
        self._tail = text[-LONGEST + 1 :]

    def bytes_between(self, start: float, end: float) -> int:
        return sum(len(data) for at, data in self.chunks if start <= at < end)


def screens(terminal: Terminal) -> Iterator[tuple[float, pyte.Screen]]:
    """Yield (when, what was on screen) after every chunk; the screen is the same object."""
    screen = pyte.Screen(terminal.columns, terminal.rows)
    stream = pyte.ByteStream(screen)
    for at, data in terminal.chunks:
        stream.feed(data)
        yield at, screen
