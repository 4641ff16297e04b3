"""Kill the product's engine again and again, on one data directory, under load (B-20, B-6).

`python -m tests.faults.kill_engine --kills 200 --seed 1 [--report docs/faults.md] [--planted]
[--every-write]`

The engine is the one that `holdfast` starts, on the simulated market, with exit rules so tight
that positions open and close many times a second. It dies at random instants, the moment it has
acknowledged something, while it starts and recovers, and inside its n-th write or sync (strace).
After each restart the drill's examiner (`engine/bootstrap/drill_proof.py`) compares everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.bootstrap.drill import Drill, Figures
from engine.bootstrap.drill_life import Manner
from engine.runtime.clock import SystemClock
from engine.store.lock import holder
from tests.faults.long_journal import lay
from tests.faults.tracing import can_trace
from tui.cli.drill import SETS, start_engine

TIGHT: Final = (
    *SETS,
    "sim.pace=400",
    "paper.initial_capital=100000000",
    "exits.initial.pct=0.002",
    "exits.trailing.activation_pct=0.0005",
    "exits.trailing.pct=0.0005",
    "checkpoint.interval=1",
    "recovery.countdown=0",  # nobody is here to ask
)
WANTED, PAUSE_S = 40, 0.004
CALLS: Final = ("pwrite64", "fdatasync")
"""What an engine under strace dies in: writes into the WAL, the database, the watermark; syncs."""
WITH_STRACE: Final = (Manner.RUNNING, Manner.WRITING, Manner.TELLING, Manner.STARTING)
WITHOUT: Final = (Manner.RUNNING, Manner.TELLING, Manner.STARTING)
SWEEP: Final = (Manner.WRITING,)
PLANTED: Final = (Manner.TELLING,)
BEGIN, END = "<!-- kill-engine: begin -->", "<!-- kill-engine: end -->"
NEWLINE: Final = "\n"
HEAD: Final = (
    "| fault | engine | kills | with positions | acknowledged | lost | twice | ledger off by "
    "| restart p50 / p95 | journal | seed | machine |\n|" + "---|" * 12
)


class Traced:
    """An engine under strace, which kills it inside a system call."""

    def __init__(self, data_dir: Path, call: str, number: int) -> None:
        inject = f"inject={call}:signal=KILL:when={number}"
        tracer = ("strace", "-f", "-qq", "-o", os.devnull)
        before = (*tracer, "-e", f"trace={call}", "-e", inject)
        self._data_dir = data_dir
        self.is_inside = True
        """Whether it died in a system call, not because it waited too long for one."""
        self._tracer = start_engine(data_dir, TIGHT, before=before)

    def poll(self) -> int | None:
        return self._tracer.poll()

    def kill(self) -> None:
        """Kill the engine itself: it has a session of its own with its tracer."""
        if holder(self._data_dir) is not None:  # else it is dead, and its tracer is about to end
            self.is_inside = False
        with suppress(ProcessLookupError):
            os.killpg(self._tracer.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return the tracer's end, once nobody holds the data directory any more."""
        code = self._tracer.wait()
        owner = holder(self._data_dir)
        if owner is not None:  # pragma: no cover
            os.kill(owner.pid, signal.SIGKILL)
        return code


class Harness:
    """Starts engines; counts how those under strace died."""

    def __init__(
        self, data_dir: Path, seed: int, *, planted: bool = False, every_write: bool = False
    ) -> None:
        """`every_write`: it dies in its first write, first sync, second write, and so on."""
        self._data_dir = data_dir
        self._is_sweeping = every_write
        self._rng = random.Random(f"writes-{seed}")
        self.traced: list[Traced] = []
        self._module = "tests.faults.early_engine" if planted else "tui.cli"
        manners = SWEEP if every_write else WITH_STRACE if can_trace() else WITHOUT
        self.drill = Drill(
            data_dir,
            self._start,
            SystemClock(),
            seed,
            PLANTED if planted else manners,
            wanted=WANTED,
            pause_s=PAUSE_S,
        )

    @property
    def inside(self) -> int:
        """How many died inside a write or a sync."""
        return sum(traced.is_inside for traced in self.traced)

    def _start(self, manner: Manner) -> Traced | subprocess.Popen[bytes]:
        if manner is Manner.WRITING:
            self.traced.append(Traced(self._data_dir, *self._place()))
            return self.traced[-1]
        return start_engine(self._data_dir, TIGHT, module=self._module)

    def _place(self) -> tuple[str, int]:
        """Return the call it dies in, and the how manieth."""
        if self._is_sweeping:
            done = len(self.traced)
            return CALLS[done % len(CALLS)], done // len(CALLS) + 1
        return self._rng.choice(CALLS), self._nth()

    def _nth(self) -> int:
        """Return which write it dies in: often one of the first, else some time later."""
        return self._rng.randint(1, 12) if self._rng.random() < 0.5 else self._rng.randint(12, 400)

    async def run(self, kills: int) -> Figures:
        def told(figures: Figures) -> None:
            if kills >= 50 and figures.kills % 10 == 0:
                print(json.dumps(figures.row()), file=sys.stderr, flush=True)

        return await self.drill.run(kills, told)


def machine() -> str:
    """Return what it ran on, and how busy that was with other work."""
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}, {system}"


def row(figures: Figures, engine: str, inside: int) -> str:
    """Return the figures as a row of the table in docs/faults.md."""
    got = figures.row()
    how = ", ".join(f"{count} {manner}" for manner, count in sorted(figures.manners.items()))
    how += f" ({inside} of them inside a write or sync)" if inside else ""
    cells = (
        f"SIGKILL: {how}",
        engine,
        f"{figures.kills:,}",
        f"{figures.with_positions:,} (up to {figures.positions_max} open)",
        f"{figures.acked:,}",
        f"{got['lost']}",
        f"{got['duplicates']}",
        f"{got['ledger_difference']}",
        f"{figures.restart(0.5):.2f} s / {figures.restart(0.95):.2f} s",
        f"{figures.entries:,} entries, {figures.fills:,} fills",
        f"{figures.seed}",
        machine(),
    )
    return f"| {' | '.join(cells)} |"


def report(path: Path, rows: list[str]) -> None:
    """Put the table into `path`; rows there of engines that are not in `rows` stay."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Faults\n"
    before, begin, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    kept = {_engine(line): line for line in old.splitlines() if line.startswith("| SIGKILL")}
    kept |= {_engine(line): line for line in rows}
    table = (
        f"{BEGIN}\n## The engine killed under load\n\n"
        "Written by `python -m tests.faults.kill_engine --report docs/faults.md`; the planted bug "
        f"(entries acknowledged before their commit) has to be found.\n\n{HEAD}\n"
        + "\n".join(kept[name] for name in sorted(kept, reverse=True))
        + f"\n{END}"
    )
    path.write_text(f"{before.rstrip()}\n\n{table}{after if begin else NEWLINE}", encoding="utf-8")


def _engine(line: str) -> str:
    return line.split(" | ")[1]


def measured(
    kills: int, seed: int, entries: int = 0, *, planted: bool = False, every_write: bool = False
) -> tuple[Figures, int]:
    """Run once in a directory of its own, which is kept if an unexpected fault was found."""
    directory = Path(tempfile.mkdtemp(prefix="holdfast-kill-"))
    harness = Harness(directory / "data", seed, planted=planted, every_write=every_write)

    async def run() -> Figures:
        if entries:
            await lay(directory / "data" / "holdfast.db", entries, SystemClock())
        return await harness.run(kills)

    figures = asyncio.run(run())
    if planted or not figures.faults:
        shutil.rmtree(directory)
    else:
        print(f"evidence is kept in {directory}", file=sys.stderr)
    return figures, harness.inside


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--entries", type=int, default=0, help="in the journal before")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--planted", action="store_true", help="the planted bug alone")
    parser.add_argument(
        "--every-write", action="store_true", help="die inside the 1st, 2nd, … write and sync"
    )
    args = parser.parse_args()
    bug, _ = measured(50, args.seed, planted=True)
    print(json.dumps({"planted": True, **bug.row()}))
    if not bug.count("lost"):
        print("the planted bug was not found: no figure is worth anything", file=sys.stderr)
        return 1
    if args.planted:
        return 0
    if args.every_write and not can_trace():
        print("strace is missing: kills inside a write are NOT TESTED", file=sys.stderr)
        return 1
    figures, inside = measured(args.kills, args.seed, args.entries, every_write=args.every_write)
    print(json.dumps({"machine": machine(), "inside_a_write": inside, **figures.row()}))
    if not inside:
        print("SKIPPED: no strace here, so no kill inside a write", file=sys.stderr)
    if args.report is not None and figures.is_proven:
        planted = row(bug, "planted bug: acknowledges before the commit", 0)
        before = f", after {args.entries:,} entries" if args.entries else ""
        report(args.report, [row(figures, f"the product's{before}", inside), planted])
    return 0 if figures.is_proven else 1


if __name__ == "__main__":
    sys.exit(main())
