"""Lose, delay, double and reorder the answers of a venue, ten thousand times (B-24).

`python -m tests.faults.lost_answers --answers 10000 --seed S [--planted]`

The real engine, executor and reconciler trade with the real paper venue over a faulty wire, in
virtual time. Once everything has been heard or looked up, the venue's own book is held against
the engine: no order twice, none forgotten, no fill that the venue did not make, no cent more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from engine.domain.command import CancelOrder, ClosePosition, SubmitSignal
from engine.domain.event import Entry, OrderAdopted, OrderFilled, OrderRequested
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, FillId, Nanos, OrderId
from engine.domain.market import Tick
from engine.domain.money import ZERO, price, qty
from engine.domain.order import Fill, Order, Side, WorkingOrder
from engine.domain.risk import Limits
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.runtime.logbook import Logbook
from engine.runtime.reconciler import Reconciler
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import Fees, PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import CATALOG, INR, USDC, session
from tests.faults.kill_engine import machine
from tests.faults.sim_bugs import WIRE_BUGS
from tests.faults.virtual import VirtualClock, VirtualLoop
from tests.faults.wire import Mood, Wire

CASH: Final = Decimal("1e12")
RATE: Final = Decimal("0.001")
BAD: Final = Mood(sends=0.25, asks=0.25, truths=0.25, lost=0.15, doubled=0.25, late=0.35)
DUST: Final = Decimal("1e-9")
"""Shares of partial exits are rounded to 1e-12 each."""
SETTLE_S: Final = 300.0
ROUND_S: Final = 600.0


@dataclass(slots=True)
class Verdict:
    """What was done to the answers, and what came of it."""

    seed: int
    answers: int = 0
    """Calls and answers that met a fault."""
    orders: int = 0
    fills: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    duplicates: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    adopted: int = 0
    """Fills of orders that had been given up, booked later upon the venue's evidence."""
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        return not (self.duplicates or self.forgotten or self.invented)

    def row(self) -> dict[str, object]:
        """Return it as one JSON object."""
        return {
            "n": self.answers,
            "seed": self.seed,
            "orders": self.orders,
            "fills": self.fills,
            "adopted": self.adopted,
            "duplicates": len(self.duplicates),
            "forgotten": len(self.forgotten),
            "invented": len(self.invented),
            "kinds": dict(self.kinds.most_common()),
            "seconds": round(self.seconds, 1),
        }


class Desk:
    """One engine and one paper venue with a bad wire between them."""

    def __init__(self, loop: VirtualLoop, seed: int, directory: Path) -> None:
        self.rng = random.Random(f"answers-{seed}")
        self.clock = VirtualClock(loop)
        self.sent: list[Order] = []
        self.entries: list[Entry] = []
        self.engine = Engine(Core(CATALOG), MemoryJournal(), self.clock)
        fees = Fees(taker=RATE)
        settings = PaperSettings({INR: CASH, USDC: CASH}, fees=fees, is_partial=True)
        self.venue = PaperVenue(self.clock, settings)
        self.mood = Mood()
        self.wire = Wire(self.venue, self.rng, self.mood, self.sent.append)
        self.executor = Executor(self.wire, self.engine.submit, self.clock)
        logbook = Logbook(directory, self.clock)
        self.reconciler = Reconciler(self.engine, self.wire, self.clock, logbook)
        self.engine.subscribe(self.executor.on_entry)
        self.engine.subscribe(lambda entry, _state: self.entries.append(entry))
        self.prices = dict.fromkeys(CATALOG, 2000)
        self.count = 0
        self.made: dict[FillId, Execution] = {}
        """What the venue executed; it forgets old orders itself."""

    @property
    def state(self) -> State:
        return self.engine.state

    async def run(self, verdict: Verdict, answers: int) -> None:
        """Trade until so many answers met a fault; compare after every round."""
        await self.engine.settle(session(cash=f"{CASH:f}", rules=(), limits=Limits()))
        async with asyncio.TaskGroup() as tasks:
            ways = (
                self.engine.run(),
                self.engine.run_timer(),
                self.executor.run(),
                self.reconciler.run(60.0),
                self._market(),
            )
            running = [tasks.create_task(way) for way in ways]
            while sum(self.wire.faults.values()) < answers and verdict.is_clean:
                self._worsen(BAD)
                await self._trade(ROUND_S)
                self._worsen(Mood())
                await asyncio.sleep(SETTLE_S)
                self.judge(verdict)
            for task in running:
                task.cancel()
        verdict.answers = sum(self.wire.faults.values())
        verdict.kinds = self.wire.faults

    def _worsen(self, mood: Mood) -> None:
        for name in ("sends", "asks", "truths", "lost", "doubled", "late"):
            setattr(self.mood, name, getattr(mood, name))

    async def _market(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for id_, terms in CATALOG.items():
                self.prices[id_] = max(1_000, self.prices[id_] + self.rng.randint(-9, 9))
                size = terms.lot_size * self.rng.randint(1, 3)
                last = price(self.prices[id_] * terms.tick_size)
                tick = Tick(id_, last, self.clock.now(), bid_size=size, ask_size=size)
                self.wire.on_tick(tick)
                await self.engine.offer([tick])

    async def _trade(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(self.rng.expovariate(1.0))
            self.engine.submit(self._wish())

    def _wish(self) -> SubmitSignal | ClosePosition | CancelOrder:
        self.count += 1
        id_, rng = CommandId(f"w{self.count}"), self.rng
        held, working = list(self.state.positions.values()), list(self.state.orders)
        if working and rng.random() < 0.1:
            return CancelOrder(id_, rng.choice(working), "test")
        if held and (rng.random() < 0.5 or len(held) > 10):
            position = rng.choice(held)
            part = qty(CATALOG[position.instrument].lot_size) if rng.random() < 0.3 else None
            return ClosePosition(id_, position.id, "test", qty=part)
        terms = CATALOG[rng.choice(sorted(CATALOG))]
        size, side = qty(terms.lot_size * rng.randint(1, 4)), rng.choice(tuple(Side))
        return SubmitSignal(id_, Signal(id_, terms.id, side, self.clock.now(), size))

    def judge(self, verdict: Verdict) -> None:
        """Hold engine and venue against each other: nothing is on its way any more."""
        verdict.orders = len(self.sent)
        wanted = {e.event.order.id for e in self.entries if isinstance(e.event, OrderRequested)}
        times = Counter(order.id for order in self.sent)
        verdict.duplicates += [f"order {o} was never requested" for o in times.keys() - wanted]
        verdict.duplicates += [f"order {o} was sent {n} times" for o, n in times.items() if n > 1]
        verdict.forgotten += [f"order {o} is still {w.status}" for o, w in self._waiting()]
        self.made |= {e.fill.id: e for e in self.venue._orders.executions(Nanos(0))}
        real = {id_: (e.signed, e.fill.price) for id_, e in self.made.items()}
        booked, adopted = booked_fills(self.entries)
        verdict.fills, verdict.adopted = len(real), adopted
        verdict.forgotten += [f"fill {f} is not booked" for f in real.keys() - booked.keys()]
        verdict.invented += [f"fill {f} was never made" for f in booked.keys() - real.keys()]
        verdict.invented += [
            f"fill {id_}: {booked[id_]} booked, {real[id_]} made"
            for id_ in real.keys() & booked.keys()
            if booked[id_] != real[id_]
        ]
        verdict.invented += self._money()
        net = _net(self.state)
        if net != self.venue.positions():
            verdict.forgotten.append(f"{net} held, {self.venue.positions()} at the venue")
        if self.engine.faults or fold(self.entries) != self.state:
            verdict.invented.append(f"{self.engine.faults} faults, or no fold of the journal")

    def _money(self) -> list[str]:
        """Count every account again from the venue's own executions, to the last unit."""
        found = []
        for currency, account in self.state.accounts.items():
            made = [e for e in self.made.values() if e.fill.fee.currency == currency]
            held = [p for p in self.state.positions.values() if p.currency == currency]
            traded = -sum((e.signed * e.fill.price for e in made), ZERO)
            open_ = sum((p.side.sign * p.entry_value for p in held), ZERO)
            fees = sum((e.fill.fee.amount for e in made), ZERO)
            off = account.realised - (traded + open_), account.fees - fees
            if any(abs(one) > DUST for one in off):
                found.append(f"{currency}: profit off by {off[0]}, fees by {off[1]}")
        return found

    def _waiting(self) -> list[tuple[OrderId, WorkingOrder]]:
        open_ = {order.id for order in self.venue.open_orders()}
        return [(id_, w) for id_, w in self.state.orders.items() if id_ not in open_]


def booked_fills(entries: list[Entry]) -> tuple[dict[FillId, tuple[Decimal, Decimal]], int]:
    """Return signed quantity and price of each fill in the journal, and how many were adopted."""
    sides: dict[OrderId, Side] = {}
    booked: dict[FillId, tuple[Decimal, Decimal]] = {}
    adopted = 0
    for entry in entries:
        event = entry.event
        if isinstance(event, OrderRequested | OrderAdopted):
            sides[event.order.id] = event.order.side
            adopted += isinstance(event, OrderAdopted)
        elif isinstance(event, OrderFilled):
            fill: Fill = event.fill
            before = booked.get(fill.id, (ZERO, fill.price))[0]
            booked[fill.id] = (before + sides[fill.order].sign * fill.qty, fill.price)
    return booked, adopted


def _net(state: State) -> dict[str, Decimal]:
    net: dict[str, Decimal] = {}
    for held in state.positions.values():
        net[held.instrument] = net.get(held.instrument, ZERO) + held.side.sign * held.qty
    return {instrument: size for instrument, size in net.items() if size}


def lost(answers: int, seed: int) -> Verdict:
    """Run until so many answers met a fault."""
    verdict, loop, began = Verdict(seed), VirtualLoop(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="holdfast-answers-") as directory:
        try:
            loop.run_until_complete(Desk(loop, seed, Path(directory)).run(verdict, answers))
        finally:
            loop.close()
    verdict.seconds = time.monotonic() - began
    return verdict


def planted(seed: int, report: Callable[[str], None] = print) -> bool:
    """Return whether each planted bug was found."""
    missed = 0
    for bug, plant in WIRE_BUGS.items():
        told: list[str] = []
        for one in range(seed, seed + 6):
            with plant():
                verdict = lost(2_000, one)
            told = [*verdict.duplicates, *verdict.invented, *verdict.forgotten]
            if told:
                break
        report(json.dumps({"planted": bug, "seed": one, "found": told[0][:160] if told else None}))
        missed += not told
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", action="store_true", help="the planted bugs alone")
    args = parser.parse_args()
    if not planted(args.seed):
        print("a planted bug was not found: no figure is worth anything", file=sys.stderr)
        return 1
    if args.planted:
        return 0
    verdict = lost(args.answers, args.seed)
    print(json.dumps({**verdict.row(), "machine": machine()}))
    for text in [*verdict.duplicates, *verdict.forgotten, *verdict.invented][:8]:
        print(text, file=sys.stderr)
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
