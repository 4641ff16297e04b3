"""What the venue executed without us: booked as it was filled, once, never more than proven."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition, SubmitSignal
from engine.domain.event import (
    CancelRequested,
    OrderAdopted,
    OrderFilled,
    OrderRequested,
    SessionEnded,
)
from engine.domain.evidence import net, news
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, FillId, SessionId, StrategyName
from engine.domain.inputs import Proof
from engine.domain.money import ZERO, Currency, Money, price, qty
from engine.domain.order import ExitKind, Fill, Side
from engine.domain.reconcile import Action, Found, findings, proofs
from engine.domain.session import SessionStatus
from engine.domain.truth import Execution
from tests.builders import BTC, INR, NIFTY, SECOND, Desk, session, signal, tick
from tests.foreign import bought, sold, traded
from tests.truths import truth_of


def desk() -> Desk:
    made = Desk().start()
    made.tick(tick("30", SECOND))
    made.tick(tick("60000", SECOND, BTC))
    return made


def prove(held: Desk, *fills: Execution) -> None:
    """Hand over `fills` as proof of exactly what they lead to."""
    instrument = fills[0].instrument
    here = net(held.state).get(instrument, ZERO)
    there = here + sum((fill.signed for fill in fills), ZERO)
    held.give(Proof(instrument, here, there, fills))


def conserved(held: Desk) -> bool:
    """Recompute every account from the fills alone."""
    made = (OrderRequested, OrderAdopted)
    sides = {e.order.id: e.order.side.sign for e in held.events if isinstance(e, made)}
    for currency, account in held.state.accounts.items():
        held_here = [p for p in held.state.positions.values() if p.currency == currency]
        tied = sum((p.cost for p in held_here), ZERO)
        assert account.cash + tied == account.initial + account.realised - account.fees
        traded_ = sum(
            (
                -sides[e.fill.order] * e.fill.price * e.fill.qty
                for e in held.events
                if isinstance(e, OrderFilled) and e.fill.fee.currency == currency
            ),
            ZERO,
        )
        worth = sum((p.side.sign * p.entry_value for p in held_here), ZERO)
        assert account.realised == traded_ + worth
    return True


def test_a_close_at_the_venue_is_booked_with_its_price_time_and_fee() -> None:
    held = desk()
    held.open("a")
    prove(held, sold("v1", "75", "33", fee="1.25"))
    (trade,) = held.state.closed
    assert (trade.exit, trade.exit_at, trade.fees) == (price("33"), 9, Decimal("1.25"))
    assert trade.pnl == Decimal("223.75")
    assert (trade.reason.kind, trade.reason.code) == (ExitKind.RECONCILED, "closed_at_venue")
    assert not held.state.positions
    assert not held.state.orders
    assert not held.waiting  # nothing is sent for it
    assert conserved(held)


def test_a_part_closed_at_the_venue_leaves_the_rest_with_its_stops() -> None:
    held = desk()
    position = held.open("a", size="150")
    prove(held, sold("v1", "75", "33"))
    left = held.state.positions[position.id]
    assert (left.qty, left.realised) == (Decimal(75), Decimal(225))
    held.tick(tick("10", 2 * SECOND))
    assert not held.state.positions
    assert conserved(held)


def test_an_enlargement_is_added_to_the_position_with_its_average() -> None:
    held = desk()
    position = held.open("a")
    prove(held, bought("v1", "75", "40"))
    grown = held.state.positions[position.id]
    assert (grown.qty, grown.entry) == (Decimal(150), price("35"))
    assert conserved(held)


def test_a_flip_is_a_close_and_a_new_position_with_the_configured_stops() -> None:
    held = desk()
    position = held.open("a", BTC, Side.BUY, "0.5")
    prove(held, traded("v1", Side.SELL, "0.8", "61000", BTC, fee="8"))
    (trade,) = held.state.closed
    (turned,) = held.state.positions.values()
    assert (trade.id, trade.qty) == (position.id, Decimal("0.5"))
    assert (turned.side, turned.qty, turned.entry) == (Side.SELL, Decimal("0.3"), price("61000"))
    assert trade.fees + turned.fees == 8
    held.tick(tick("90000", 2 * SECOND, BTC))
    assert not held.state.positions  # its stop fired
    assert conserved(held)


def test_fills_are_dealt_out_oldest_position_first() -> None:
    held = desk()
    first, second = held.open("a"), held.open("b", size="150")
    prove(held, sold("v1", "100", "31", fee="0.10"), sold("v2", "25", "32"))
    assert [t.id for t in held.state.closed] == [first.id]
    assert held.state.positions[second.id].qty == 100
    assert held.state.closed[0].fees == Decimal("0.075")
    assert conserved(held)


def test_the_same_proof_twice_books_once_and_a_false_one_never() -> None:
    held = desk()
    held.open("a", size="150")
    proof = Proof(NIFTY, Decimal(150), Decimal(75), (sold("v1", "75", "33"),))
    held.give(proof)
    before = held.state
    held.give(proof)
    held.give(replace(proof, here=Decimal(75), there=ZERO))  # the same fill as another proof
    held.give(replace(proof, here=Decimal(75), there=ZERO, fills=(sold("v2", "50", "33"),)))
    assert held.state == before


def test_a_proof_that_the_engine_has_overtaken_changes_nothing() -> None:
    held = desk()
    position = held.open("a")
    proof = Proof(NIFTY, Decimal(75), ZERO, (sold("v1", "75", "33"),))
    held.give(ClosePosition(CommandId("c"), position.id, "cli"))
    before = held.state
    held.give(proof)
    assert held.state == before


def test_a_working_exit_is_cancelled_when_its_position_was_closed_elsewhere() -> None:
    held = desk()
    position = held.open("a")
    held.holds = True
    held.give(ClosePosition(CommandId("c"), position.id, "cli"))
    (order,) = held.waiting
    prove(held, sold("v1", "75", "33"))
    assert not held.state.positions
    assert CancelRequested(order.id) in held.events
    held.report(held.cancel(order))
    assert not held.state.orders
    assert conserved(held)


def test_an_exit_that_is_filled_all_the_same_opens_what_the_venue_then_has() -> None:
    held = desk()
    position = held.open("a")
    held.holds = True
    held.give(ClosePosition(CommandId("c"), position.id, "cli"))
    (order,) = held.waiting
    prove(held, sold("v1", "75", "33"))
    held.report(held.fill(order))
    (turned,) = held.state.positions.values()
    assert (turned.side, turned.qty) == (Side.SELL, Decimal(75))
    assert not held.state.orders
    before = held.state
    held.report(held.fill(order))  # told again
    assert held.state == before
    assert conserved(held)


def test_an_exit_larger_than_what_is_left_closes_it_and_turns_the_rest() -> None:
    held = desk()
    position = held.open("a", size="150")
    held.holds = True
    held.give(ClosePosition(CommandId("c"), position.id, "cli"))
    (order,) = held.waiting
    prove(held, sold("v1", "75", "33"))
    assert held.state.positions[position.id].qty == 75
    held.report(held.fill(order))
    (turned,) = held.state.positions.values()
    assert (turned.side, turned.qty) == (Side.SELL, Decimal(75))
    assert [t.id for t in held.state.closed] == [position.id]
    assert conserved(held)


def late(held: Desk, size: str) -> OrderFilled:
    """Return a fill of the order that was given up last."""
    order = list(held.state.given_up)[-1]
    return OrderFilled(
        Fill(FillId("late"), order, price("31"), qty(size), Money(ZERO, INR), held.now)
    )


def test_a_late_fill_of_a_cancelled_exit_is_booked_with_its_own_reason_and_once() -> None:
    held = desk()
    position = held.open("a")
    held.holds = True
    held.give(ClosePosition(CommandId("c"), position.id, "cli", note="lunch"))
    held.answer(held.reject)
    assert held.state.positions[position.id].close is None
    said = late(held, "75")
    held.report(said)
    (trade,) = held.state.closed
    assert (trade.reason.code, trade.reason.note) == ("manual", "lunch")
    before = held.state
    held.report(said)
    assert held.state == before
    assert conserved(held)


def test_a_late_fill_of_an_entry_that_was_given_up_opens_its_position() -> None:
    held = desk()
    held.holds = True
    held.give(SubmitSignal(CommandId("c"), signal("a", at=held.now)))
    held.answer(held.cancel)
    held.report(late(held, "75"))
    (position,) = held.state.positions.values()
    assert (position.qty, position.entry) == (Decimal(75), price("31"))
    assert conserved(held)


def test_a_late_entry_belongs_to_the_strategy_that_wanted_it_with_its_own_stop() -> None:
    held = desk()
    held.holds = True
    wish = signal("a", at=held.now, strategy=StrategyName("momentum"), stop_loss=price("28"))
    held.give(SubmitSignal(CommandId("c"), wish))
    held.answer(held.cancel)
    held.report(late(held, "75"))
    (position,) = held.state.positions.values()
    assert (position.strategy, position.stop_loss) == ("momentum", price("28"))


def test_a_fill_that_was_heard_before_the_cancel_is_not_booked_again() -> None:
    held = desk()
    held.holds = True
    held.give(SubmitSignal(CommandId("c"), signal("a", size="150", at=held.now)))
    (order,) = held.waiting
    part = OrderFilled(
        Fill(FillId("part"), order.id, price("30"), qty(75), Money(ZERO, INR), held.now)
    )
    held.report(part)
    held.answer(held.cancel)
    before = held.state
    held.report(part)
    assert held.state == before


def test_the_journal_of_adoptions_folds_to_the_same_state() -> None:
    held = desk()
    held.open("a", size="150")
    prove(held, sold("v1", "75", "33"))
    prove(held, sold("v2", "150", "34"))
    assert fold(held.entries) == held.state
    adopted = [e for e in held.events if isinstance(e, OrderAdopted)]
    assert [e.venue_order for e in adopted] == ["hand"] * 3
    assert len({e.order.id for e in adopted}) == 3


def test_what_came_to_nothing_is_no_evidence() -> None:
    held = desk()
    held.open("a")
    fills = (bought("v1", "75", "20"), sold("v2", "75", "90"), sold("v3", "75", "33"))
    assert news(held.state, fills, NIFTY) == fills[2:]


def test_an_instrument_or_a_currency_that_is_unknown_books_nothing() -> None:
    held = Desk().start()
    before = held.state
    held.give(Proof(NIFTY, ZERO, Decimal(75), (bought("v1", "75", "30"),)))
    assert held.state == before  # nobody listed it


@pytest.mark.parametrize(
    ("there", "fills", "what"),
    [
        ("0", (sold("v1", "75", "33"),), Found.GONE),
        ("50", (sold("v1", "25", "33"),), Found.DIFFERS),
        ("150", (bought("v1", "25", "33"), bought("v2", "50", "34")), Found.DIFFERS),
        ("-25", (sold("v1", "100", "33"),), Found.DIFFERS),
    ],
)
def test_what_fills_explain_is_settled_in_the_run_that_finds_it(
    there: str, fills: tuple[Execution, ...], what: Found
) -> None:
    held = desk()
    held.open("a")
    right = truth_of(held)
    truth = replace(right, positions={NIFTY: Decimal(there)}, fills=(*right.fills, *fills))
    found = findings(held.state, truth)
    assert [(f.what, f.action) for f in found] == [(what, Action.SETTLE)]
    for proof in proofs(found):
        held.give(proof)
    assert net(held.state).get(NIFTY, ZERO) == Decimal(there)
    assert findings(held.state, truth) == ()
    assert conserved(held)


def test_a_fee_in_another_currency_is_not_booked_as_if_it_were_ours() -> None:
    held = desk()
    held.open("a")
    right = truth_of(held)
    odd = sold("v1", "75", "33", fee="1")
    odd = replace(odd, fill=replace(odd.fill, fee=Money(Decimal(1), Currency("BNB"))))
    truth = replace(right, positions={}, fills=(*right.fills, odd))
    assert [f.action for f in findings(held.state, truth)] == [Action.AGAIN]


def test_a_late_fill_of_an_instrument_that_this_session_does_not_list_changes_nothing() -> None:
    held = desk()
    held.holds = True
    held.give(SubmitSignal(CommandId("c"), signal("a", at=held.now)))
    held.answer(held.cancel)
    said = late(held, "75")
    held.give(SessionEnded(SessionId("s1"), SessionStatus.COMPLETED, "cli"))
    held.give(replace(session(), session=SessionId("s2")))
    assert held.state.given_up
    before = held.state
    held.report(said)
    assert held.state == before


@pytest.mark.parametrize("size", ["50", "100"])
def test_fills_that_do_not_add_up_settle_nothing(size: str) -> None:
    held = desk()
    held.open("a")
    right = truth_of(held)
    truth = replace(right, positions={}, fills=(*right.fills, sold("v1", size, "33")))
    assert [f.action for f in findings(held.state, truth)] == [Action.AGAIN]


def test_what_nothing_here_opened_is_asked_about_even_with_its_fills() -> None:
    held = desk()
    truth = replace(
        truth_of(held), positions={NIFTY: Decimal(75)}, fills=(bought("v1", "75", "30"),)
    )
    assert [f.action for f in findings(held.state, truth)] == [Action.AGAIN]


def test_our_orders_of_older_sessions_are_no_evidence() -> None:
    held = desk()
    held.open("a")
    old = traded("o1", Side.SELL, "75", "33", order="20261124-093000-17")
    right = truth_of(held)
    truth = replace(right, positions={}, fills=(*right.fills, old))
    assert [f.action for f in findings(held.state, truth)] == [Action.AGAIN]
