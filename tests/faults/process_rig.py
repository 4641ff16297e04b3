"""Real `holdfast` processes on a data directory of their own, and what they left behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.domain.ids import SECOND
from engine.link.address import connected, socket_path
from engine.runtime.clock import SystemClock
from engine.store.lock import Owner, holder
from engine.store.reader import Record, StoreReader
from tests.tui.pty_session import PtySession

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
QUIET = ("--set", "strategies.signals.kind=signals", "--set", "quality.enabled=false")
"""Only what the test says is traded."""
BTC = "BTC_USDC-PERPETUAL"


def until(is_so: Callable[[], bool], what: str) -> None:
    """Return once `is_so`; fail after a patience that no machine needs."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("HOLDFAST_")}


def holdfast(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *words],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment(),
    )


@contextmanager
def engine(data_dir: Path, *words: str, closed_stdin: bool = False) -> Iterator[Engine]:
    """Yield an engine that answers; whatever is left of it is killed at the end."""
    started = Engine(data_dir, *words, closed_stdin=closed_stdin)
    try:
        until(lambda: answers(data_dir), f"an engine on {data_dir}")
        yield started
    finally:
        started.end()


class Engine:
    """`holdfast run --headless` in a process of its own."""

    def __init__(self, data_dir: Path, *words: str, closed_stdin: bool = False) -> None:
        command = [sys.executable, "-m", "tui", "run", "--headless", "--data-dir", str(data_dir)]
        if closed_stdin:
            command = ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *command]
        self.process = subprocess.Popen(
            [*command, *QUIET, *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=environment(),
        )

    def signal(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def console(data_dir: Path, *words: str, size: tuple[int, int] = (100, 30)) -> PtySession:
    """Open a console in a terminal of its own."""
    return PtySession(
        *("run", "--data-dir", str(data_dir), *QUIET, *words), size=size, program=("-m", "tui")
    )


@contextmanager
def clearing(data_dir: Path, *sessions: PtySession) -> Iterator[None]:
    """End consoles and the engine that they started, however the test went."""
    try:
        yield
    finally:
        for session in sessions:
            session.close()
        owner = holder(data_dir)
        if owner is not None and owner.pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(owner.pid, signal.SIGKILL)
            until(lambda: holder(data_dir) is None, "the engine's end")


def answers(data_dir: Path) -> bool:
    try:
        connected(socket_path(data_dir)).close()
    except OSError:
        return False
    return True


def owner_of(data_dir: Path) -> Owner:
    owner = holder(data_dir)
    assert owner is not None
    return owner


def buy(data_dir: Path, id_: str, qty: str = "0.1") -> None:
    """Open a position on the simulated perpetual, as soon as it has a price."""
    deadline = time.monotonic() + PATIENCE
    while True:
        now = SystemClock().now() // SECOND
        line = f'{{"time": {now}, "symbol": "{BTC}", "side": "buy", "qty": "{qty}", "id": "{id_}"}}'
        done = holdfast("signal", "--data-dir", str(data_dir), given=line)
        if done.returncode == 0:
            return
        assert "no price" in done.stdout, done.stdout + done.stderr
        assert time.monotonic() < deadline
        id_ = f"{id_}'"


def positions(data_dir: Path) -> list[Record]:
    """Return the open positions as the store has them."""
    with StoreReader.open(data_dir / "holdfast.db") as reader:
        return reader.positions()


def sessions(data_dir: Path) -> list[Record]:
    with StoreReader.open(data_dir / "holdfast.db") as reader:
        return reader.sessions()


def events(data_dir: Path) -> list[str]:
    """Return the types of all journal entries."""
    with StoreReader.open(data_dir / "holdfast.db") as reader:
        reader.verify_chain()
        return [str(event["type"]) for event in reader.events(limit=100_000)]


def log_lines(data_dir: Path, wanted: str) -> list[str]:
    """Return the texts of the engine's log that hold `wanted`."""
    path = data_dir / "logs" / "holdfast.log"
    lines = path.read_text().splitlines() if path.exists() else []
    texts = [str(json.loads(line).get("text", "")) for line in lines if wanted in line]
    return [text for text in texts if wanted in text]


def journal(data_dir: Path, *types: str) -> list[Record]:
    """Return the journal entries of these types, oldest first; none named: all."""
    with StoreReader.open(data_dir / "holdfast.db") as reader:
        found = sorted(reader.events(limit=100_000), key=lambda event: int(str(event["seq"])))
    return [event for event in found if not types or event["type"] in types]
