"""B-2, B-3, B-4 and the engine's share of B-11: how late a decision is, whatever the console does.

Engine, sender and console are processes of their own; the console draws on a pty at 10 Hz.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from tests.bench import rigs
from tests.bench.figures import Figure, percentile, ratio
from tests.bench.processes import rss_mb
from tests.bench.scale import Scale

POSITIONS = 100
CROSSINGS = 20.0
"""Stops crossed per second in B-4."""


Memory = tuple[float, float]
"""Resident megabytes before and after."""


def decided(
    rate: int, seconds: float, *, with_console: bool, reads: bool = True
) -> tuple[list[float], Memory]:
    """Return (milliseconds from socket to decision, memory) of one run of the three processes."""
    with ExitStack() as stack:
        running = stack.enter_context(rigs.engine(positions=POSITIONS))
        terminal = stack.enter_context(rigs.console(running)) if with_console else None
        stack.enter_context(rigs.ticks(running, rate, POSITIONS))
        if terminal is not None:
            terminal.read_for(2)
        before, start = rss_mb(running.process.pid), time.monotonic()
        if terminal is not None and reads:
            terminal.read_for(seconds)
            if terminal.bytes_between(start, time.monotonic()) < 1000 * seconds:
                raise RuntimeError("the console did not draw: the figure would mean nothing")
        else:
            time.sleep(seconds)
        after = rss_mb(running.process.pid)
        if terminal is not None and not reads:
            os.kill(terminal.pid, signal.SIGKILL)  # it would wait for its terminal
        return [float(ms) for ms in running.result()["decided_ms"]], (before, after)


def with_console(scale: Scale) -> Iterator[Figure]:
    """B-2: rounds of both, in turn."""
    seconds = scale.pick(8.0, 3.0)
    for rate in scale.pick((1000, 10_000), (1000,)):
        p99s: tuple[list[float], list[float]] = ([], [])
        drawn: list[float] = []
        alone: list[float] = []
        for _ in range(scale.pick(5, 2)):
            alone += (one := decided(rate, seconds, with_console=False)[0])
            drawn += (other := decided(rate, seconds, with_console=True)[0])
            p99s[0].append(percentile(other, 0.99))
            p99s[1].append(percentile(one, 0.99))
        p50, p99, times = median(drawn), median(p99s[0]), ratio(*p99s)
        is_kept = p50 <= 0.2 and p99 <= 6 and times <= 2.5
        yield Figure(
            f"B-2 at {rate // 1000} k/s",
            f"tick on the socket to decision, console drawing at 10 Hz, {rate} messages/s",
            "ms",
            len(drawn),
            p50,
            "p50 <= 0.2 ms, p99 <= 6 ms, p99 <= 2.5 x without a console",
            p99 <= 60 if scale.is_short else is_kept,
            p99=p99,
            against={"p50 without console": median(alone), "p99 without console": median(p99s[1])},
            ratio={"p99 without console": times},
            note=f"p99.9 {percentile(drawn, 0.999):.2f} ms, max {max(drawn):.1f} ms",
        )


def unread(scale: Scale) -> Figure:
    """B-3: the terminal is not read (a stalled SSH session)."""
    seconds = scale.pick(60.0, 8.0)
    took, (before, after) = decided(1000, seconds, with_console=True, reads=False)
    p99 = percentile(took, 0.99)
    return Figure(
        "B-3",
        f"tick on the socket to decision, terminal not read for {seconds:.0f} s, 1000 messages/s",
        "ms",
        len(took),
        median(took),
        "p99 <= 10 ms, none late, memory bounded",
        p99 <= scale.pick(10, 60) and max(took) <= scale.pick(250, 1000) and after - before <= 10,
        p99=p99,
        note=f"max {max(took):.1f} ms; engine's memory {before:.0f} -> {after:.0f} MB",
    )


def crossed(
    name: str,
    what: str,
    limit: float,
    scale: Scale,
    *,
    stops_console: bool = False,
    **plan: float,
) -> Figure:
    """B-4: from a stop crossed to the exit intent on disk."""
    count = scale.pick(400, 60)
    with ExitStack() as stack:
        running = stack.enter_context(rigs.engine(positions=count, **plan))
        terminal = stack.enter_context(rigs.console(running))
        stack.enter_context(rigs.ticks(running, 1000, count, CROSSINGS))
        end = time.monotonic() + count / CROSSINGS + 1
        if stops_console:
            terminal.read_for(1)
            os.kill(terminal.pid, signal.SIGSTOP)
            time.sleep(3)
            os.kill(terminal.pid, signal.SIGCONT)
        terminal.read_for(max(0.0, end - time.monotonic()))
        result = running.result()
    took = [float(ms) for ms in result["durable_ms"]]
    p99 = percentile(took, 0.99)
    return Figure(
        name,
        what,
        "ms",
        len(took),
        median(took),
        f"p99 <= {limit:.0f} ms",
        p99 <= limit * scale.pick(1, 4) and len(took) >= 0.95 * count,
        p99=p99,
        note=f"max {max(took):.1f} ms",
    )


def memory(scale: Scale) -> Figure:
    """B-11: an engine with 1 000 positions."""
    seconds = scale.pick(30.0, 5.0)
    with rigs.engine(positions=1000) as running, rigs.ticks(running, 2000, 1000):
        time.sleep(seconds)
        held = rss_mb(running.process.pid)
        running.result()
    return Figure(
        "B-11 engine",
        f"resident memory of the engine, 1 000 positions, after {seconds:.0f} s of 2 k ticks/s",
        "MB",
        int(seconds * 2000),
        held,
        "<= 120 MB",
        held <= 120,
    )


def run(scale: Scale) -> Iterator[Figure]:
    """Yield the engine's latencies."""
    yield from with_console(scale)
    yield unread(scale)
    yield crossed("B-4 idle", "stop crossed to exit intent durable", 50, scale)
    if not scale.is_short:
        yield crossed(
            "B-4 slow disk",
            "the same on a disk that answers nobody for 300 ms once in 10 s",
            250,
            scale,
            stall_s=0.3,
        )
        yield crossed(
            "B-4 stalled console",
            "the same while the console is stopped for 3 s",
            250,
            scale,
            stops_console=True,
        )
        yield crossed(
            "B-4 venue at 429",
            "the same while the venue answers 19 of 20 orders with too many requests",
            250,
            scale,
            is_venue_busy=True,
        )
    yield memory(scale)
