"""Long, legal journals from a seed: every entry follows from the one before."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from engine.domain import event as ev
from engine.domain.evolve import evolve
from engine.domain.ids import (
    CommandId,
    FillId,
    InstrumentId,
    Nanos,
    OrderId,
    PositionId,
    Seq,
    SessionId,
    StrategyName,
    order_id,
)
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.money import Currency, Money, Price, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, Side, WorkingOrder
from engine.domain.risk import LatchCause
from engine.domain.session import Mode, SessionStatus
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.strategy import Phase
from engine.stops.initial import InitialStop
from engine.stops.trailing import TrailingStop

INR, USD = Currency("INR"), Currency("USD")
START = 1_769_744_700_000_000_000
PUT = InstrumentId("NIFTY26JAN25900PE")
COIN = InstrumentId("BTC_USD-PERPETUAL")
INSTRUMENTS = (
    Instrument(PUT, Kind.OPTION, INR, strike=Decimal(25900), right=Right.PUT),
    Instrument(COIN, Kind.LINEAR, USD, lot_size=Decimal("0.001")),
)
STRATEGY = StrategyName("momentum")


class History:
    """Writes entries one by one, choosing only what may follow."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.state = State()
        self.entries: list[ev.Entry] = []
        self.sessions = 0
        self._steps: tuple[tuple[Callable[[], None], int], ...] = (
            (self.request_entry, 20),
            (self.answer, 60),
            (self.request_exit, 20),
            (self.raise_peaks, 5),
            (self.change_stop, 3),
            (self.strategy, 4),
            (self.cancel, 2),
            (self.words, 4),
        )

    @property
    def seq(self) -> Seq:
        return Seq(self.state.seq + 1)

    @property
    def at(self) -> Nanos:
        return Nanos(START + self.seq * 12_345_678)

    def add(self, event: ev.Event) -> None:
        entry = ev.Entry(self.seq, self.at, event)
        self.state = evolve(self.state, entry)
        self.entries.append(entry)

    def start(self) -> History:
        self.sessions += 1
        self.add(
            ev.SessionStarted(
                SessionId(f"s{self.sessions}"),
                Mode.PAPER,
                "paper",
                "sim",
                (Money(Decimal("100000.00"), INR), Money(Decimal(5000), USD)),
                (InitialStop(), TrailingStop(Decimal("0.10"))),
                self.state.limits,
                symbols=(PUT, COIN),
            )
        )
        for instrument in INSTRUMENTS:
            self.add(ev.InstrumentListed(instrument))
        return self

    def end(self) -> None:
        assert self.state.session is not None
        self.add(ev.SessionEnded(self.state.session.id, SessionStatus.COMPLETED, "console"))

    def run(self, count: int) -> History:
        """Add steps until there are at least `count` entries."""
        if self.state.session is None:
            self.start()
        steps, weights = zip(*self._steps, strict=True)
        while len(self.entries) < count:
            self.random.choices(steps, weights)[0]()
        return self

    def price(self) -> Price:
        return Price(Decimal(self.random.randint(2000, 4000)) / 100)

    def request_entry(self) -> None:
        if len(self.state.positions) > 30 or self.state.session is None:
            return
        instrument = self.random.choice(INSTRUMENTS)
        key = order_id(self.state.session.id, self.seq)
        side = self.random.choice((Side.BUY, Side.SELL))
        qty = Qty(Decimal(self.random.randint(1, 200)) * instrument.lot_size)
        order = Order(
            key,
            instrument.id,
            side,
            qty,
            PositionId(key),
            strategy=STRATEGY,
            stop_loss=self.price(),
        )
        self.add(ev.OrderRequested(order))

    def request_exit(self) -> None:
        free = [p for p in self.state.positions.values() if p.close is None]
        if not free or self.state.session is None:
            return
        position = self.random.choice(free)
        busy = {w.order.position for w in self.state.orders.values()}
        if position.id in busy:
            return
        key = order_id(self.state.session.id, self.seq)
        reason = ExitReason(
            ExitKind.RULE, "stop_loss_hit", "initial", ("vwap_stop_hit",), self.price(), "=note"
        )
        part = self.random.random() < 0.2 and position.qty > 1
        qty = Qty(position.qty / 2) if part else position.qty
        order = Order(
            key, position.instrument, position.side.opposite, qty, position.id, exit=reason
        )
        self.add(ev.StopFired(position.id, reason, self.price(), self.at, "sim", Nanos(5), None))
        self.add(ev.OrderRequested(order))

    def answer(self) -> None:
        if not self.state.orders:
            return
        working = self.random.choice(list(self.state.orders.values()))
        chance = self.random.random()
        if chance < 0.1:
            self.add(ev.OrderAccepted(working.order.id, f"v-{self.seq}"))
        elif chance < 0.15:
            self.add(ev.OrderTimedOut(working.order.id))
        elif chance < 0.2:
            self.add(ev.OrderRejected(working.order.id, "insufficient_funds", "no <b>margin</b>"))
            self.rearm(working)
        else:
            self.fill(working, in_parts=chance < 0.4)

    def fill(self, working: WorkingOrder, *, in_parts: bool) -> None:
        left = Qty(working.remaining)
        qty = Qty(left / 2) if in_parts else left
        instrument = self.state.instruments[working.order.instrument]
        fee = Money(Decimal("0.35"), instrument.currency)
        fill = Fill(FillId(f"f{self.seq}"), working.order.id, self.price(), qty, fee, self.at)
        self.add(ev.OrderFilled(fill, oi=Decimal(1000)))

    def rearm(self, working: WorkingOrder) -> None:
        if working.order.exit and working.order.position in self.state.positions:
            self.add(ev.CloseRearmed(working.order.position, working.order.id, "rejected", self.at))

    def cancel(self) -> None:
        if not self.state.orders:
            return
        working = self.random.choice(list(self.state.orders.values()))
        self.add(ev.CancelRequested(working.order.id, CommandId("c-1")))
        self.add(ev.OrderCancelled(working.order.id, "by request"))
        self.rearm(working)

    def raise_peaks(self) -> None:
        self.add(ev.PeaksRaised((ev.Peak(PUT, self.price(), None), ev.Peak(COIN, None, None))))

    def change_stop(self) -> None:
        if self.state.positions:
            key = self.random.choice(list(self.state.positions))
            self.add(ev.StopChanged(key, self.price(), None, CommandId(f"c{self.seq}"), "console"))

    def strategy(self) -> None:
        settings = (("instrument", "NIFTY"), ("lots", "1"))
        phase = self.random.choice((Phase.ANALYZING, Phase.POSITION_OPEN))
        self.add(ev.StrategyChanged(STRATEGY, "oi_momentum", phase, "a cross", settings=settings))
        self.add(ev.StrategyRemembered(STRATEGY, f'{{"bars":{self.seq}}}'))
        signal = Signal(f"g{self.seq}", PUT, Side.BUY, self.at, strategy=STRATEGY)
        self.add(ev.SignalRefused(signal, "outside the entry window"))

    def words(self) -> None:
        self.random.choice(
            (
                lambda: self.add(ev.FeedChanged("sim", True, "back after 3 s\n\x1b[2J")),
                lambda: self.add(ev.StrategyNoted(STRATEGY, "STRIKE 25850 -> 25900")),
                lambda: self.add(ev.CommandRefused(CommandId(f"c{self.seq}"), "cli", "no")),
                lambda: self.add(ev.EntriesBlocked("quality", "62 below 70")),
                lambda: self.add(ev.FlattenLatched(LatchCause.OPERATOR, "lunch", "console")),
                lambda: self.add(ev.LatchLifted("console", "back")),
            )
        )()

    def close_all(self) -> History:
        """Finish every order and position, so that a session may end."""
        while self.state.orders:
            self.fill(next(iter(self.state.orders.values())), in_parts=False)
        for key in list(self.state.positions):
            self.exit_of(key)
        return self

    def exit_of(self, key: PositionId) -> None:
        position = self.state.positions[key]
        assert self.state.session is not None
        order = Order(
            OrderId(f"x-{self.seq}"),
            position.instrument,
            position.side.opposite,
            position.qty,
            key,
            exit=ExitReason(ExitKind.MANUAL, "manual"),
        )
        self.add(ev.OrderRequested(order))
        self.fill(self.state.orders[order.id], in_parts=False)


def batches(entries: list[ev.Entry], seed: int) -> list[list[ev.Entry]]:
    """Cut `entries` into batches of random sizes."""
    rng, rest, cut = random.Random(seed), list(entries), []
    while rest:
        size = rng.choice((1, 1, 2, 3, 7, 40))
        cut.append(rest[:size])
        rest = rest[size:]
    return cut
