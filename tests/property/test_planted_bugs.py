"""The state machine proves itself: each of these bugs, planted, is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from engine.domain import (
    adoption,
    answering,
    decide,
    evidence,
    evolve,
    exits,
    extremes,
    ledger,
    order_flow,
    reconcile,
    session_flow,
    shadow_flow,
    shadow_watch,
)
from engine.domain.decision import Decision
from engine.domain.draft import Draft
from engine.domain.event import (
    CloseRearmed,
    Entry,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
)
from engine.domain.ids import Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.money import Price
from engine.domain.order import ExitReason, Fill, Order
from engine.domain.position import Position
from engine.domain.shadow import Shadow
from engine.domain.state import State
from engine.runtime.core import Core
from engine.runtime.guard import Guard
from engine.store import codec
from tests.property.test_engine_machine import EngineMachine

Patch = pytest.MonkeyPatch


def fills_are_not_deduplicated(patch: Patch) -> None:
    def filled(draft: Draft, market: Any, fill: Fill, peak: Any) -> None:
        draft.add(OrderFilled(fill))

    patch.setattr(decide, "_filled", filled)


def the_peak_follows_the_last_price(patch: Patch) -> None:
    def pushed(stack: Any, price: Price | None, seq: Seq, opened: Seq, sign: int) -> Any:
        return stack if price is None else ((seq, price),)

    patch.setattr(extremes, "_pushed", pushed)


def a_fee_is_dropped_on_partial_exits(patch: Patch) -> None:
    real = ledger.book_exit

    def book(state: State, order: Order, fill: Fill, seq: Seq) -> State:
        position = state.positions[order.position]
        if fill.qty < position.qty:
            fill = replace(fill, fee=replace(fill.fee, amount=Decimal(0)))
        return real(state, order, fill, seq)

    patch.setattr(order_flow, "book_exit", book)


def a_second_exit_is_sent(patch: Patch) -> None:
    patch.setattr(Position, "is_guarded", lambda self, now: True)


def the_state_changes_without_a_journal_entry(patch: Patch) -> None:
    real = Core.step

    def step(self: Core, given: Any, now: Nanos) -> list[Entry]:
        return [e for e in real(self, given, now) if not isinstance(e.event, OrderRejected)]

    patch.setattr(Core, "step", step)


def a_rejected_exit_leaves_the_position_unwatched(patch: Patch) -> None:
    real = Guard.follow

    def follow(self: Guard, entry: Entry, state: State, quotes: Any) -> None:
        if not isinstance(entry.event, OrderRejected | OrderCancelled | CloseRearmed):
            real(self, entry, state, quotes)

    patch.setattr(Guard, "follow", follow)


def profit_goes_through_a_float(patch: Patch) -> None:
    real = Instrument.profit

    def profit(self: Instrument, sign: int, value: Decimal, at: Decimal, size: Decimal) -> Decimal:
        return Decimal(repr(float(real(self, sign, value, at, size)) * 1.0000001))

    patch.setattr(Instrument, "profit", profit)


def the_codec_forgets_who_also_fired(patch: Patch) -> None:
    real = codec.encode_event

    def encode(event: Any) -> tuple[str, int, bytes]:
        if type(event).__name__ == "StopFired":
            event = replace(event, reason=replace(event.reason, level=None))
        return real(event)

    patch.setattr(codec, "encode_event", encode)


def a_restart_forgets_working_orders(patch: Patch) -> None:
    real = session_flow.resumed

    def resumed(state: State, entry: Entry, event: Any) -> State:
        return replace(real(state, entry, event), orders={})

    patch.setitem(evolve._APPLY, type(_resumed_event()), resumed)


def _resumed_event() -> Any:
    from engine.domain.event import Resumed

    return Resumed()


def a_partial_close_closes_everything(patch: Patch) -> None:
    real = exits.order_exit

    def order_exit(draft: Draft, position: Position, *rest: Any) -> None:
        reason, quote, _, cause = rest
        real(
            draft,
            replace(position, side=position.side.opposite),
            reason,
            quote,
            position.qty,
            cause,
        )

    patch.setattr(exits, "order_exit", order_exit)


def a_shadow_sends_an_order(patch: Patch) -> None:
    real = shadow_watch.end_shadow

    def end_shadow(
        draft: Draft, shadow: Shadow, quote: Any, reason: ExitReason, now: Nanos
    ) -> None:
        real(draft, shadow, quote, reason, now)
        position = draft.state.positions.get(shadow.position.id)
        if position and position.close is None and not draft.closes(position.id):
            exits.order_exit(draft, position, reason, quote, position.qty, None)

    patch.setattr(shadow_watch, "end_shadow", end_shadow)


def a_restart_forgets_the_shadows(patch: Patch) -> None:
    real = Guard.restart

    def restart(self: Guard, state: State, quotes: Any) -> None:
        real(self, replace(state, shadows={}), quotes)

    patch.setattr(Guard, "restart", restart)


def a_shadow_takes_the_peaks_of_its_instrument_along(patch: Patch) -> None:
    patch.setattr(shadow_flow, "_held_on", lambda before, after, held: after)


def a_foreign_fill_is_booked_each_time_it_is_told(patch: Patch) -> None:
    for module in (evidence, adoption, answering):
        patch.setattr(module, "is_news", lambda state, execution: True)


def fills_that_do_not_add_up_settle_a_difference(patch: Patch) -> None:
    patch.setattr(reconcile, "proves", lambda fills, here, there: bool(fills))


def an_estimate_books_again_what_fills_explain(patch: Patch) -> None:
    real = answering._estimate

    def estimate(draft: Draft, market: Any, decision: Decision, now: Nanos) -> str | None:
        return real(draft, market, replace(decision, fills=()), now)

    patch.setattr(answering, "_estimate", estimate)


def an_exit_is_booked_beyond_its_position(patch: Patch) -> None:
    patch.setattr(decide, "exceeds", lambda state, order, fill: False)


def an_exit_leaves_its_entry_at_work(patch: Patch) -> None:
    patch.setattr(exits, "call_off", lambda draft, order, cause: None)


def what_an_entry_brings_late_is_kept(patch: Patch) -> None:
    patch.setattr(decide, "close_the_rest", lambda draft, market, working, fill: None)


@pytest.mark.parametrize(
    "plant",
    [
        an_exit_leaves_its_entry_at_work,
        what_an_entry_brings_late_is_kept,
        a_foreign_fill_is_booked_each_time_it_is_told,
        fills_that_do_not_add_up_settle_a_difference,
        an_estimate_books_again_what_fills_explain,
        an_exit_is_booked_beyond_its_position,
        fills_are_not_deduplicated,
        the_peak_follows_the_last_price,
        a_fee_is_dropped_on_partial_exits,
        a_second_exit_is_sent,
        the_state_changes_without_a_journal_entry,
        a_rejected_exit_leaves_the_position_unwatched,
        profit_goes_through_a_float,
        the_codec_forgets_who_also_fired,
        a_restart_forgets_working_orders,
        a_partial_close_closes_everything,
        a_shadow_sends_an_order,
        a_restart_forgets_the_shadows,
        a_shadow_takes_the_peaks_of_its_instrument_along,
    ],
)
def test_a_planted_bug_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    with pytest.raises(BaseException):  # noqa: B017, PT011  whichever invariant sees it first
        run_state_machine_as_test(
            EngineMachine,
            settings=settings(
                max_examples=1200,  # generation also draws from what else is imported: leave room
                stateful_step_count=60,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                print_blob=False,
                derandomize=True,
            ),
        )
