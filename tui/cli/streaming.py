"""Signals from standard input or a file, each as soon as its line is there."""

from __future__ import annotations

import asyncio
import os
import threading
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.domain.signal import Signal
from engine.runtime.signal_lines import SignalFormatError, SignalLines, read_signals
from tui.cli.exits import USAGE, Failure
from tui.cli.output import complain

STDIN: Final = "standard input"
WAITING_MAX: Final = 100
"""Chunks read ahead; the sender waits then."""


class Signals:
    """`read` yields them; `bad` counts the lines that were none, which are said and skipped."""

    def __init__(self, path: Path | None, run: str) -> None:
        self._path = path
        self._run = run
        """Makes ids of lines that bring none: the same line of another run is another signal."""
        self._lines = SignalLines(STDIN, complain)

    @property
    def bad(self) -> int:
        return self._lines.bad

    async def read(self) -> AsyncIterator[Signal]:
        """Yield the signals; a file is all or nothing. Raises Failure."""
        if self._path is not None:
            for signal in _of_file(self._path):
                yield signal
            return
        async for text in _chunks():
            for signal in self._lines.feed(text):
                yield self._own(signal)
        for signal in self._lines.finish():
            yield self._own(signal)

    def _own(self, signal: Signal) -> Signal:
        if not signal.id.startswith(f"{STDIN}:"):
            return signal
        return replace(signal, id=f"{self._run}{signal.id.removeprefix(STDIN)}")


def _of_file(path: Path) -> list[Signal]:
    try:
        return read_signals(path)
    except OSError as error:
        raise Failure(f"{path}: cannot be read: {error.strerror}", USAGE) from None
    except SignalFormatError as error:
        raise Failure(str(error), USAGE) from None


async def _chunks() -> AsyncIterator[str]:
    """Yield standard input as it comes, be it file, pipe or terminal: a thread reads it."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MAX)

    def read() -> None:
        try:
            while True:
                data = os.read(0, 65536)
                asyncio.run_coroutine_threadsafe(waiting.put(data), loop).result()
                if not data:
                    return
        except (OSError, RuntimeError):  # closed, or nobody listens any more
            return

    threading.Thread(target=read, daemon=True).start()
    decoder = getincrementaldecoder("utf-8")("backslashreplace")
    while data := await waiting.get():
        yield decoder.decode(data)
