"""B-8, B-9, B-10, the console's share of B-11: a real console on a pty, a real engine behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median

from tests.bench import rigs
from tests.bench.figures import Figure, percentile
from tests.bench.processes import cpu_seconds, rss_mb
from tests.bench.pty import Terminal, screens
from tests.bench.scale import Scale

RATE = 50_000
"""Ticks per second into the engine; the console sees the newest of each instrument."""
KEYS = (b"j", b"j", b"j", b"k", b"k", b"k")
POSITIONS = 100
SWING = 0.003
"""Every price jumps by up to 0.3 %: all moving cells move in every frame, and no stop fires."""


@contextmanager
def console(rate: int = RATE, *options: str, link: float | None = None) -> Iterator[Terminal]:
    """Run an engine at `rate` ticks per second; yield a console's terminal, drawn and warm."""
    with ExitStack() as stack:
        running = stack.enter_context(rigs.engine(positions=POSITIONS))
        terminal = stack.enter_context(rigs.console(running, *options, link=link))
        if rate:
            stack.enter_context(rigs.ticks(running, rate, POSITIONS, swing=SWING))
        terminal.read_for(3)
        yield terminal


def type_keys(terminal: Terminal, count: int, pause: float) -> list[float]:
    """Type `count` cursor keys, `pause` seconds apart (and a little more each time)."""
    typed = []
    for number in range(count):
        typed.append(terminal.write(KEYS[number % len(KEYS)]))
        terminal.read_for(pause + number % 7 * 0.003)  # not in step with the frames
    return typed


def key_to_paint(terminal: Terminal, typed: Sequence[float]) -> list[float]:
    """Return milliseconds from each key to the first frame with the cursor on another row."""
    marks: list[tuple[float, str]] = []
    for at, screen in screens(terminal):
        rows = [row for row in screen.display if row.startswith(">")]
        mark = rows[0][1:13].strip() if rows else ""
        if mark and (not marks or marks[-1][1] != mark):
            marks.append((at, mark))
    took = []
    for number, start in enumerate(typed):
        end = typed[number + 1] if number + 1 < len(typed) else start + 5
        painted = [at for at, _ in marks if start < at < end]
        took.append(1000 * (painted[0] - start) if painted else 1000 * (end - start))
    return took


def keys(scale: Scale) -> Figure:
    """B-8."""
    count = scale.pick(250, 60)
    with console() as terminal:
        typed = type_keys(terminal, count, 0.09)
        mine = key_to_paint(terminal, typed)
    with Terminal([sys.executable, "-m", "tests.bench.victims.minimal"]) as terminal:
        terminal.read_until(b"ready", 20)
        terminal.read_for(0.5)
        floor = key_to_paint(terminal, type_keys(terminal, count, 0.05))
    p50, p99 = median(mine), percentile(mine, 0.99)
    limits = scale.pick((5.0, 40.0), (20.0, 150.0))
    return Figure(
        "B-8",
        f"key to paint, 100 positions, {RATE // 1000} k ticks/s, 120x36",
        "ms",
        len(mine),
        p50,
        "p50 <= 5 ms, p99 <= 40 ms",
        p50 <= limits[0] and p99 <= limits[1],
        p99=p99,
        against={
            "idle minimal Textual app": median(floor),
            "its p99": percentile(floor, 0.99),
        },
        ratio={"idle minimal Textual app": p50 / median(floor)},
    )


def cost(command: Terminal, seconds: float) -> tuple[float, float]:
    """Return (bytes per second written, percent of a core) over `seconds` from now."""
    start, cpu = time.monotonic(), cpu_seconds(command.pid)
    command.read_for(seconds)
    end, used = time.monotonic(), cpu_seconds(command.pid) - cpu
    return command.bytes_between(start, end) / (end - start), 100 * used / (end - start)


def table_cost(seconds: float) -> tuple[float, float]:
    """Return what a DataTable of the same size costs."""
    with Terminal([sys.executable, "-m", "tests.bench.victims.table"]) as terminal:
        terminal.read_until(b"SHARE0", 20)
        terminal.read_for(1)
        return cost(terminal, seconds)


def moving(scale: Scale) -> Iterator[Figure]:
    """B-9 at the default rate, B-10 moving, B-11."""
    seconds = scale.pick(10.0, 4.0)
    with console() as terminal:
        sent, cpu = cost(terminal, seconds)
        memory = rss_mb(terminal.pid)
    table_sent, table_cpu = table_cost(seconds / 2)
    room = scale.pick(1, 2)
    yield Figure(
        "B-9",
        "written to the terminal, 100 positions moving, 120x36, 10 Hz",
        "kB/s",
        int(seconds * 10),
        sent / 1000,
        "<= 35 kB/s",
        sent / 1000 <= 35 * room,
        against={"DataTable": table_sent / 1000},
        ratio={"DataTable": sent / table_sent},
    )
    yield Figure(
        "B-10 moving",
        "CPU of the console, 100 positions moving, 10 Hz",
        "% of a core",
        int(seconds * 10),
        cpu,
        "<= 12 %",
        cpu <= 12 * room,
        against={"DataTable": table_cpu},
        ratio={"DataTable": cpu / table_cpu},
    )
    yield Figure(
        "B-11 console",
        "resident memory of the console, 100 positions",
        "MB",
        1,
        memory,
        "<= 90 MB",
        memory <= 90,
    )


def resting(scale: Scale) -> Figure:
    """B-10 at rest: the market is closed, only the heartbeat comes."""
    seconds = scale.pick(15.0, 4.0)
    with console(0) as terminal:
        terminal.read_for(scale.pick(65.0, 0.0))  # rest: prices have been of minutes ago for long
        sent, cpu = cost(terminal, seconds)
    return Figure(
        "B-10 rest",
        "CPU of the console with a closed market, a minute after the last price",
        "% of a core",
        int(seconds),
        cpu,
        "<= 1 %",
        cpu <= scale.pick(1, 4),
        note=f"{sent:.0f} B/s written",
    )


def slow_mode() -> Figure:
    """B-9 in the slow-link mode."""
    with console(RATE, "--slow") as terminal:
        sent, _ = cost(terminal, 10)
    return Figure(
        "B-9 slow-link mode",
        "written to the terminal in the slow-link mode, 100 positions moving",
        "kB/s",
        100,
        sent / 1000,
        "<= 6 kB/s",
        sent <= 6000,
    )


def narrow_link() -> Figure:
    """B-9 on a link that carries 32 kB/s: the console must adapt to what it drains."""
    with console(link=32_000.0) as terminal:
        took = key_to_paint(terminal, type_keys(terminal, 100, 0.4))
    p99 = percentile(took, 0.99)
    return Figure(
        "B-9 narrow link",
        "key to paint on a link of 32 kB/s, 100 positions moving",
        "ms",
        len(took),
        median(took),
        "p99 <= 300 ms",
        p99 <= 300,
        p99=p99,
    )


def run(scale: Scale) -> Iterator[Figure]:
    """Yield the console's figures."""
    yield keys(scale)
    yield from moving(scale)
    yield resting(scale)
    if not scale.is_short:
        yield slow_mode()
        yield narrow_link()
