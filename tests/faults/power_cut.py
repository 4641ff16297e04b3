"""Cut the power at any of the real program's own writes, and open what is left (B-21).

`python -m tests.faults.power_cut --points 10000 --seed S [--entries N] [--planted]`

An engine under load is recorded once (`tests/faults/power_record.py`). For every cut the files are
rebuilt as they can look then: what was synced, and of what was written since nothing (drop), a
beginning (prefix), any part (subset), or parts with torn blocks (torn). Each is opened as a start
opens it: everything acknowledged before the cut is there, the rest is a beginning of the journal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from engine.domain.ids import Nanos, Seq
from engine.domain.session import Mode
from engine.ports.journal import JournalError
from engine.store.chain import Head
from engine.store.resilient import recover_spilled
from engine.store.spill import Spill
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.faults.kill_engine import machine
from tests.faults.power_record import Recording, StraceMissing, record
from tests.faults.test_store_power_cut import POLICIES, Call, apply, survivors

STAMP: Final = Stamp(Mode.PAPER, "paper")
SHM: Final = Path("/dev/shm")
ENTRIES: Final = 900
PLANTED: Final = ("tests.faults.normal_engine", "tests.faults.early_engine")
Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class Verdict:
    """What the cuts of one recording led to."""

    seed: int
    points: int = 0
    opened: int = 0
    """Different sets of files among them: the same files are opened once."""
    lost: int = 0
    """Cuts after which something acknowledged was gone."""
    corrupt: int = 0
    """Cuts after which the store was refused, or held what was never journaled."""
    by_policy: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def found(self, what: str) -> None:
        if len(self.told) < 8:
            self.told.append(what)


class Disk:
    """What is safe on the disk, and what is only in its cache."""

    def __init__(self) -> None:
        self.safe: dict[str, bytearray] = {}
        self.cached: dict[str, list[tuple[int, Call]]] = {}
        self.syncs: Counter[str] = Counter()
        self.acknowledged = 0

    def take(self, number: int, call: Call) -> None:
        if call.kind == "ack":
            self.acknowledged = max(self.acknowledged, int(call.content))
        elif call.kind == "sync":
            self.syncs[call.path] += 1
            for _, change in self.cached.pop(call.path, []):
                apply(self.safe.setdefault(call.path, bytearray()), change)
        else:
            self.safe.setdefault(call.path, bytearray())
            self.cached.setdefault(call.path, []).append((number, call))

    def left(self, policy: str, rng: random.Random) -> tuple[Key, dict[str, list[Call]]]:
        """Return what survives of the cache, and a key that is the same for the same files."""
        kept: dict[str, list[Call]] = {}
        key: list[object] = []
        for path in self.safe:
            pending = [call for _, call in self.cached.get(path, [])]
            numbers = {id(call): number for number, call in self.cached.get(path, [])}
            kept[path] = survivors(pending, policy, rng)
            which = tuple((numbers.get(id(c), -c.offset), len(c.content)) for c in kept[path])
            key.append((path, self.syncs[path], which))
        return tuple(key), kept

    def write(self, target: Path, kept: dict[str, list[Call]]) -> None:
        target.mkdir()
        for path, content in self.safe.items():
            image = content
            if kept[path]:
                image = bytearray(content)
                for change in kept[path]:
                    apply(image, change)
            (target / Path(path).name).write_bytes(image)


async def cut(recording: Recording, points: int, seed: int) -> Verdict:
    """Cut at `points` places, over all calls and policies, and judge what is left."""
    verdict, rng, began = Verdict(seed), random.Random(f"cuts-{seed}"), time.monotonic()
    work = Path(tempfile.mkdtemp(prefix="holdfast-cut-", dir=SHM if SHM.is_dir() else None))
    disk, known = Disk(), dict[Key, Head | str]()
    places = len(recording.calls) * len(POLICIES)
    try:
        for number, call in enumerate(recording.calls):
            disk.take(number, call)
            for index, policy in enumerate(POLICIES):
                place = number * len(POLICIES) + index
                if (place + 1) * points // places == place * points // places:
                    continue
                for _ in range((place + 1) * points // places - place * points // places):
                    key, kept = disk.left(policy, rng)
                    if key not in known:
                        verdict.opened += 1
                        disk.write(work / "store", kept)
                        known[key] = await _opened(work / "store", recording)
                        shutil.rmtree(work / "store")
                    _judge(verdict, known[key], disk, policy, number)
    finally:
        shutil.rmtree(work)
    verdict.seconds = time.monotonic() - began
    return verdict


async def _opened(directory: Path, recording: Recording) -> Head | str:
    """Open a store as a start does; return where its journal ends, or what is wrong with it."""
    database = directory / "holdfast.db"
    try:
        async with SqliteJournal.open(database, STAMP, Nanos(1)) as journal:
            state = await recover_spilled(journal, Spill(database, ()))
            head = journal._writer.head
    except (JournalError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    if head.seq and recording.hashes.get(head.seq) != head.hash:
        return f"entry {head.seq} is not the one that was journaled"
    if head.seq and state != recording.states[Seq(head.seq)]:
        return f"the state at {head.seq} is not the one that its entries lead to"
    return head


def _judge(verdict: Verdict, found: Head | str, disk: Disk, policy: str, number: int) -> None:
    verdict.points += 1
    verdict.by_policy[policy] += 1
    where = f"{policy} at call {number}, entry {disk.acknowledged} acknowledged"
    if isinstance(found, str):
        verdict.corrupt += 1
        verdict.found(f"{where}: {found}")
    elif found.seq < disk.acknowledged:
        verdict.lost += 1
        verdict.found(f"{where}: the journal ends at {found.seq}")


def measured(
    points: int, seed: int, entries: int = ENTRIES, module: str = "tui.cli"
) -> tuple[Recording, Verdict]:
    """Record an engine in a directory of its own, and cut."""
    with tempfile.TemporaryDirectory(prefix="holdfast-power-") as directory:
        recording = record(Path(directory), entries, seed, module)
    return recording, asyncio.run(cut(recording, points, seed))


def row(recording: Recording, verdict: Verdict) -> dict[str, object]:
    """Return the figures as one JSON object."""
    kinds = Counter(call.kind for call in recording.calls)
    return {
        "n": verdict.points,
        "seed": verdict.seed,
        "opened": verdict.opened,
        "lost": verdict.lost,
        "corrupt": verdict.corrupt,
        "by_policy": dict(verdict.by_policy),
        "acknowledged": recording.acknowledged,
        "heard_outside": recording.heard,
        "entries": len(recording.hashes),
        "writes": kinds["write"],
        "syncs": kinds["sync"],
        "seconds": round(verdict.seconds, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--entries", type=int, default=ENTRIES, help="journaled by the engine")
    parser.add_argument("--planted", action="store_true", help="the planted bugs alone")
    args = parser.parse_args()
    try:
        for module in PLANTED:
            recording, verdict = measured(1_000, args.seed, 300, module)
            print(json.dumps({"planted": module, **row(recording, verdict)}), flush=True)
            if not (verdict.lost or verdict.corrupt):  # the watermark tells of a short journal
                print("the planted bug was not found: no figure is worth anything", file=sys.stderr)
                return 1
        if args.planted:
            return 0
        recording, verdict = measured(args.points, args.seed, args.entries)
    except StraceMissing as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({**row(recording, verdict), "machine": machine()}))
    for text in verdict.told:
        print(text, file=sys.stderr)
    return 1 if verdict.lost or verdict.corrupt else 0


if __name__ == "__main__":
    sys.exit(main())
