"""Simulate days of the whole engine in seconds, with faults from a seed (B-23).

`python -m tests.faults.simulate --hours 24 --seed S [--seeds N] [--storm|--soak] [--planted]`

The engine is the one that a live session runs (`engine/bootstrap/live.py`): its own store on a
directory, opening, executor, reconciler, monitor, chores. Around it are a virtual clock, a venue
with a ledger of its own behind a faulty wire, a market told by a faulty feed, a disk that fails,
an operator, crashes and restarts. Each journal entry is one state, and each is examined.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.faults.kill_engine import machine
from tests.faults.sim_bugs import BUGS
from tests.faults.sim_world import SOAK, STORM, Weather, World

SHM: Final = Path("/dev/shm")
PLANTED_HOURS, PLANTED_SEEDS = 0.5, 8
SOAK_HELP: Final = "96 hours for B-11: what is kept within bounds takes two days to fill"
"""5 000 entries, 2 000 log lines, 200 interventions, 512 ids: the slope is of the second half."""


@dataclass(slots=True)
class Outcome:
    """What one seed led to."""

    seed: int
    hours: float
    states: int
    shapes: set[tuple[object, ...]]
    fills: int
    journal: str
    """Hash of the whole journal."""
    faults: list[str]
    counts: dict[str, int]
    rss_mb: list[float] = field(default_factory=list)
    objects: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    def per_day(self, series: list[float]) -> float | None:
        """Slope in the second half, by least squares; None: too short to say."""
        late = series[len(series) // 2 :]
        if len(late) < 5:
            return None
        mean_x, mean_y = (len(late) - 1) / 2, sum(late) / len(late)
        spread = sum((x - mean_x) ** 2 for x in range(len(late)))
        slope = sum((x - mean_x) * (y - mean_y) for x, y in enumerate(late)) / spread
        return round(slope * 24 * len(series) / self.hours, 2)

    def row(self) -> dict[str, object]:
        """Return it as one JSON object."""
        return {
            "seed": self.seed,
            "virtual_hours": round(self.hours, 2),
            "states": self.states,
            "shapes": len(self.shapes),
            "fills": self.fills,
            "faults_found": len(self.faults),
            "journal": self.journal[:16],
            "seconds": round(self.seconds, 1),
            "cpu_s": round(self.cpu_s, 1),
            "rss_mb_per_day": self.per_day(self.rss_mb),
            "kilo_objects_per_day": self.per_day(self.objects),
            "kilo_objects": round(self.objects[-1], 1) if self.objects else None,
            "crashes": self.counts.get("crashed", 0),
            "restarts": self.counts.get("stopped", 0),
            "compared_with_venue": self.counts.get("compared", 0),
            "faults_set_off": sum(v for k, v in self.counts.items() if k.startswith("fault: ")),
            "wire_faults": sum(v for k, v in self.counts.items() if ": " in k or "answer" in k)
            - sum(v for k, v in self.counts.items() if k.startswith("fault: ")),
        }


def simulated(seed: int, hours: float, weather: Weather) -> Outcome:
    """Run one seed in a directory of its own, in memory where the system has such a place."""
    top = Path(tempfile.mkdtemp(prefix="holdfast-sim-", dir=SHM if SHM.is_dir() else None))
    began, cpu = time.monotonic(), time.process_time()
    try:
        world = World(top, seed, weather)
        world.run(hours)
        journal = _digest(world.directory / "holdfast.db", top)
    finally:
        shutil.rmtree(top)
    watch = world.watch
    return Outcome(
        seed,
        world.loop.time() / 3600.0,
        watch.states,
        watch.shapes,
        world.venue.filled,
        journal,
        watch.faults,
        dict(world.counts),
        world.rss_mb,
        world.objects,
        time.monotonic() - began,
        time.process_time() - cpu,
    )


def _digest(database: Path, top: Path) -> str:
    """Return a hash of the whole journal; where the directory lies is no part of it."""
    whole = sha256()
    db = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        for row in db.execute("SELECT seq, at_ns, type, version, payload FROM events ORDER BY seq"):
            whole.update(repr(row).replace(str(top), "").encode())
    finally:
        db.close()
    return whole.hexdigest()


def found(bug: str, seeds: int = PLANTED_SEEDS) -> Outcome | None:
    """Plant a bug; return the first seed that finds it."""
    for seed in range(1, seeds + 1):
        with BUGS[bug]():
            outcome = simulated(seed, PLANTED_HOURS, STORM)
        if outcome.faults:
            return outcome
    return None


def _all_planted_found() -> bool:
    missed = []
    for bug in BUGS:
        outcome = found(bug)
        told = outcome.faults[0].splitlines()[0] if outcome else "NOT FOUND"
        seed = outcome.seed if outcome else None
        print(json.dumps({"planted": bug, "seed": seed, "found": told[:160]}), flush=True)
        missed += [] if outcome else [bug]
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--storm", action="store_true", help="as much as fits into the time")
    parser.add_argument(
        "--soak", action="store_true", help=f"no crash: one engine all the time; {SOAK_HELP}"
    )
    parser.add_argument("--planted", action="store_true", help="the planted bugs alone")
    args = parser.parse_args()
    if args.planted:
        return 0 if _all_planted_found() else 1
    weather = STORM if args.storm else SOAK if args.soak else Weather()
    states, shapes, failed = 0, set[tuple[object, ...]](), 0
    for seed in range(args.seed, args.seed + args.seeds):
        outcome = simulated(seed, args.hours, weather)
        states, shapes = states + outcome.states, shapes | outcome.shapes
        failed += bool(outcome.faults)
        print(json.dumps(outcome.row()), flush=True)
        for fault in outcome.faults[:5]:
            print(f"seed {seed}: {fault}", file=sys.stderr)
    total = {"n": args.seeds, "states": states, "shapes": len(shapes), "seeds_failed": failed}
    print(json.dumps({**total, "machine": machine()}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
