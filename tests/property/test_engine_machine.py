"""The whole core under random ticks, orders, slow venues, rejections, repeats and restarts.

Whatever happens: the state is the fold of the journal and every prefix of it is legal; every event
survives encoding; at most one exit is in flight per position; trailing stops only tighten; money is
conserved per currency, to the last unit; a refused input changes nothing; a shadow of what a person
did is watched until its rules end it, and trades nothing.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from engine.domain.command import (
    ChangeStop,
    ClosePosition,
    Flatten,
    LiftLatch,
    PauseEntries,
    ResumeEntries,
    SubmitSignal,
)
from engine.domain.event import (
    OrderAdopted,
    OrderFilled,
    OrderRequested,
    OrderTimedOut,
    PeaksRaised,
    Resumed,
    StopFired,
)
from engine.domain.evolve import evolve, fold
from engine.domain.ids import CommandId, InstrumentId, PositionId
from engine.domain.money import ZERO, Currency, Price, Qty, price, qty
from engine.domain.order import Order, Side
from engine.domain.risk import LatchCause, Limits
from engine.domain.shadow import Deed, shadow_id
from engine.domain.state import State
from engine.runtime.core import Core
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop
from engine.store import codec
from tests.builders import BTC, CATALOG, NIFTY, SECOND, Desk, session, signal, tick
from tests.property.partial_rules import PartlyFilled

RULES = (
    InitialStop(Decimal("0.05")),
    TrailingStop(Decimal("0.02"), Decimal("0.02")),
    VwapStop(Decimal("0.03")),
    OpenInterestStop(),
    TakeProfit(Decimal("0.2")),
    TimeStop(5),
)
LIMITS = Limits(leverage=Decimal(10), rearm_ms=250)
BOTH = st.sampled_from([NIFTY, BTC])


class EngineMachine(PartlyFilled):
    @initialize()
    def start(self) -> None:
        self.desk = Desk(Core(CATALOG))
        self.desk.start(session(cash="1000000", rules=RULES, limits=LIMITS))
        self.prices = {NIFTY: 2000, BTC: 100_000}
        self.n = 0
        self.desk.holds = True
        self.peaks: dict[PositionId, Price] = {}
        for instrument in CATALOG:
            self.market_trades(instrument, 0, 10, None, 1)

    def last(self, instrument: InstrumentId) -> Price:
        """The market's price; the core may have forgotten it over a restart."""
        return price(Decimal(self.prices[instrument]) * Decimal("0.05"))

    def fresh(self) -> CommandId:
        self.n += 1
        return CommandId(f"c{self.n}")

    @rule(
        instrument=BOTH,
        step=st.integers(-60, 60),
        volume=st.integers(0, 9),
        oi=st.sampled_from([None, "1000", "1080", "1100", "1300"]),
        seconds=st.integers(0, 20),
    )
    def market_trades(
        self, instrument: InstrumentId, step: int, volume: int, oi: str | None, seconds: int
    ) -> None:
        self.prices[instrument] = max(
            100, self.prices[instrument] + step * (1 + 49 * (instrument == BTC))
        )
        last = self.last(instrument)
        at = self.desk.now + seconds * SECOND
        self.desk.tick(tick(f"{last}", at, instrument, str(volume), oi))

    @rule(instrument=BOTH, side=st.sampled_from(Side), lots=st.integers(1, 4), own=st.booleans())
    def somebody_enters(self, instrument: InstrumentId, side: Side, lots: int, own: bool) -> None:
        size = CATALOG[instrument].lot_size * lots
        wish = signal(f"s{self.n}", instrument, side, f"{size}", self.desk.now)
        if own:
            last = self.last(instrument)
            wish = replace(wish, stop_loss=price(last * (1 - side.sign * Decimal("0.03"))))
        self.desk.give(SubmitSignal(self.fresh(), wish))

    @rule(instrument=BOTH, side=st.sampled_from(Side), lots=st.integers(1, 4))
    def somebody_enters_and_is_filled(
        self, instrument: InstrumentId, side: Side, lots: int
    ) -> None:
        self.somebody_enters(instrument, side, lots, own=False)
        while self.desk.waiting:
            self.venue_answers("fill")

    @rule(data=st.data(), part=st.sampled_from([None, 1, 2]))
    def operator_closes(self, data: st.DataObject, part: int | None) -> None:
        known = sorted(self.desk.state.positions) or [PositionId("nothing")]
        target = data.draw(st.sampled_from(known))
        held = self.desk.state.positions.get(target)
        size = qty(CATALOG[held.instrument].lot_size * part) if part and held else None
        self.desk.give(ClosePosition(self.fresh(), target, "test", qty=size))

    @rule(data=st.data(), room=st.sampled_from(["0.01", "0.04", "0.5"]))
    def operator_moves_the_stop(self, data: st.DataObject, room: str) -> None:
        known = sorted(self.desk.state.positions)
        if known:
            held = self.desk.state.positions[data.draw(st.sampled_from(known))]
            last = self.last(held.instrument)
            stop = price(last * (1 - held.side.sign * Decimal(room)))
            self.desk.give(ChangeStop(self.fresh(), held.id, "test", stop, None))

    @rule(
        data=st.data(),
        side=st.sampled_from(Side),
        deed=st.sampled_from(["close", "trim", "restop"]),
        steps=st.lists(st.integers(-60, 60), max_size=4),
    )
    def somebody_intervenes_and_the_market_goes_on(
        self, data: st.DataObject, side: Side, deed: str, steps: list[int]
    ) -> None:
        """What leaves a shadow, at once: an entry, a person's hand in it, and prices after it."""
        self.somebody_enters_and_is_filled(NIFTY, side, 2)
        if deed == "restop":
            self.operator_moves_the_stop(data, "0.01")
        else:
            self.operator_closes(data, 1 if deed == "trim" else None)
        while self.desk.waiting:
            self.venue_answers("fill")
        for step in steps:
            self.market_trades(NIFTY, step, 1, None, 1)

    @rule(verb=st.sampled_from(["flatten", "lift", "pause", "resume"]), mood=st.integers(0, 7))
    def operator_commands(self, verb: str, mood: int) -> None:
        """Blocks are rare and lifted soon, or nothing would ever be open."""
        if self.desk.state.latch is not None:
            verb = "lift"
        elif self.desk.state.blocks:
            verb = "resume"
        elif mood:
            return
        made = {
            "flatten": Flatten(self.fresh(), "test", LatchCause.OPERATOR, "because"),
            "lift": LiftLatch(self.fresh(), "test", "over"),
            "pause": PauseEntries(self.fresh(), "test", "operator", "lunch"),
            "resume": ResumeEntries(self.fresh(), "test", "operator"),
        }[verb]
        self.desk.give(made)  # type: ignore[arg-type]

    @rule(seconds=st.integers(0, 90))
    def time_passes(self, seconds: int) -> None:
        self.desk.pass_time(seconds)

    @rule(how=st.sampled_from(["fill", "fill", "fill", "reject", "cancel", "part", "accept"]))
    def venue_answers(self, how: str) -> None:
        if not self.desk.waiting:
            return
        desk = self.desk
        if how == "part":
            order = desk.waiting[0]
            left = desk.state.orders[order.id].remaining if order.id in desk.state.orders else ZERO
            lot = CATALOG[order.instrument].lot_size
            if left > lot:
                desk.report(self.execution(order, Qty(lot)))
                return
            how = "fill"
        if how == "accept":
            desk.report(desk.accept(desk.waiting[0]))
        elif how == "fill":
            desk.answer(lambda o: self.execution(o, Qty(desk.state.orders[o.id].remaining)))
        else:
            desk.answer(desk.reject if how == "reject" else desk.cancel)

    def execution(self, order: Order, size: Qty) -> OrderFilled:
        return self.executed(order, size)

    @rule()
    def venue_is_silent(self) -> None:
        if self.desk.waiting and self.desk.waiting[0].id in self.desk.state.orders:
            self.desk.report(OrderTimedOut(self.desk.waiting[0].id))

    @rule(data=st.data())
    def venue_repeats_itself(self, data: st.DataObject) -> None:
        said = [e for e in self.desk.events if isinstance(e, OrderFilled)]
        if said:
            before = self.desk.state
            self.desk.report(data.draw(st.sampled_from(said)))
            assert self.desk.state == before

    @rule(luck=st.integers(0, 4))
    def process_restarts(self, luck: int) -> None:
        if luck:
            return
        before = self.desk.state
        state = fold(self.desk.entries)
        assert state == before
        self.desk.core = Core(CATALOG, state)
        self.desk.give(Resumed(1, "test"))
        assert replace(self.desk.state, seq=before.seq) == before
        for instrument in CATALOG:
            self.market_trades(instrument, 0, 1, None, 1)

    @invariant()
    def state_is_the_fold_of_the_journal(self) -> None:
        assert fold(self.desk.entries) == self.desk.state

    @invariant()
    def encoding_is_exact(self) -> None:
        for entry in self.desk.entries[-6:]:
            assert codec.decode_event(*codec.encode_event(entry.event)) == entry.event

    @invariant()
    def one_exit_per_position(self) -> None:
        exits = [w.order.position for w in self.desk.state.orders.values() if w.order.exit]
        assert len(exits) == len(set(exits))
        for held in self.desk.state.positions.values():
            assert (held.close is not None) == (held.id in exits)

    @invariant()
    def peaks_never_fall_back(self) -> None:
        for held in self.desk.state.positions.values():
            now, seen = self.desk.state.peak(held), self.peaks.get(held.id)
            assert seen is None or (now - seen) * held.side.sign >= 0
            self.peaks[held.id] = now

    @invariant()
    def money_is_conserved(self) -> None:
        """Recompute every account from the fills alone, without the engine's arithmetic."""
        kinds = (OrderRequested, OrderAdopted)
        orders = {e.order.id: e.order for e in self.desk.events if isinstance(e, kinds)}
        for currency, account in self.desk.state.accounts.items():
            held = [p for p in self.desk.state.positions.values() if p.currency == currency]
            tied = sum((p.cost for p in held), ZERO)
            assert account.cash + tied == account.initial + account.realised - account.fees
            traded = fees = ZERO
            for event in self.desk.events:
                if isinstance(event, OrderFilled) and event.fill.fee.currency == currency:
                    sign = orders[event.fill.order].side.sign
                    traded -= sign * event.fill.price * event.fill.qty
                    fees += event.fill.fee.amount
            open_value = sum((p.side.sign * p.entry_value for p in held), ZERO)
            assert account.realised == traded + open_value
            assert account.fees == fees

    @invariant()
    def everything_open_is_watched_or_closing(self) -> None:
        core = self.desk.core
        for held in self.desk.state.positions.values():
            assert held.close is not None or held.id in core.bands[held.instrument].tickets

    @invariant()
    def no_order_comes_from_a_shadow(self) -> None:
        """Whatever closes is a command of a person, or the rule that fired for that position, or
        goes on with an exit for everything right after a fill that leaves something open.
        """
        before: object = None
        orders: dict[str, Order] = {}
        for event in self.desk.events:
            if isinstance(event, OrderRequested | OrderAdopted):
                orders[event.order.id] = event.order
            if isinstance(event, OrderRequested) and event.order.exit and event.cause is None:
                if isinstance(before, OrderFilled):
                    mine = [o for o in orders.values() if o.position == event.order.position]
                    assert orders[before.fill.order] in mine
                    assert any(o.exit == event.order.exit for o in mine if o != event.order)
                else:
                    assert isinstance(before, StopFired)
                    assert before.position == event.order.position
                    assert before.reason == event.order.exit
            before = event

    @invariant()
    def every_shadow_is_watched_until_its_rules_end_it(self) -> None:
        core, state = self.desk.core, self.desk.state
        watched = [s for s in state.shadows.values() if s.ending is None]
        for shadow in watched:
            assert shadow.id in core.bands[shadow.position.instrument].tickets
        for name in CATALOG:
            held = [p for p in state.positions.values() if p.instrument == name]
            held += [s.position for s in watched if s.position.instrument == name]
            known = state.extremes.get(name)
            assert (known.held if known else 0) == len(held)

    @invariant()
    def the_operators_side_is_what_was_filled(self) -> None:
        """Recompute it from the fills of the exit alone."""
        known = (*self.desk.state.shadows.values(), *self.desk.state.interventions)
        for shadow in known:
            if shadow.deed is Deed.RESTOPPED:
                continue
            told = [e.fill for e in self.desk.events if isinstance(e, OrderFilled)]
            fills = [fill for fill in told if shadow.id == shadow_id(fill.order)]
            sold = sum((fill.price * fill.qty for fill in fills), ZERO)
            position = shadow.position
            assert position.qty == sum((fill.qty for fill in fills), ZERO)
            assert shadow.gross == position.side.sign * (sold - position.entry_value)

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        desk = self.desk
        while desk.waiting:  # liveness: once the venue answers, nothing is left in flight
            order = desk.waiting[0]
            if order.id in desk.state.orders:
                desk.answer(lambda o: self.execution(o, Qty(desk.state.orders[o.id].remaining)))
            else:
                desk.waiting.pop(0)
        assert not desk.state.orders
        for shadow in desk.state.shadows.values():  # a side is open for a reason
            assert shadow.ending is None or shadow.position.id in desk.state.positions
        state = State()
        for entry in desk.entries:  # any prefix of a journal is a legal state
            state = evolve(state, entry)
            for held in state.positions.values():
                assert held.qty > 0
        assert isinstance(Currency("INR"), str)


TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_the_machine_sees_exits_peaks_and_refusals() -> None:
    """A machine that never reaches the interesting states would prove nothing."""
    desk = Desk().start(session(rules=RULES))
    desk.tick(tick("100", SECOND))
    desk.open("a")
    desk.tick(tick("110", 2 * SECOND))
    desk.pass_time(1)
    desk.tick(tick("107", 4 * SECOND))
    kinds = [type(e) for e in desk.events]
    assert kinds.count(StopFired) == 1
    assert kinds.count(PeaksRaised) >= 1
