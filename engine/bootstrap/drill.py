"""The drill (O-5): kill an engine at random moments, start it again, prove that nothing was lost.

It works on a copy of a paper store, made by SQLite's own backup and verified; the original is
only read. The engine is the real one, in a process of its own, under the settings of the session
it finds; who drills says how it is started. Each round ends with SIGKILL: while the engine starts
and recovers, at a random instant under load, or the moment it has acknowledged something.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from engine.bootstrap.drill_life import Life, Manner, Process
from engine.bootstrap.drill_load import Chance, Load
from engine.bootstrap.drill_proof import LEDGER, LOST, OTHER, TWICE, Examiner, Fault, Witness
from engine.domain.ids import Nanos
from engine.domain.money import ZERO
from engine.domain.session import Mode
from engine.link.address import socket_path
from engine.ports.clock import Clock
from engine.ports.journal import JournalRefused
from engine.store import backup, watermark
from engine.store.codec import encode_state
from engine.store.reader import stamp_of
from engine.store.spill import Spill
from engine.store.sqlite import SqliteJournal

STARTING_S: Final = 0.9
"""A kill of a starting engine comes within so many seconds: import, recovery, first orders."""
RECOVER_EVERY: Final = 3
"""After every third kill the store is recovered twice, on copies of its own."""
MANNERS: Final = (Manner.RUNNING, Manner.TELLING, Manner.STARTING)


@dataclass(slots=True)
class Figures:
    """What a drill has measured so far."""

    seed: int
    kills: int = 0
    with_positions: int = 0
    """Kills of an engine that held something."""
    positions_max: int = 0
    acked: int = 0
    """Entries that the engine was heard to acknowledge."""
    entries: int = 0
    """In the journal at the end."""
    fills: int = 0
    manners: dict[str, int] = field(default_factory=dict)
    restarts_s: list[float] = field(default_factory=list)
    """From the start of a process to a fresh price of every position."""
    faults: list[Fault] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(fault.kind == kind for fault in self.faults)

    @property
    def ledger_difference(self) -> Decimal:
        return max((f.amount for f in self.faults if f.kind == LEDGER), default=ZERO)

    @property
    def is_proven(self) -> bool:
        """Return whether nothing was lost, of something that could have been."""
        return not self.faults and self.with_positions > 0 and self.acked > 0

    def restart(self, share: float) -> float:
        """Return a quantile of the restarts, in seconds; 0: there was none."""
        ordered = sorted(self.restarts_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def row(self) -> dict[str, object]:
        """Return everything as JSON data."""
        return {
            "kills": self.kills,
            "with_positions": self.with_positions,
            "positions_max": self.positions_max,
            "acked": self.acked,
            "lost": self.count(LOST),
            "duplicates": self.count(TWICE),
            "ledger_difference": f"{self.ledger_difference:f}",
            "other_faults": self.count(OTHER),
            "entries": self.entries,
            "fills": self.fills,
            "restart_p50_s": round(self.restart(0.5), 3),
            "restart_p95_s": round(self.restart(0.95), 3),
            "manners": self.manners,
            "seed": self.seed,
            "faults": [str(fault) for fault in self.faults[:20]],
            "proven": self.is_proven,
        }


def copy_store(database: Path, directory: Path, now: Nanos) -> Path:
    """Copy a paper store, verified, into a new data directory under `directory`; return it.

    Raises JournalRefused if there is none, it is damaged, or is not a paper store.
    """
    mode = stamp_of(database).mode
    if mode is not Mode.PAPER:
        raise JournalRefused(f"{database} is a store of {mode.value}; a drill takes paper only")
    made = backup.make(database, directory / "copied", now)
    data_dir = directory / "data"
    backup.restore(made.path, data_dir / database.name, now)
    return data_dir


class Drill:
    """Lives of one engine on one data directory, one after the other."""

    def __init__(
        self,
        data_dir: Path,
        start: Callable[[Manner], Process],
        clock: Clock,
        seed: int,
        manners: Sequence[Manner] = MANNERS,
        wanted: int = 4,
        pause_s: float = 0.05,
    ) -> None:
        """`wanted`: positions kept open; `pause_s`: about so long between two commands."""
        self._data_dir = data_dir
        self._database = data_dir / "holdfast.db"
        self._start = start
        self._clock = clock
        self._rng = Chance(seed)
        self._manners = manners
        self._load = Load(self._rng, f"drill{seed}", wanted)
        self._pause_s = pause_s
        self.witness = Witness()
        self._examiner = Examiner(self._database)
        self.figures = Figures(seed)

    async def run(self, kills: int, on_kill: Callable[[Figures], None] = lambda _: None) -> Figures:
        """Kill `kills` times and return the figures; the last start examines all from entry 1 on.

        Ends at the first fault: what comes after a loss proves nothing.
        """
        figures = self.figures
        while figures.kills < kills - 1 and not figures.faults:
            manner = self._manners[figures.kills % len(self._manners)]
            await self._live(manner)
            if not figures.faults and figures.kills % RECOVER_EVERY == 0 and self._examiner.seq:
                figures.faults += await recovered_twice(self._database, self.witness)
            on_kill(figures)
        if not figures.faults:
            self._examiner = Examiner(self._database)  # everything once more, from entry 1 on
            await self._live(Manner.RUNNING)
            on_kill(figures)
        if not figures.faults and not Spill(self._database).read():
            self._check()  # what was said since; an emergency file has to be recovered first
        return figures

    async def _live(self, manner: Manner) -> None:
        """Start an engine, keep it busy, and kill it."""
        process = self._start(manner)
        try:
            if manner is Manner.STARTING:
                await self._clock.sleep(self._rng.uniform(0.0, STARTING_S))
            else:
                await self._drive(process, manner)
        except TimeoutError:
            code = process.poll()
            how = "says nothing" if code is None else f"ended with exit code {code}"
            self.figures.faults.append(Fault(OTHER, f"a started engine {how}"))
        finally:
            if process.poll() is None:
                process.kill()
            code = await asyncio.to_thread(process.wait)
            self.witness.settle()
            self._count(manner)
            if code != -signal.SIGKILL and not self.figures.faults:
                self.figures.faults.append(Fault(OTHER, f"it ended by itself, exit code {code}"))

    def _count(self, manner: Manner) -> None:
        figures, state = self.figures, self.witness.state
        held = len(state.positions) if state is not None else 0
        figures.kills += 1
        figures.acked = len(self.witness.told)
        figures.with_positions += held > 0
        figures.positions_max = max(figures.positions_max, held)
        figures.manners[manner.value] = figures.manners.get(manner.value, 0) + 1

    async def _drive(self, process: Process, manner: Manner) -> None:
        path = socket_path(self._data_dir)
        life = Life(path, process, self.witness, self._load, self._rng, self._clock)
        figures = self.figures
        async with life:
            took = await life.watched()
            if took is None and manner is Manner.WRITING:
                return  # it died inside a write of its recovery
            if took is None:
                raise TimeoutError
            if manner is not Manner.WRITING:  # its tracer slows it down
                figures.restarts_s.append(took)
            self._check()
            if not figures.faults:
                await life.end(manner, self._pause_s)

    def _check(self) -> None:
        """Examine the journal beside the engine, which has recovered it."""
        figures, examiner = self.figures, self._examiner
        figures.faults += examiner.examine(self.witness)
        figures.entries, figures.fills = examiner.seq, examiner.fills


async def recovered_twice(database: Path, witness: Witness) -> list[Fault]:
    """Recover a copy of a killed engine's store, and what that leaves behind, again.

    The state that is found is a claim for the witness: the journal from entry 1 must lead to it.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-recover-") as temporary:
        copy = Path(temporary) / database.name
        for name in (database.name, f"{database.name}-wal", watermark.beside(database).name):
            source = database.with_name(name)
            if source.exists():
                shutil.copyfile(source, copy.with_name(name))
        found = []
        for _ in range(2):
            async with SqliteJournal.open(copy, stamp_of(copy), Nanos(1)) as journal:
                found.append(journal.recovered.state)
    first, second = map(encode_state, found)
    witness.claims[found[0].seq] = first
    if first != second:
        return [Fault(OTHER, f"recovering entry {found[0].seq} twice led to two states")]
    return []


async def drill(
    database: Path,
    start: Callable[[Path], Process],
    clock: Clock,
    kills: int,
    seed: int,
    on_kill: Callable[[Figures], None],
) -> tuple[Figures, Path | None]:
    """Copy `database`, run the drill on the copy with engines that `start` starts there.

    Returns the figures, and where the copy is kept as evidence (None: it proved good and is
    gone). Raises JournalRefused (no paper store, or a damaged one), OSError, sqlite3.Error.
    """
    directory = Path(tempfile.mkdtemp(prefix="holdfast-drill-"))
    is_evidence = False
    try:
        data_dir = copy_store(database, directory, clock.now())
        figures = await Drill(data_dir, lambda _: start(data_dir), clock, seed).run(kills, on_kill)
        is_evidence = bool(figures.faults)
    finally:
        if not is_evidence:
            shutil.rmtree(directory, ignore_errors=True)
    return figures, data_dir if is_evidence else None
