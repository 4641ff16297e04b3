"""Bugs to plant into the engine of a simulation; it has to find every one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from engine.domain import decide, evolve, extremes, ledger, order_flow, reconcile, session_flow
from engine.domain.draft import Draft
from engine.domain.event import Entry, OrderFilled, Resumed
from engine.domain.ids import FillId, InstrumentId, OrderId, Seq
from engine.domain.inputs import Proof, Reported
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.order import Fill, Order, Side
from engine.domain.position import Position
from engine.domain.reconcile import Found
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.runtime.guard import Guard
from engine.runtime.reconciler import Reconciler
from tests.faults.virtual import instead

Plant = Callable[[], AbstractContextManager[None]]


def acknowledged_before_the_commit() -> AbstractContextManager[None]:
    commit, publish = Engine._commit, Engine._publish

    async def early(self: Engine, entries: list[Entry]) -> None:
        publish(self, entries)
        await commit(self, entries)

    return instead((Engine, "_commit", early), (Engine, "_publish", lambda *_: None))


def fills_are_not_deduplicated() -> AbstractContextManager[None]:
    def filled(draft: Draft, market: Any, fill: Fill, peak: Any) -> None:
        if fill.order in draft.state.orders:
            again = FillId(f"{fill.id}-{draft.state.seq}")
            left = draft.state.orders[fill.order].remaining
            size = Qty(min(fill.qty, left))
            draft.add(OrderFilled(replace(fill, id=again, qty=size)))

    return instead((decide, "_filled", filled))


def the_peak_is_lost_on_recovery() -> AbstractContextManager[None]:
    real = session_flow.resumed

    def resumed(state: State, entry: Entry, event: Resumed) -> State:
        state = real(state, entry, event)
        cut = {i: replace(e, highs=(), lows=()) for i, e in state.extremes.items()}
        return replace(state, extremes=cut)

    return instead((evolve, "_APPLY", {**evolve._APPLY, Resumed: resumed}))


def the_trail_follows_the_last_price() -> AbstractContextManager[None]:
    def pushed(stack: Any, price: Price | None, seq: Seq, opened: Seq, sign: int) -> Any:
        return stack if price is None else ((seq, price),)

    return instead((extremes, "_pushed", pushed))


def a_second_exit_is_sent() -> AbstractContextManager[None]:
    return instead((Position, "is_guarded", lambda self, now: True))


def an_order_without_an_answer_is_sent_anew() -> AbstractContextManager[None]:
    real = Executor._find_out

    async def find_out(self: Executor, id_: OrderId) -> None:
        anew = replace(_ORDERS[id_], id=OrderId(f"{id_}0"))
        with suppress(ConnectionError):
            await self._venue.submit(anew, _TERMS[id_])
        await real(self, id_)

    return instead((Executor, "_find_out", find_out), (Executor, "_begin", _noting()))


def _noting() -> Callable[..., None]:
    """Return an executor's `_begin` that also keeps what was to be sent."""
    begin = Executor._begin

    def noted(self: Executor, order: Order, terms: Instrument, status: Any) -> None:
        _ORDERS[order.id], _TERMS[order.id] = order, terms
        begin(self, order, terms, status)

    return noted


def an_unknown_outcome_is_taken_for_a_fill() -> AbstractContextManager[None]:
    async def find_out(self: Executor, id_: OrderId) -> None:
        order = _ORDERS[id_]
        price = order.reference or Price(Decimal(1))
        terms = _TERMS[id_]
        free = Money(ZERO, terms.currency)
        fill = Fill(FillId(f"{id_}-guess"), id_, price, order.qty, free, self._clock.now())
        self._submit(Reported(OrderFilled(fill)))

    return instead((Executor, "_find_out", find_out), (Executor, "_begin", _noting()))


def nothing_is_watched_after_a_restart() -> AbstractContextManager[None]:
    def restart(self: Guard, state: State, quotes: Any) -> None:
        self.bands.clear()

    return instead((Guard, "restart", restart))


def a_fee_is_dropped_on_partial_exits() -> AbstractContextManager[None]:
    real = ledger.book_exit

    def book(state: State, order: Order, fill: Fill, seq: Seq) -> State:
        position = state.positions.get(order.position)
        if position is not None and fill.qty < position.qty:
            fill = replace(fill, fee=replace(fill.fee, amount=ZERO))
        return real(state, order, fill, seq)

    return instead((order_flow, "book_exit", book))


def an_empty_answer_closes_at_the_market_price() -> AbstractContextManager[None]:
    real = Reconciler._settle

    async def settle(self: Reconciler) -> None:
        for finding in self.found:
            quote = self._engine.core.quotes.get(finding.instrument or InstrumentId(""))
            if finding.what is not Found.GONE or quote is None:
                continue
            side, size = (Side.SELL, Side.BUY)[finding.here < 0], Qty(abs(finding.here))
            free = Money(ZERO, self._engine.state.instruments[quote.instrument].currency)
            id_ = f"gone-{self.runs}-{quote.instrument}"
            fill = Fill(FillId(id_), OrderId(id_), quote.last, size, free, self._clock.now())
            made = (Execution(fill, quote.instrument, side),)
            self._engine.submit(Proof(quote.instrument, finding.here, ZERO, made))
        await real(self)

    believed = (reconcile, "_is_about_us", lambda *_: True)
    return instead((Reconciler, "_settle", settle), believed)


def nobody_asks_of_an_order_that_is_quiet() -> AbstractContextManager[None]:
    async def ask(self: Executor) -> None:
        """Do nothing."""

    return instead((Executor, "_ask_of_the_quiet", ask))


_ORDERS: Final[dict[OrderId, Order]] = {}
_TERMS: Final[dict[OrderId, Instrument]] = {}
BUGS: Final[Mapping[str, Plant]] = {
    plant.__name__: plant
    for plant in (
        acknowledged_before_the_commit,
        fills_are_not_deduplicated,
        the_peak_is_lost_on_recovery,
        the_trail_follows_the_last_price,
        a_second_exit_is_sent,
        an_order_without_an_answer_is_sent_anew,
        an_unknown_outcome_is_taken_for_a_fill,
        nothing_is_watched_after_a_restart,
        a_fee_is_dropped_on_partial_exits,
        an_empty_answer_closes_at_the_market_price,
    )
}
"""For the simulation of everything."""
WIRE_BUGS: Final[Mapping[str, Plant]] = {
    plant.__name__: plant
    for plant in (
        an_order_without_an_answer_is_sent_anew,
        an_unknown_outcome_is_taken_for_a_fill,
        fills_are_not_deduplicated,
        nobody_asks_of_an_order_that_is_quiet,
    )
}
"""For an executor and its venue alone."""
