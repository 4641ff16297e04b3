"""B-1: ticks per CPU second through the whole engine, with peers and floors in the same rounds."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from engine.domain.session import Mode
from engine.ports.journal import Journal
from engine.runtime.fast_lane import run_blocks
from engine.store.memory import MemoryJournal
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.bench import arena, naive, peer
from tests.bench.arena import CHURN, MOVING, OPEN_FROM, SETUP, STILL, Levels
from tests.bench.figures import Figure, ratio
from tests.bench.scale import Scale
from tests.bench.streams import START, Stream

UNIT = "ticks per CPU second"


@dataclass(frozen=True, slots=True)
class Case:
    """P positions with given rules on a stream."""

    stream: Stream
    levels: Levels
    positions: int = 1000


def case(scenario: str, instruments: int, ticks: int, levels: Levels, positions: int) -> Case:
    return Case(Stream(scenario, instruments, SETUP + ticks), levels, positions)


def durable(folder: Path) -> AbstractAsyncContextManager[Journal]:
    return SqliteJournal.open(folder / "holdfast.db", Stamp(Mode.REPLAY, "paper"), START)


def in_memory(_: Path) -> AbstractAsyncContextManager[Journal]:
    return nullcontext(MemoryJournal())


Opened = Callable[[Path], AbstractAsyncContextManager[Journal]]


def ours(what: Case, opened: Opened) -> tuple[float, int]:
    """Return (ticks per CPU second, exits) of one run of the whole engine."""

    async def run(folder: Path) -> tuple[float, int]:
        async with opened(folder) as journal:
            made = arena.prepared(arena.tape(what.stream), what.levels, what.positions, journal)
            await made.replayer.flush()
            began = time.process_time()
            await run_blocks(made.replayer, made.blocks, made.ids)
            took = time.process_time() - began
            if len(made.replayer.core.state.positions) != what.positions:
                raise RuntimeError("the number of positions did not stay the same")
            return made.count / took, made.churn.closed

    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        return asyncio.run(run(Path(folder)))


def floor(what: Case) -> float:
    """Return the same loop's rate with the rules removed: read, unpack, note the newest."""
    tape = arena.tape(what.stream)
    newest: list[object] = [None] * len(tape.instruments)
    began = time.process_time()
    for record in tape.raw():
        index = record[0]
        newest[index] = record
    rate: float = tape.count / (time.process_time() - began)
    return rate


def naively(what: Case, ticks: int) -> float:
    """Return the naive loop's rate on the positions that the engine opened in the set-up."""
    journal = MemoryJournal()
    tape = arena.tape(what.stream)

    async def set_up() -> list[arena.Opening]:
        made = arena.prepared(tape, what.levels, what.positions, journal)
        await made.replayer.flush()
        return arena.openings(await journal.read(), made.ids)

    opened = asyncio.run(set_up())
    _, took = naive.run(tape.raw(), opened, what.levels, SETUP, ticks)
    return ticks / took


def nautilus(what: Case, mode: str, ticks: int) -> float:
    """Return NautilusTrader's rate on the first `ticks` of the same stream. Raises PeerMissing."""
    request = {
        "mode": mode,
        "tape": str(arena.tape_path(what.stream)),
        "instruments": what.stream.instruments,
        "positions": what.positions,
        "setup": SETUP,
        "open_from": OPEN_FROM,
        "ticks": ticks,
        **asdict(what.levels),
    }
    return float(peer.ask("nautilus", "nautilus_ticks", request)["per_s"])


class Rounds:
    """Runs every contender once per round, so that noise hits them alike."""

    def __init__(self) -> None:
        self.rates: dict[str, list[float]] = {}
        self.notes: list[str] = []

    def add(self, name: str, measured: Callable[[], float]) -> None:
        try:
            self.rates.setdefault(name, []).append(measured())
        except peer.PeerMissing as missing:
            del self.rates[name]
            self.notes = [f"{name}: {missing}"]

    def against(self) -> dict[str, float]:
        return {name: median(rates) for name, rates in self.rates.items() if name != "ours"}

    def ratios(self) -> dict[str, float]:
        mine = self.rates["ours"]
        return {n: ratio(mine, rates) for n, rates in self.rates.items() if n != "ours"}


def file_to_journal(scale: Scale) -> Figure:
    """(a) Recorded file -> band -> rules -> fills -> durable journal."""
    what = case("churn", 100, scale.pick(2_000_000, 300_000), CHURN, 1000)
    rounds, exits = Rounds(), 0

    def mine() -> float:
        nonlocal exits
        rate, exits = ours(what, durable)
        return rate

    for _ in range(scale.rounds):
        rounds.add("ours", mine)
        rounds.add("loop without rules", lambda: floor(what))
        if scale.has_peers:
            rounds.add("nautilus native", lambda: nautilus(what, "native", 200_000))
            rounds.add("nautilus nothing", lambda: nautilus(what, "nothing", 200_000))
    rate, ratios = median(rounds.rates["ours"]), rounds.ratios()
    against_peer = ratios.get("nautilus native", 0) >= 20
    return Figure(
        "B-1a",
        "recorded file to durable journal, 100 instruments, 1 000 positions churning",
        UNIT,
        what.stream.ticks * scale.rounds,
        rate,
        ">= 2 M and >= 20 x NautilusTrader with native orders",
        rate >= 2e6 and against_peer if scale.has_peers else ratios["loop without rules"] >= 0.1,
        against=rounds.against(),
        ratio=ratios,
        note="; ".join([f"{exits} exits a run", *rounds.notes]),
    )


def quiet(scale: Scale) -> Figure:
    """(b) One instrument, 1 000 positions, nothing fires."""
    ticks = scale.pick(2_000_000, 300_000)
    what = case("watch", 1, ticks, STILL, 1000)
    one = case("watch", 1, ticks, STILL, 1)
    rounds = Rounds()
    for _ in range(scale.rounds):
        rounds.add("ours", lambda: ours(what, in_memory)[0])
        rounds.add("ours, one position", lambda: ours(one, in_memory)[0])
        rounds.add("naive loop", lambda: naively(what, 3000))
        if scale.has_peers:
            rounds.add("nautilus native", lambda: nautilus(what, "native", 3000))
    rate, ratios = median(rounds.rates["ours"]), rounds.ratios()
    flat = 1 / ratios["ours, one position"]
    beats_peer = ratios.get("nautilus native", 0) >= 1000
    return Figure(
        "B-1b",
        "1 instrument, 1 000 positions, nothing fires",
        UNIT,
        ticks * scale.rounds,
        rate,
        ">= 4 M, >= 1 000 x NautilusTrader, <= 1.5 x the cost with one position",
        rate >= 4e6 and beats_peer and flat <= 1.5
        if scale.has_peers
        else flat <= 2.5 and ratios["naive loop"] >= 100,
        against=rounds.against(),
        ratio={**ratios, "cost against one position": flat},
        note="; ".join(rounds.notes),
    )


def trend(scale: Scale) -> Figure:
    """(d) The worst case: 500 trailing stops that move on every tick."""
    what = case("trend", 1, scale.pick(200_000, 50_000), MOVING, 1000)
    rounds = Rounds()
    for _ in range(scale.rounds):
        rounds.add("ours", lambda: ours(what, in_memory)[0])
        rounds.add("naive loop", lambda: naively(what, 3000))
        if scale.has_peers:
            rounds.add("nautilus emulated", lambda: nautilus(what, "emulated", 1000))
    ratios = rounds.ratios()
    least = 30 if scale.has_peers else 10
    beats_peer = not scale.has_peers or ratios.get("nautilus emulated", 0) >= 500
    return Figure(
        "B-1d",
        "worst case: 500 trailing stops move on every tick, 1 000 positions",
        UNIT,
        what.stream.ticks * scale.rounds,
        median(rounds.rates["ours"]),
        ">= 500 x NautilusTrader emulated, >= 30 x a naive loop",
        ratios["naive loop"] >= least and beats_peer,
        against=rounds.against(),
        ratio=ratios,
        note="; ".join(rounds.notes),
    )


def same_exits(scale: Scale) -> Figure:
    """(e) The same exits, tick for tick, as the naive reference, on every stream."""
    size = scale.pick(1, 0.2)
    cases = (
        (case("churn", 100, 2_000_000 if not scale.is_short else 300_000, CHURN, 1000), 2_000_000),
        (case("churn", 1, 300_000, CHURN, 1000), int(30_000 * size)),
        (case("watch", 1, scale.pick(2_000_000, 300_000), STILL, 1000), int(20_000 * size)),
        (case("trend", 1, scale.pick(200_000, 50_000), MOVING, 1000), int(20_000 * size)),
    )
    compared, wrong = 0, []
    for what, ticks in cases:
        n, is_equal = agrees(what, ticks, what.levels)
        compared += n
        if not is_equal:
            wrong.append(f"{what.stream.scenario}-{what.stream.instruments}")
    planted = Levels("0.008", "0.004", "0.0041", "0.012")
    is_found = not agrees(cases[1][0], cases[1][1], planted)[1]
    return Figure(
        "B-1e",
        "exits that differ from the naive reference, over four streams",
        "streams",
        compared,
        float(len(wrong)),
        "0, and a trailing distance wrong by 1 bp is noticed",
        not wrong and is_found and compared > 100,
        note=f"{compared} exits compared; planted error {'found' if is_found else 'NOT found'}"
        + (f"; differ: {', '.join(wrong)}" if wrong else ""),
    )


def agrees(what: Case, ticks: int, reference: Levels) -> tuple[int, bool]:
    """Return (exits compared, whether all are equal) over the first `ticks` after the set-up."""
    tape = arena.tape(what.stream)
    ticks = min(ticks, tape.count - SETUP)
    tape.count = SETUP + ticks  # as if it ended there

    async def run() -> tuple[list[arena.Opening], list[naive.NaiveExit]]:
        journal = MemoryJournal()
        made = arena.prepared(tape, what.levels, what.positions, journal)
        await run_blocks(made.replayer, made.blocks, made.ids)
        entries = await journal.read()
        return arena.openings(entries, made.ids), list(arena.exits(entries))

    opened, mine = asyncio.run(run())
    theirs, _ = naive.run(tape.raw(), opened, reference, SETUP, ticks)
    return len(mine), sorted(mine) == sorted(theirs)


def run(scale: Scale) -> Iterator[Figure]:
    """Yield the figures of B-1 that come from recorded files; the live inbox is in `inbox`."""
    yield file_to_journal(scale)
    yield quiet(scale)
    yield trend(scale)
    yield same_exits(scale)
