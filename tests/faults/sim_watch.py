"""What must hold in every moment of a simulation, whatever fails (reliability.md, section e)."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeAlias

from engine.bootstrap.drill_proof import TWICE, Examiner, Fault, Witness
from engine.bootstrap.live import LiveEngine
from engine.domain.event import Entry, OrderFilled, OrderRequested
from engine.domain.ids import SECOND, FillId, Nanos, OrderId, PositionId, Seq
from engine.domain.market import Quote, Tick
from engine.domain.money import Price
from engine.domain.order import Order
from engine.domain.position import Position
from engine.domain.state import State
from engine.store.spill import Spill
from tests.faults.sim_venue import SimVenue

INITIAL, ARMS, TRAILS = Decimal("0.004"), Decimal("0.002"), Decimal("0.002")
"""The exit rules of a simulation, said once more: as fractions of entry, entry and peak."""
JOURNALED_S: Final = 6.0
"""By then a price is in the journal's peaks, whatever the store does (timer, commit, spill)."""
PROTECTED_S: Final = 6.0
"""By then a price beyond a stop has led to an intent: a period, a stalled store, the spill."""
KEPT: Final = 50
Held: TypeAlias = tuple[PositionId, Seq]
"""A position, and the entry that opened it: what is left of an entry can open it anew."""


class Auditor(Examiner):
    """An examiner that also keeps the fills for the comparison with the venue."""

    def __init__(self, database: Path) -> None:
        super().__init__(database)
        self.booked: dict[FillId, tuple[Price, Decimal]] = {}
        """Price and quantity; one execution may be booked in parts."""
        self._before: set[str] = set()

    def settle(self, working: set[OrderId]) -> None:
        """Forget what is over and was right: memory must not grow with the days.

        What acted is remembered from one calm to the end of the next: a repetition comes sooner.
        """
        self._orders = {id_: order for id_, order in self._orders.items() if id_ in working}
        self._filled = {id_: qty for id_, qty in self._filled.items() if id_ in working}
        self._before, self._once = self._once, set()

    def _first(self, what: str) -> Iterator[Fault]:
        if what in self._before:
            yield Fault(TWICE, what)
        yield from super()._first(what)

    def moved_to(self, database: Path) -> None:
        """Go on with the journal's copy, which the next process works on."""
        self._database = database

    def _executed(self, event: OrderFilled) -> Iterator[Fault]:
        fill = event.fill
        before = self.booked.get(fill.id, (fill.price, Decimal(0)))[1]
        self.booked[fill.id] = (fill.price, before + fill.qty)
        yield from super()._executed(event)


class Watch:
    """Hears one engine after another and the venue that they share."""

    def __init__(self, venue: SimVenue) -> None:
        self.faults: list[str] = []
        self.states = 0
        """Journal entries after which the state was examined."""
        self.shapes: set[tuple[object, ...]] = set()
        self.exits_owed = 0
        self._venue = venue
        self._witness = Witness()
        self._auditor: Auditor | None = None
        self._live: LiveEngine | None = None
        self._outside: sqlite3.Connection | None = None
        self._spill: Spill | None = None
        self._seen: deque[tuple[Nanos, Tick]] = deque()
        """Accepted prices that need not be in the journal yet."""
        self._best: dict[Held, Decimal] = {}
        """Best accepted price since entry: the journal must know it."""
        self._peaks: dict[Held, Price] = {}
        self._known: dict[Held, Nanos] = {}
        """Since when the engine that runs knows of a position."""
        self._last: dict[str, Tick] = {}
        self._owed: dict[Held, Nanos] = {}
        """Since when a price has been beyond a position's stop with no exit on its way."""

    def found(self, what: str) -> None:
        """Note something that must not be."""
        if len(self.faults) < KEPT:
            self.faults.append(what)

    def opens(self, database: Path) -> None:
        """Look at the journal from outside, with a connection that is not the engine's."""
        if self._outside is not None:
            self._outside.close()
        uri = f"{database.absolute().as_uri()}?mode=ro"
        self._outside = sqlite3.connect(uri, uri=True, isolation_level=None)
        self._spill = Spill(database)
        if self._auditor is None:
            self._auditor = Auditor(database)
        self._auditor.moved_to(database)

    def begins(self, live: LiveEngine) -> None:
        """Listen to a process that has recovered and is about to run."""
        self._live = live
        self._seen.clear()
        self._last.clear()
        self._owed.clear()
        self._known.clear()
        self._witness.hear(live.welcome())
        live.engine.subscribe(self._on_entry, self._on_tick)
        self.examine()
        self._monotone(live.engine.state)

    def ends(self) -> None:
        """Stop listening: the process is gone."""
        self._live = None
        self._witness.settle()

    def sent(self, order: Order) -> None:
        """Require that the intent of an order that leaves the process is durable."""
        seq = int(order.id.rpartition("-")[2])
        query = "SELECT payload FROM events WHERE seq = ? AND type = 'OrderRequested'"
        assert self._outside is not None
        row = self._outside.execute(query, (seq,)).fetchone()
        if row is not None and f'"{order.id}"' in row[0]:
            return
        assert self._spill is not None
        spilled = (e.event for e in self._spill.read() if e.seq == seq)
        if not any(isinstance(e, OrderRequested) and e.order == order for e in spilled):
            self.found(f"order {order.id} was sent before it was durable")

    def examine(self) -> None:
        """Read what is new in the journal, from outside, and judge all of it."""
        auditor = self._auditor
        if auditor is None or self._live is None or not self._live.engine.is_persisted:
            return
        before = auditor.seq
        for fault in auditor.examine(self._witness):
            self.found(str(fault))
        self.states += auditor.seq - before
        done = auditor.seq
        self._witness.told = {s: t for s, t in self._witness.told.items() if s > done}

    def second(self) -> None:
        """Look at what a running engine owes; call it every second."""
        live = self._live
        if live is None:
            return
        now = live.clock.monotonic()
        state = live.engine.state
        self._learn_best(state, now)
        for position in state.positions.values():
            self._protected(live, position, now)
        for fault in self._venue.faults:
            self.found(fault)
        self._venue.faults.clear()
        if live.engine.faults:
            self.found(f"{live.engine.faults} inputs could not be decided or told")
            live.engine.faults = 0

    def differences(self) -> list[str]:
        """Return what engine and venue do not agree on; call it when all is quiet."""
        live, auditor = self._live, self._auditor
        if live is None or auditor is None or not live.engine.is_persisted:
            return ["the engine does not run, or its store takes nothing"]
        self.examine()
        state, venue, found = live.engine.state, self._venue, []
        for id_ in state.orders:
            slip = venue.slips.get(id_)
            if slip is None or slip.is_final:
                found.append(f"order {id_} is forgotten: at the venue it is {slip and slip.said}")
        if _net(state) != {i: qty for i, qty in venue.net.items() if qty}:
            found.append(f"held {_net(state)}, at the venue {venue.net}")
        fills = [fill for slip in venue.slips.values() for fill in slip.fills]
        real = {fill.id: (fill.price, fill.qty) for fill in fills}
        for fill in real.keys() ^ auditor.booked.keys():
            found.append(f"fill {fill} is {'not booked' if fill in real else 'invented'}")
        for fill in real.keys() & auditor.booked.keys():
            if real[fill] != auditor.booked[fill]:
                found.append(f"fill {fill} is booked as another one")
        return found

    def settled(self) -> None:
        """Forget what agreed: memory must not grow with the days."""
        live, auditor = self._live, self._auditor
        assert live is not None
        assert auditor is not None
        keep = {str(id_) for id_ in live.engine.state.positions}
        keep |= {working.order.position for working in live.engine.state.orders.values()}
        self._venue.forget(keep)
        auditor.settle(set(live.engine.state.orders))
        left = {fill.id for slip in self._venue.slips.values() for fill in slip.fills}
        auditor.booked = {id_: fill for id_, fill in auditor.booked.items() if id_ in left}
        self._known = {id_: at for id_, at in self._known.items() if id_[0] in keep}
        self._best = {id_: best for id_, best in self._best.items() if id_[0] in keep}
        self._peaks = {id_: peak for id_, peak in self._peaks.items() if id_[0] in keep}
        self._share(live.engine.state)

    def _share(self, state: State) -> None:
        """Keep one copy of what is equal: memory that is measured shall be the engine's own."""
        for other in (self._auditor, self._witness):
            if other is not None and other.state == state:
                other.state = state

    def _on_entry(self, entry: Entry, state: State) -> None:
        self._witness.hear(entry)
        event = entry.event
        if isinstance(event, OrderRequested) and event.order.exit is not None:
            self._owed = {
                held: since for held, since in self._owed.items() if held[0] != event.order.position
            }
        self._monotone(state)
        self.shapes.add(_shape(entry, state))

    def _monotone(self, state: State) -> None:
        for position in state.positions.values():
            peak, before = state.peak(position), self._peaks.get(_held(position))
            if before is not None and (peak - before) * position.side.sign < 0:
                self.found(f"the peak of {position.id} fell back from {before} to {peak}")
            self._peaks[_held(position)] = peak
            if _held(position) not in self._known and self._live is not None:
                self._known[_held(position)] = self._live.clock.monotonic()

    def _on_tick(self, tick: Tick, quote: Quote) -> None:
        live = self._live
        if live is None:
            return
        if _is_fresh(live, tick):
            self._last[tick.instrument] = tick
            self._seen.append((live.clock.monotonic(), tick))

    def _learn_best(self, state: State, now: Nanos) -> None:
        while self._seen and now - self._seen[0][0] > JOURNALED_S * SECOND:
            at, tick = self._seen.popleft()
            for position in state.positions.values():
                known = self._known.get(_held(position), now)
                if position.instrument != tick.instrument or at <= known:
                    continue
                best, sign = self._best.get(_held(position), position.entry), position.side.sign
                if (tick.price - best) * sign > 0:
                    self._best[_held(position)] = tick.price
        for position in state.positions.values():
            best_known = self._best.get(_held(position))
            peak = state.peak(position)
            if best_known is not None and (best_known - peak) * position.side.sign > 0:
                self.found(f"{position.id} knows a peak of {peak}; {best_known} was accepted")

    def _protected(self, live: LiveEngine, position: Position, now: Nanos) -> None:
        tick = self._last.get(position.instrument)
        is_owed = (
            tick is not None
            and _is_fresh(live, tick)  # our clock may have stepped since: nothing acts on it then
            and position.is_guarded(live.clock.now())
            and _is_beyond(position, tick.price, self._best.get(_held(position)))
        )
        if not is_owed:
            self._owed.pop(_held(position), None)
            return
        since = self._owed.setdefault(_held(position), now)
        if since == now:
            self.exits_owed += 1
        if now - since > PROTECTED_S * SECOND:
            self.found(f"{position.id} is beyond its stop at {tick} and nothing is sent")
            self._owed[_held(position)] = now


def _held(position: Position) -> Held:
    return position.id, position.opened_seq


def _is_fresh(live: LiveEngine, tick: Tick) -> bool:
    return live.clock.now() - tick.at <= live.engine.state.limits.price_age_max_s * SECOND


def _is_beyond(position: Position, price: Price, best: Decimal | None) -> bool:
    sign = position.side.sign
    levels = [position.entry * (1 - sign * INITIAL)]
    if position.stop_loss is not None:
        levels.append(position.stop_loss)
    if best is not None and (best - position.entry * (1 + sign * ARMS)) * sign >= 0:
        levels.append(best * (1 - sign * TRAILS))
    return any((price - level) * sign < 0 for level in levels)


def _net(state: State) -> dict[str, Decimal]:
    net: dict[str, Decimal] = {}
    for position in state.positions.values():
        signed = position.side.sign * position.qty
        net[position.instrument] = net.get(position.instrument, Decimal(0)) + signed
    return {instrument: qty for instrument, qty in net.items() if qty}


def _shape(entry: Entry, state: State) -> tuple[object, ...]:
    """Return what kind of state it is: what happened, and what is open in which phase."""
    return (
        type(entry.event).__name__,
        state.session.status.value if state.session else "",
        tuple(sorted(f"{w.status.value}{bool(w.order.exit)}" for w in state.orders.values())),
        tuple(sorted(p.close.phase.value if p.close else "" for p in state.positions.values())),
        tuple(sorted(source.partition(":")[0] for source in state.blocks)),
        state.latch is not None,
    )
