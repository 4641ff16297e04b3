"""B-5: what durability costs, beside the disk, a bare SQLite loop and freqtrade."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median

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
from tests.bench import peer
from tests.bench.figures import Figure, percentile, ratio
from tests.bench.scale import Scale
from tests.histories import History

STAMP = Stamp(Mode.PAPER, "paper")

Journey = tuple[list[Entry], list[State]]


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


async def same_batches(directory: Path, journey: Journey, scale: Scale) -> AsyncIterator[Figure]:
    """Compare with the bare loop, in alternation, for several sizes of a batch."""
    for size in scale.pick((10, 100, 500), (100,)):
        part = (journey[0][: size * 200], journey[1][: size * 200])
        work, count = prepared(part, size), len(part[0])
        awaited, overlapping, floors, p99s = [], [], [], []
        for repeat in range(scale.rounds):
            where = directory / f"{size}-{repeat}"
            floors.append(count / sum(bare(where / "bare" / "db", work)))
            mine = await ours(where / "ours" / "holdfast.db", part, size)
            awaited.append(count / sum(mine))
            p99s.append(percentile(mine, 0.99) * 1e3)
            took = await overlapped(where / "overlapped" / "holdfast.db", part, size)
            overlapping.append(count / took)
        share = ratio(overlapping, floors)
        yield Figure(
            f"B-5 batches of {size}",
            "durable events per second, encoded, chained, projected and committed; the floor is a"
            " loop of sqlite3 that commits the same rows, ready-made, into the same tables in the"
            " same batches, and keeps no watermark",
            "events/s",
            count * scale.rounds,
            median(overlapping),
            ">= 0.8 x a bare SQLite loop with the same batches",
            share >= scale.pick(0.8, 0.3),
            against={"bare sqlite3": median(floors), "each commit awaited": median(awaited)},
            ratio={"bare sqlite3": share, "each commit awaited": ratio(awaited, floors)},
            note=f"a commit p99 {median(p99s):.1f} ms",
        )


async def one_commit(directory: Path, journey: Journey, scale: Scale) -> Figure:
    """Compare one event's commit with a bare write and sync."""
    part = (journey[0][:1000], journey[1][:1000])
    mine_us, raw_us, p99 = [], [], 0.0
    for repeat in range(scale.rounds):
        floor = raw(directory / f"raw{repeat}", 1000)
        mine = await ours(directory / f"one{repeat}" / "holdfast.db", part, 1)
        mine_us.append(median(mine) * 1e6)
        raw_us.append(median(floor) * 1e6)
        p99 = percentile(mine, 0.99) * 1e6
    return Figure(
        "B-5 one commit",
        "one event made durable, chained and projected",
        "us",
        1000 * scale.rounds,
        median(mine_us),
        "reference: 1.08 x write + fdatasync without projections",
        None,
        p99=p99,
        against={"write + fdatasync": median(raw_us)},
        ratio={"write + fdatasync": ratio(mine_us, raw_us)},
    )


async def offered(directory: Path, journey: Journey, rate: int, scale: Scale) -> Figure:
    """Offer events at a rate; whatever waits is committed together. Latency: offered to durable."""
    entries, states = journey
    latencies: list[float] = []
    where = directory / str(rate) / "holdfast.db"
    async with SqliteJournal.open(where, STAMP, Nanos(1)) as journal:
        began, done, commits = time.perf_counter(), 0, 0
        while done < len(entries):
            due = min(len(entries), int((time.perf_counter() - began) * rate))
            if due == done:
                await asyncio.sleep(0)
                continue
            due = min(due, done + 512)
            await journal.append(entries[done:due], states[due - 1])
            now = time.perf_counter()
            latencies += [1e3 * (now - began - number / rate) for number in range(done, due)]
            done, commits = due, commits + 1
        reached = len(entries) / (time.perf_counter() - began)
    p99 = percentile(latencies, 0.99)
    is_kept = p99 <= scale.pick(20, 200) and reached >= 0.95 * rate
    return Figure(
        f"B-5 group commit at {rate // 1000} k/s",
        f"offered to durable, {rate} events/s offered",
        "ms",
        len(entries),
        median(latencies),
        ">= 10 k events/s at p99 <= 20 ms",
        is_kept if rate == 10_000 else None,
        p99=p99,
        against={"events/s reached": reached},
        note=f"{commits} commits",
    )


async def trips(directory: Path, count: int, scale: Scale) -> Figure:
    """Count positions opened and closed, intents and fills durable, grouped as the engine does."""
    path = journey(round_trips(count))
    rates: list[float] = []
    theirs: list[float] = []
    note = ""
    for repeat in range(scale.rounds):
        took = await ours(directory / f"trips{repeat}" / "holdfast.db", path, 400)
        rates.append(count / sum(took))
        if scale.has_peers and not note:
            request = {"path": str(directory / f"freqtrade{repeat}.sqlite"), "count": 300}
            try:
                theirs.append(float(peer.ask("freqtrade", "freqtrade_trips", request)["per_s"]))
            except peer.PeerMissing as missing:
                note = str(missing)
    times = ratio(rates, theirs) if theirs else 0.0
    return Figure(
        "B-5 round trips",
        "durable position round trips: intent, fill, exit, its fill, all committed",
        "round trips/s",
        count * scale.rounds,
        median(rates),
        ">= 20 x freqtrade",
        times >= 20 if scale.has_peers else None,
        against={"freqtrade": median(theirs)} if theirs else {},
        ratio={"freqtrade": times} if theirs else {},
        note=note,
    )


async def recovery(directory: Path, journey: Journey) -> AsyncIterator[Figure]:
    """Open a store of a long journal without a checkpoint, and with one."""
    entries, states = journey
    where = directory / "recovery" / "holdfast.db"
    await ours(where, journey, 500)
    for name in ("whole journal", "checkpoint"):
        began = time.perf_counter()
        async with SqliteJournal.open(where, STAMP, Nanos(1)) as journal:
            took = time.perf_counter() - began
            yield Figure(
                f"B-6 opening, {name}",
                f"opening the store with every check, from the {name}",
                "s",
                len(entries),
                took,
                "p95 <= 2 s with 100 k events",
                None,
                note=f"{journal.recovered.folded} entries folded",
            )
            await journal.checkpoint(states[-1], Nanos(2))


async def figures(directory: Path, scale: Scale) -> AsyncIterator[Figure]:
    """Yield everything that is said of durability."""
    path = journey(History(1).run(scale.pick(40_000, 20_000)).entries)
    gc.freeze()
    yield await one_commit(directory, path, scale)
    async for figure in same_batches(directory, path, scale):
        yield figure
    for rate in scale.pick((10_000, 20_000), (10_000,)):
        yield await offered(directory, path, rate, scale)
    yield await trips(directory, scale.pick(2000, 500), scale)
    if not scale.is_short:
        async for figure in recovery(directory, path):
            yield figure
    gc.unfreeze()


def run(scale: Scale) -> Iterator[Figure]:
    """Yield the figures of B-5, and what a store's opening takes (B-6)."""

    async def collected(directory: Path) -> list[Figure]:
        return [figure async for figure in figures(directory, scale)]

    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as temporary:
        yield from asyncio.run(collected(Path(temporary)))
