"""Whatever the store writes, a fault inside its n-th write or sync, for every n (P02, D02, D03, …).

`python -m tests.faults.every_write [--stride 1] [--seed 0]` runs all of them; strace injects.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.store.export import export_all
from engine.store.reader import StoreReader
from engine.store.schema import SCHEMA_VERSION
from engine.store.sqlite import SqliteJournal
from tests.faults.recorder import remember
from tests.faults.store_victim import LENGTH, SEED, STAMP, database
from tests.histories import History
from tests.unit.test_store_export import store, two_sessions
from tests.unit.test_store_version_1 import old_store

SYNC, WRITE = "fdatasync", "pwrite64"


@dataclass(slots=True)
class Figures:
    """What came of the faults."""

    total: int = 0
    """Calls of the kind in a run without a fault."""
    covered: list[int] = field(default_factory=list)
    struck: int = 0
    """Runs in which the fault was met."""
    wrong: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return f"{len(self.covered)} of {self.total} n, {self.struck} met: {len(self.wrong)} wrong"


def traced(words: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run a module under strace."""
    command = ["strace", "-f", "-qq", *options, sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def calls(words: list[str], names: str, place: Path) -> int:
    """Return how many calls of these names a run without a fault makes."""
    log = place / "calls"
    done = traced(words, "-o", str(log), "-e", f"trace={names}")
    assert done.returncode == 0, done.stderr[-2000:]
    said = log.read_text(errors="replace").splitlines()
    return sum(f"{name}(" in line for line in said for name in names.split(","))


def chosen(total: int, stride: int, offset: int) -> list[int]:
    """Return which n are struck: every `stride`-th, and always the first and the last."""
    return sorted({1, total, *range(1 + offset % stride, total + 1, stride)})


def strike(
    victim: Callable[[Path], list[str]],
    check: Callable[[Path, str], str],
    fault: str,
    stride: int,
    offset: int = 0,
    lay: Callable[[Path], None] = lambda _place: None,
) -> Figures:
    """Let `fault` (strace's words without `when`) strike a fresh run at each chosen n.

    `lay` prepares a directory, `check` returns what is wrong in one, empty if nothing is.
    """
    names, figures = fault.partition(":")[0], Figures()
    with tempfile.TemporaryDirectory() as where:
        pattern = Path(where) / "pattern"
        pattern.mkdir()
        lay(pattern)
        first = Path(where) / "first"
        shutil.copytree(pattern, first)
        figures.total = calls(victim(first), names, Path(where))
        for n in chosen(figures.total, stride, offset):
            place = Path(where) / str(n)
            shutil.copytree(pattern, place)
            ran = traced(victim(place), "-o", "/dev/null", "-e", f"inject={fault}:when={n}")
            figures.covered.append(n)
            is_dead = "done" not in ran.stdout
            figures.struck += is_dead or "failed" in ran.stdout
            wrong = check(place, ran.stdout)
            if wrong:
                figures.wrong.append(f"n={n}: {wrong}")
            shutil.rmtree(place)
    return figures


def journal_victim(place: Path) -> list[str]:
    return ["tests.faults.store_victim", str(place), "retry"]


def journal_wrong(place: Path, said: str) -> str:
    """Return what is lost, doubled or changed of a journal whose victim said so much."""
    words = said.split()
    acknowledged = max((int(word) for word in words if word.isdigit()), default=0)

    async def look() -> str:
        async with SqliteJournal.open(database(place), STAMP, Nanos(1)) as journal:
            history = History(SEED).run(LENGTH).entries[: journal.head]
            if journal.head < acknowledged:
                return f"{acknowledged - journal.head} lost"
            if await journal.read() != history or journal.recovered.state != fold(history):
                return "another journal"
            return "; ".join(map(str, await journal.differences()))

    return asyncio.run(look())


def migrating_victim(place: Path) -> list[str]:
    return ["tests.faults.writing_victim", "migrate", str(place)]


def lay_old_store(place: Path) -> None:
    old_store(place / "holdfast.db")


def migration_wrong(place: Path, _said: str) -> str:
    """Return what is between old and new in a store that was killed while it migrated."""
    path = place / "holdfast.db"
    with closing(sqlite3.connect(path)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        count = db.execute("SELECT count(*) FROM events").fetchone()[0]
        kinds = {row[0] for row in db.execute("SELECT DISTINCT typeof(pnl) FROM trading_sessions")}
    is_old = version == 1 and "text" in kinds
    is_new = version == SCHEMA_VERSION and "text" not in kinds
    if count != 144 or not (is_old or is_new):
        return f"version {version}, {count} entries, amounts are {kinds}"

    async def look() -> str:  # and the next start ends what was begun
        async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
            return "; ".join(map(str, await journal.differences()))

    return asyncio.run(look())


def exporting_victim(place: Path) -> list[str]:
    return ["tests.faults.writing_victim", "export", str(place)]


def lay_store(place: Path) -> None:
    asyncio.run(store(place / "holdfast.db", two_sessions()))


def export_wrong(place: Path, _said: str) -> str:
    """Return which file is not what a fresh export says, after the next one."""
    path = place / "holdfast.db"
    export_all(path, place / "exports")
    export_all(path, place / "fresh")
    fresh = {file.name: file.read_bytes() for file in (place / "fresh").iterdir()}
    again = {file.name: file.read_bytes() for file in (place / "exports").glob("*.csv")}
    with StoreReader.open(path) as reader:
        reader.verify_chain()
    wrong = [name for name in fresh if again.get(name) != fresh[name]]
    return ", ".join([*wrong, *sorted(again.keys() - fresh.keys())])


KILLS: Final = (f"{WRITE}:signal=KILL", f"{SYNC}:signal=KILL")
ERRORS: Final = (f"{WRITE}:error=EIO", f"{WRITE}:error=ENOSPC", f"{SYNC}:error=EIO")
EXPORT_KILLS: Final = ("write:signal=KILL", "fsync:signal=KILL")


def journal(faults: tuple[str, ...], stride: int, offset: int) -> list[Figures]:
    return [strike(journal_victim, journal_wrong, fault, stride, offset) for fault in faults]


def migration(stride: int, offset: int) -> list[Figures]:
    work = (migrating_victim, migration_wrong)
    return [strike(*work, fault, stride, offset, lay_old_store) for fault in KILLS]


def export(stride: int, offset: int) -> list[Figures]:
    work = (exporting_victim, export_wrong)
    return [strike(*work, fault, stride, offset, lay_store) for fault in EXPORT_KILLS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--offset", type=int, default=0)
    args = parser.parse_args()
    every = (args.stride, args.offset)
    found = {
        "P02": journal(KILLS, *every),
        "D02": journal(ERRORS[2:], *every),
        "D03": journal(ERRORS[:2], *every),
        "D13": migration(*every),
        "D15": export(*every),
    }
    for row, figures in found.items():
        text = "; ".join(each.text for each in figures)
        print(row, text, *(wrong for each in figures for wrong in each.wrong), sep="\n  ")
        remember(row, text, n=sum(len(each.covered) for each in figures))
    return any(each.wrong for figures in found.values() for each in figures)


if __name__ == "__main__":
    raise SystemExit(main())
