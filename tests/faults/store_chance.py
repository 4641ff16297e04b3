"""Chance against the store: bits that flip, appends that are cancelled (D06, D08, D09).

`python -m tests.faults.store_chance --n 10000 --seed 1`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.ports.journal import JournalError
from engine.store import watermark
from engine.store.reader import StoreReader
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.faults.recorder import remember
from tests.histories import History

STAMP: Final = Stamp(Mode.PAPER, "paper")
TABLES: Final = ("positions", "orders", "fills", "trading_sessions", "strategies", "trades")
FOUND: Final = "found"
HARMLESS: Final = "harmless"
SILENT: Final = "silently wrong"


async def laid(path: Path, count: int = 120) -> History:
    """Write a store and return what it holds."""
    history = History(4).run(count)
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        await journal.append(history.entries, history.state)
        await journal.checkpoint(history.state, Nanos(6))
    return history


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row that a person may read."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}


async def judged(path: Path, history: History, right: dict[str, list[tuple[object, ...]]]) -> str:
    """Return what became of a damaged store: found, harmless, or silently wrong."""
    try:
        async with SqliteJournal.open(path, STAMP, Nanos(9)) as journal:
            stored = await journal.read()
            is_right = stored == history.entries and journal.recovered.state == history.state
            differences = await journal.differences()
        with StoreReader.open(path) as reader:  # what `holdfast doctor` and `repair` look at
            reader.verify_chain()
        if not is_right:
            return SILENT
        return HARMLESS if tables(path) == right else FOUND if differences else SILENT
    except (JournalError, sqlite3.DatabaseError, UnicodeDecodeError, ValueError):
        return FOUND


def flip(path: Path, rng: random.Random) -> None:
    """Turn one bit of a file."""
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)


async def flips(place: Path, count: int, seed: int) -> Counter[str]:
    """Turn a bit of a closed database, `count` times, each in a fresh copy."""
    source, rng = place / "source.db", random.Random(seed)
    history = await laid(source)
    right = tables(source)
    found: Counter[str] = Counter()
    for _ in range(count):
        copy = _copied(source, place)
        flip(copy, rng)
        found[await judged(copy, history, right)] += 1
    return found


async def wal_flips(place: Path, count: int, seed: int) -> Counter[str]:
    """Turn a bit of the write-ahead log that a killed process left, or cut it."""
    source, rng = place / "source.db", random.Random(seed)
    history = History(4).run(60)
    killed = place / "killed.db"
    async with SqliteJournal.open(source, STAMP, Nanos(5)) as journal:
        for number in range(0, len(history.entries), 5):
            batch = history.entries[number : number + 5]
            await journal.append(batch, fold(history.entries[: number + 5]))
        for suffix in ("", "-wal"):
            shutil.copy(f"{source}{suffix}", f"{killed}{suffix}")
        shutil.copy(watermark.beside(source), watermark.beside(killed))
    right = tables(source)
    found: Counter[str] = Counter()
    for number in range(count):
        copy = _copied(killed, place)
        log = copy.with_name(f"{copy.name}-wal")
        if number % 4:
            flip(log, rng)
        else:
            log.write_bytes(log.read_bytes()[: rng.randrange(log.stat().st_size)])
        found[await judged(copy, history, right)] += 1
    return found


async def cancels(place: Path, count: int, seed: int) -> tuple[int, int]:
    """Cancel appends at random moments; return how many were tried and how many were wrong."""
    rng = random.Random(seed)
    tried = wrong = position = 0
    history, era = History(5).run(600), 0
    while tried < count:
        path = place / f"cancel{era}.db"
        era, position = era + 1, 0
        async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
            state = journal.recovered.state
            while position < len(history.entries) and tried < count:
                batch = history.entries[position : position + rng.randint(1, 7)]
                state = fold(batch, state)
                task = asyncio.ensure_future(journal.append(batch, state))
                for _ in range(rng.randint(0, 6)):
                    await asyncio.sleep(0)
                if rng.random() < 0.5:
                    await asyncio.sleep(rng.random() * 0.004)
                task.cancel()
                await asyncio.wait([task])
                async with asyncio.timeout(20):  # stuck would be for ever
                    await journal.append(batch, state)  # what was cancelled may have landed
                position += len(batch)
                tried += 1
            wrong += await journal.read() != history.entries[:position]
            wrong += len(await journal.differences())
    return tried, wrong


def _copied(source: Path, place: Path) -> Path:
    """Copy a store with its companions, over the copy before it."""
    copy = place / "copy.db"
    for suffix in ("", "-wal", "-shm"):
        old, new = Path(f"{source}{suffix}"), Path(f"{copy}{suffix}")
        new.unlink(missing_ok=True)
        if old.exists() and suffix != "-shm":
            shutil.copy(old, new)
    shutil.copy(watermark.beside(source), watermark.beside(copy))
    return copy


def said(found: Counter[str]) -> str:
    return ", ".join(f"{found[kind]} {kind}" for kind in (FOUND, HARMLESS, SILENT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        bits = asyncio.run(flips(Path(one), args.n, args.seed))
        log = asyncio.run(wal_flips(Path(two), args.n // 10, args.seed))
    with tempfile.TemporaryDirectory() as three:
        tried, wrong = asyncio.run(cancels(Path(three), args.n, args.seed))
    figures = {
        "D08": (args.n, f"{args.n} flipped bits: {said(bits)}"),
        "D09": (args.n // 10, f"{args.n // 10} damaged write-ahead logs: {said(log)}"),
        "D06": (tried, f"{tried} random cancels: {wrong} half or wrong, 0 stuck"),
    }
    for row, (count, text) in figures.items():
        print(row, text)
        remember(row, text, n=count, seed=args.seed)
    return bool(bits[SILENT] or log[SILENT] or wrong)


if __name__ == "__main__":
    raise SystemExit(main())
