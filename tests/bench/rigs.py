"""An engine process, a sender of ticks and, on a pty, a console: put together and taken apart."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.pty import Terminal
from tests.bench.victims.engine import Plan

READY = b"S0"
"""Every instrument's name begins so."""


class EngineProcess:
    """A running engine; `result` ends it and returns what it noted."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process

    @property
    def link(self) -> str:
        return str(self.folder / "link")

    def result(self) -> dict[str, Any]:
        """End the engine in order; return its latencies, memory and positions."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        noted: dict[str, Any] = json.loads((self.folder / "result.json").read_text("ascii"))
        return noted


@contextmanager
def engine(**plan: Any) -> Iterator[EngineProcess]:
    """Run an engine that holds its positions and waits for ticks."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        wanted = Plan(name, **plan)
        command = [sys.executable, "-m", "tests.bench.victims.engine", json.dumps(asdict(wanted))]
        with subprocess.Popen(command) as process:
            try:
                await_file(Path(name) / "ready", process)
                yield EngineProcess(Path(name), process)
            finally:
                process.kill()


@contextmanager
def ticks(
    running: EngineProcess, rate: int, positions: int, crossings: float = 0, swing: float = 0
) -> Iterator[None]:
    """Send `rate` ticks per second to the engine."""
    feed = str(running.folder / "feed")
    command = [sys.executable, "-m", "tests.bench.victims.sender", feed]
    command += [str(rate), str(positions), str(crossings), str(swing)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as sender:
        try:
            yield
        finally:
            sender.kill()


@contextmanager
def console(running: EngineProcess, *options: str, link: float | None = None) -> Iterator[Terminal]:
    """Attach a console on a pty; yield it drawn."""
    command = [sys.executable, "-m", "tests.bench.victims.console", running.link, *options]
    with Terminal(command, rate=link) as terminal:
        terminal.read_until(READY, 30)
        yield terminal


def await_file(path: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Return once `path` exists. Raises RuntimeError if the process ended or time ran out."""
    end = time.monotonic() + seconds
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{path.name} did not appear; the process said {process.poll()}")
        time.sleep(0.02)
