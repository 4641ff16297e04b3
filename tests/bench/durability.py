"""B-5: what durability costs. One JSON line per figure; floors are measured in the same run.

`python -m tests.bench.durability [directory]` (default: a temporary one).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.domain.event import Entry
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.domain.state import State
from engine.store.chain import Head, RowTuple, genesis
from engine.store.projections import Changes, project
from engine.store.rows import rows_of
from engine.store.schema import TABLES
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.store.writer import EVENTS
from tests.histories import History

STAMP = Stamp(Mode.PAPER, "paper")
REPEATS = 5
FREQTRADE_ROUND_TRIPS = 390
"""Per second, measured here earlier (field/speed.md §2); freqtrade is not a dependency."""

Journey = tuple[list[Entry], list[State]]


def say(figure: str, **values: object) -> None:
    print(json.dumps({"figure": f"B-5 {figure}", **values}), flush=True)


def journey(entries: list[Entry]) -> Journey:
    states, state = [], State()
    for entry in entries:
        state = evolve(state, entry)
        states.append(state)
    return entries, states


def round_trips(count: int) -> list[Entry]:
    history = History(1).start()
    while sum(a.trades for a in history.state.accounts.values()) < count:
        history.request_entry()
        history.fill(next(iter(history.state.orders.values())), in_parts=False)
        history.exit_of(next(iter(history.state.positions)))
    return history.entries


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def cut(count: int, size: int) -> list[tuple[int, int]]:
    return [(start, min(start + size, count)) for start in range(0, count, size)]


async def ours(path: Path, journey: Journey, size: int) -> list[float]:
    """Return seconds per commit through the journal, each awaited before the next."""
    entries, states = journey
    took = []
    async with SqliteJournal.open(path, STAMP, Nanos(1)) as journal:
        for start, end in cut(len(entries), size):
            batch, after = entries[start:end], states[end - 1]
            began = time.perf_counter()
            await journal.append(batch, after)
            took.append(time.perf_counter() - began)
    return took


async def overlapped(path: Path, journey: Journey, size: int) -> float:
    """Return seconds for all commits, the next batch handed over while one is being committed."""
    entries, states = journey
    async with SqliteJournal.open(path, STAMP, Nanos(1)) as journal:
        began = time.perf_counter()
        waiting: list[asyncio.Task[None]] = []
        for start, end in cut(len(entries), size):
            commit = asyncio.ensure_future(journal.append(entries[start:end], states[end - 1]))
            waiting.append(commit)
            await asyncio.sleep(0)
            if len(waiting) > 2:
                await waiting.pop(0)
        for commit in waiting:
            await commit
        return time.perf_counter() - began


def prepared(journey: Journey, size: int) -> list[tuple[list[RowTuple], Changes]]:
    entries, states = journey
    head, made, before = genesis("paper", "paper", "", ""), [], State()
    for start, end in cut(len(entries), size):
        rows = rows_of(entries[start:end], head, "s1")
        made.append((rows, project(before, entries[start:end], states[end - 1])))
        before, head = states[end - 1], Head(states[end - 1].seq, rows[-1][-1])
    return made


def bare(path: Path, work: list[tuple[list[RowTuple], Changes]]) -> list[float]:
    """Return seconds per commit of a loop around sqlite3 that writes the same rows, ready-made."""
    path.parent.mkdir(parents=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    for statement in TABLES:
        db.execute(statement)
    took = []
    for rows, changes in work:
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        EVENTS.write(db, rows)
        changes.write(db)
        db.execute("COMMIT")
        took.append(time.perf_counter() - began)
    db.close()
    return took


def raw(path: Path, count: int) -> list[float]:
    """Return seconds per overwritten 4 KiB + fdatasync: the disk's own limit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, bytes(4096 * 256), 0)
    os.fsync(fd)
    took = []
    for number in range(count):
        began = time.perf_counter()
        os.pwrite(fd, b"x" * 4096, number % 256 * 4096)
        os.fdatasync(fd)
        took.append(time.perf_counter() - began)
    os.close(fd)
    return took


async def same_batches(directory: Path, journey: Journey) -> None:
    """Compare with the bare loop, in alternation, for several sizes of a batch."""
    for size in (1, 10, 100, 500):
        part = (journey[0][: size * 200], journey[1][: size * 200])
        work, count = prepared(part, size), len(part[0])
        awaited, overlapping, floors, p99s = [], [], [], []
        for repeat in range(REPEATS):
            where = directory / f"{size}-{repeat}"
            floors.append(count / sum(bare(where / "bare" / "db", work)))
            mine = await ours(where / "ours" / "holdfast.db", part, size)
            awaited.append(count / sum(mine))
            p99s.append(percentile(mine, 0.99) * 1e3)
            took = await overlapped(where / "overlapped" / "holdfast.db", part, size)
            overlapping.append(count / took)
        say(
            "durable events per second as a share of bare sqlite3 writing the same rows",
            batch=size,
            n=count * REPEATS,
            events_per_s=round(statistics.median(overlapping)),
            events_per_s_awaited=round(statistics.median(awaited)),
            bare_per_s=round(statistics.median(floors)),
            commit_ms_p99=round(statistics.median(p99s), 2),
            ratio=median_ratio(overlapping, floors),
            ratio_awaited=median_ratio(awaited, floors),
            budget=">= 0.8",
        )


def median_ratio(mine: Sequence[float], floors: Sequence[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(mine, floors, strict=True)), 3)


async def one_commit(directory: Path, journey: Journey) -> None:
    """Compare one event's commit with a bare write and sync."""
    part = (journey[0][:1000], journey[1][:1000])
    ratios, mine_us, raw_us = [], [], []
    for repeat in range(REPEATS):
        floor = raw(directory / f"raw{repeat}", 1000)
        mine = await ours(directory / f"one{repeat}" / "holdfast.db", part, 1)
        mine_us.append(statistics.median(mine) * 1e6)
        raw_us.append(statistics.median(floor) * 1e6)
        ratios.append(mine_us[-1] / raw_us[-1])
    say(
        "one commit against write + fdatasync",
        n=1000 * REPEATS,
        ours_us_p50=round(statistics.median(mine_us)),
        raw_us_p50=round(statistics.median(raw_us)),
        ratio=round(statistics.median(ratios), 2),
    )


async def offered(directory: Path, journey: Journey, rate: int) -> None:
    """Offer events at a rate; whatever waits is committed together. Latency: offered to durable."""
    entries, states = journey
    latencies: list[float] = []
    async with SqliteJournal.open(
        directory / str(rate) / "holdfast.db", STAMP, Nanos(1)
    ) as journal:
        began, done, commits = time.perf_counter(), 0, 0
        while done < len(entries):
            due = min(len(entries), int((time.perf_counter() - began) * rate))
            if due == done:
                await asyncio.sleep(0)
                continue
            due = min(due, done + 512)
            await journal.append(entries[done:due], states[due - 1])
            now = time.perf_counter()
            latencies += [now - began - number / rate for number in range(done, due)]
            done, commits = due, commits + 1
        took = time.perf_counter() - began
    say(
        f"group commit, {rate} events/s offered",
        n=len(entries),
        events_per_s=round(len(entries) / took),
        commits=commits,
        ms_p50=round(percentile(latencies, 0.5) * 1e3, 2),
        ms_p99=round(percentile(latencies, 0.99) * 1e3, 2),
        budget="10 k/s at p99 <= 20 ms",
    )


async def trips(directory: Path, count: int) -> None:
    """Count positions opened and closed, intents and fills durable, grouped as the engine does."""
    path = journey(round_trips(count))
    rates = []
    for repeat in range(REPEATS):
        took = await ours(directory / f"trips{repeat}" / "holdfast.db", path, 400)
        rates.append(count / sum(took))
    rate = statistics.median(rates)
    say(
        "durable position round trips per second",
        n=count * REPEATS,
        per_s=round(rate),
        freqtrade_per_s=FREQTRADE_ROUND_TRIPS,
        ratio=round(rate / FREQTRADE_ROUND_TRIPS, 1),
        budget=">= 20",
    )


async def recovery(directory: Path, journey: Journey) -> None:
    """Open a store of a long journal without a checkpoint, and with one."""
    entries, states = journey
    where = directory / "recovery" / "holdfast.db"
    await ours(where, journey, 500)
    for name in ("whole journal", "checkpoint"):
        began = time.perf_counter()
        async with SqliteJournal.open(where, STAMP, Nanos(1)) as journal:
            took = time.perf_counter() - began
            say(
                f"opening with every check, from the {name}",
                entries=len(entries),
                folded=journal.recovered.folded,
                s=round(took, 3),
            )
            await journal.checkpoint(states[-1], Nanos(2))


async def main(directory: Path) -> None:
    path = journey(History(1).run(40_000).entries)
    gc.freeze()
    await one_commit(directory, path)
    await same_batches(directory, path)
    await offered(directory, path, 10_000)
    await offered(directory, path, 20_000)
    await trips(directory, 2000)
    await recovery(directory, path)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory(prefix="durability-") as temporary:
            asyncio.run(main(Path(temporary)))
