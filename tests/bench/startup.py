"""B-7: process start to answer or to first paint, each beside its floor in the same rounds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from engine.store.lock import holder
from tests.bench.figures import Figure, percentile, ratio
from tests.bench.pty import Terminal
from tests.bench.scale import Scale

PASS = (sys.executable, "-c", "pass")
HOLDFAST = (sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main())")
"""What the installed command does, without depending on the installation."""


def answer_ms(command: Sequence[str]) -> float:
    """Return milliseconds until `command` has ended."""
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = 1000 * (time.perf_counter() - began)
    if done.returncode not in (0, 6):  # 6: not running, the right answer of `status` here
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr[-300:]!r}")
    return took


def paint_ms(command: Sequence[str], shows: bytes) -> float:
    """Return milliseconds until `shows` is written to the terminal."""
    began = time.monotonic()
    with Terminal(command, environment={"TEXTUAL_FPS": "240"}) as terminal:
        took = 1000 * (terminal.read_until(shows, 30) - began)
        terminal.read_for(0.1)
        return took


def end_engine(data_dir: Path) -> None:
    """End the engine that the console left running, as it should, and wait for its end."""
    deadline = time.monotonic() + 20
    while (owner := holder(data_dir)) is None:  # the console may paint before it has the lock
        if time.monotonic() > deadline:
            raise RuntimeError(f"no engine was running on {data_dir}")
        time.sleep(0.01)
    os.kill(owner.pid, signal.SIGTERM)
    while holder(data_dir) is not None:
        time.sleep(0.05)


def rounds_of(
    count: int, mine: Callable[[], float], floor: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Run both in turn `count` times, after one run of each that warms the caches."""
    mine(), floor()
    pairs = [(mine(), floor()) for _ in range(count)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def version(scale: Scale) -> Figure:
    mine, floor = rounds_of(
        scale.pick(25, 9),
        lambda: answer_ms([*HOLDFAST, "--version"]),
        lambda: answer_ms(PASS),
    )
    times = ratio(mine, floor)
    return Figure(
        "B-7 --version",
        "`holdfast --version`",
        "ms",
        len(mine),
        median(mine),
        "<= 3 x `python -c pass`",
        times <= scale.pick(3, 5),
        p99=percentile(mine, 0.99),
        against={"python -c pass": median(floor)},
        ratio={"python -c pass": times},
    )


def status(scale: Scale) -> Figure:
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        mine, floor = rounds_of(
            scale.pick(15, 5),
            lambda: answer_ms([*HOLDFAST, "status", "--data-dir", folder]),
            lambda: answer_ms(PASS),
        )
    return Figure(
        "B-7 status",
        "`holdfast status`, no engine running",
        "ms",
        len(mine),
        median(mine),
        "<= 300 ms",
        median(mine) <= scale.pick(300, 900),
        p99=percentile(mine, 0.99),
        against={"python -c pass": median(floor)},
        ratio={"python -c pass": ratio(mine, floor)},
    )


def first_paint(scale: Scale) -> Figure:
    """The console with its engine against the smallest Textual application."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        places = iter(range(10_000))

        def mine() -> float:
            place = f"{folder}/{next(places)}"
            took = paint_ms([*HOLDFAST, "run", "--data-dir", place], b"Positions")
            end_engine(Path(place))
            return took

        minimal = [sys.executable, "-m", "tests.bench.victims.minimal"]
        ours, floor = rounds_of(scale.pick(15, 5), mine, lambda: paint_ms(minimal, b"ready"))
    times = ratio(ours, floor)
    return Figure(
        "B-7 first paint",
        "process start to the dashboard, engine embedded",
        "ms",
        len(ours),
        median(ours),
        "<= 2 x a minimal Textual app",
        times <= scale.pick(2, 4),
        p99=percentile(ours, 0.99),
        against={"minimal Textual app": median(floor)},
        ratio={"minimal Textual app": times},
    )


def run(scale: Scale) -> Iterator[Figure]:
    """Yield the start-up figures."""
    yield version(scale)
    yield status(scale)
    yield first_paint(scale)
