"""Questions and answers: asked once, answered once, carried out whole or refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.answering import EFFECTS
from engine.domain.command import Decide
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.decision_flow import ANSWERS_KEPT
from engine.domain.event import (
    CommandRefused,
    DecisionAsked,
    DecisionTaken,
    DecisionWithdrawn,
    OrderRequested,
)
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, DecisionId, Nanos
from engine.domain.inputs import Listing
from engine.domain.money import ZERO, price
from engine.domain.order import ExitKind, OrderStatus, Side
from engine.domain.questions import Policy, is_about, question
from engine.domain.reconcile import PROOF, Action, Finding, Found, findings
from engine.domain.truth import Execution, VenueTruth
from tests.builders import BTC, CATALOG, NIFTY, SECOND, Desk, tick
from tests.foreign import bought, sold, traded
from tests.truths import truth_of

WAIT = Policy().wait


def desk() -> Desk:
    made = Desk().start()
    made.tick(tick("30", SECOND))
    made.tick(tick("60000", SECOND, BTC))
    return made


def found(held: Desk, truth: VenueTruth) -> Finding:
    """Return what the second run of `truth` asks about."""
    later = replace(truth, at=Nanos(truth.at + PROOF))
    (finding,) = findings(held.state, later, (), findings(held.state, truth))
    assert finding.action is Action.ASK
    return finding


def ask(held: Desk, truth: VenueTruth, policy: Policy | None = None) -> Decision:
    finding = found(held, truth)
    held.give(Listing(CATALOG[finding.instrument or NIFTY]))
    held.give(DecisionAsked(question(finding, policy or Policy(), held.now)))
    (decision,) = held.state.decisions.values()
    assert is_about(decision, finding)
    return decision


def gone(held: Desk, *fills: Execution) -> VenueTruth:
    right = truth_of(held)
    return replace(right, positions={}, fills=(*right.fills, *fills))


def take(held: Desk, decision: Decision, choice: Choice, id_: str = "d1") -> None:
    held.give(Decide(CommandId(id_), decision.id, choice, "console", "looked it up"))


def refusals(held: Desk) -> list[str]:
    return [e.reason for e in held.events if isinstance(e, CommandRefused)]


def test_every_matter_has_its_effect() -> None:
    assert set(EFFECTS) == set(Matter)


def test_a_question_says_everything_and_its_id_follows_from_the_finding() -> None:
    held = desk()
    held.open("a")
    truth = gone(held, sold("v1", "50", "33"))
    decision = ask(held, truth)
    assert decision.id == f"gone:{NIFTY}:{truth.at}"
    assert decision.text == (
        "NIFTY25DEC25900PUT: 75 long here, nothing at the venue, fills there explain 50 of 75: "
        "it was closed elsewhere, or the venue is wrong"
    )
    assert decision.choices == (Choice.BOOK, Choice.ESTIMATE, Choice.LEAVE)
    assert (decision.proposal, decision.due_at) == (Choice.LEAVE, None)
    before = held.state
    held.give(DecisionAsked(decision))
    assert held.state == before


def test_booking_a_part_books_exactly_that_part() -> None:
    held = desk()
    position = held.open("a")
    decision = ask(held, gone(held, sold("v1", "50", "33", fee="0.5")))
    take(held, decision, Choice.BOOK)
    left = held.state.positions[position.id]
    assert (left.qty, left.realised, left.fees) == (Decimal(25), Decimal(150), Decimal("0.5"))
    assert not held.state.decisions
    assert held.state.answers[decision.id].by == "console"


def test_an_estimate_closes_at_the_present_price_and_says_where_it_is_from() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held, sold("v1", "25", "33")))
    held.tick(tick("36", held.now + SECOND))
    take(held, decision, Choice.ESTIMATE)
    (trade,) = held.state.closed
    assert trade.gross == 25 * 3 + 50 * 6
    assert trade.reason.kind is ExitKind.RECONCILED
    assert trade.reason.code == "closed_at_venue"
    assert trade.reason.note == "estimated: 36.00 from feed, 0.0 s old; no fill explains it"


def test_a_stale_price_estimates_nothing() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held))
    held.now = Nanos(held.now + 61 * SECOND)
    before = held.state
    take(held, decision, Choice.ESTIMATE)
    assert held.state.positions == before.positions
    assert decision.id in held.state.decisions
    assert refusals(held) == [
        "there is no price of NIFTY25DEC25900PUT younger than 60 s to estimate with"
    ]


def test_an_answer_counts_once_and_says_who_was_first() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held))
    take(held, decision, Choice.LEAVE)
    take(held, decision, Choice.ESTIMATE, "d2")
    assert refusals(held) == ["already taken: leave by console"]
    assert len(held.state.positions) == 1
    held.give(Decide(CommandId("d3"), DecisionId("nothing"), Choice.LEAVE, "cli"))
    assert refusals(held)[-1] == "no decision nothing is pending"


def test_only_what_is_offered_can_be_chosen() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held))
    take(held, decision, Choice.ADOPT)
    assert refusals(held) == ["choice was adopt, offered: estimate, leave"]


def test_an_answer_to_what_has_changed_is_refused() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held))
    held.open("b")
    take(held, decision, Choice.ESTIMATE)
    assert refusals(held) == [
        "75 was open when it was asked, 150 is now: it is compared anew",
    ]
    assert len(held.state.positions) == 2


def unknown(held: Desk, *fills: Execution, size: str = "75") -> VenueTruth:
    right = truth_of(held)
    return replace(right, positions={NIFTY: Decimal(size)}, fills=fills)


def test_adopting_takes_the_entry_from_the_fills_and_the_stops_watch_it() -> None:
    held = desk()
    decision = ask(held, unknown(held, bought("v1", "25", "28"), bought("v2", "50", "31")))
    assert decision.choices == (Choice.ADOPT, Choice.CLOSE, Choice.LEAVE)
    take(held, decision, Choice.ADOPT)
    (position,) = held.state.positions.values()
    assert (position.qty, position.entry) == (Decimal(75), price("30"))
    held.tick(tick("20", held.now + SECOND))
    assert [t.reason.code for t in held.state.closed] == ["stop_loss_hit"]


def test_adopting_without_fills_takes_the_venues_average_or_is_refused() -> None:
    held = desk()
    decision = ask(held, unknown(held))
    take(held, decision, Choice.ADOPT)
    assert refusals(held) == [
        "the venue tells neither the fills nor an average price of NIFTY25DEC25900PUT"
    ]
    held.give(DecisionWithdrawn(decision.id, "test"))
    told = replace(unknown(held), averages={NIFTY: Decimal("28.40")})
    take(held, ask(held, told), Choice.ADOPT, "d2")
    (position,) = held.state.positions.values()
    assert (position.entry, position.qty) == (price("28.40"), Decimal(75))


def test_closing_what_is_unknown_adopts_it_and_sends_the_ordinary_exit() -> None:
    held = desk()
    right = truth_of(held)
    short = replace(
        right,
        positions={BTC: Decimal("-0.5")},
        fills=(traded("v1", Side.SELL, "0.5", "61000", BTC),),
    )
    decision = ask(held, short)
    take(held, decision, Choice.CLOSE)
    (order,) = [e.order for e in held.events if isinstance(e, OrderRequested)]
    assert (order.side, order.qty) == (Side.BUY, Decimal("0.5"))
    while held.waiting:
        held.answer(held.fill)
    (trade,) = held.state.closed
    assert (trade.gross, trade.reason.code) == (Decimal(500), "manual")
    assert fold(held.entries) == held.state


def differs(held: Desk, there: str, average: str | None = None) -> VenueTruth:
    right = truth_of(held)
    averages = {} if average is None else {NIFTY: Decimal(average)}
    return replace(right, positions={NIFTY: Decimal(there)}, averages=averages)


def test_a_larger_position_is_adopted_at_the_price_that_the_venues_average_implies() -> None:
    held = desk()
    position = held.open("a")
    decision = ask(held, differs(held, "150", "32"))
    assert decision.choices == (Choice.ADOPT, Choice.ESTIMATE, Choice.LEAVE)
    take(held, decision, Choice.ADOPT)
    grown = held.state.positions[position.id]
    assert (grown.qty, grown.entry) == (Decimal(150), price("32"))
    assert held.state.accounts[position.currency].realised == 0


def test_a_smaller_position_is_booked_as_a_partial_exit_at_an_estimate() -> None:
    held = desk()
    position = held.open("a", size="150")
    decision = ask(held, differs(held, "75"))
    assert decision.choices == (Choice.ESTIMATE, Choice.LEAVE)
    held.tick(tick("34", held.now + SECOND))
    take(held, decision, Choice.ESTIMATE)
    left = held.state.positions[position.id]
    assert (left.qty, left.realised) == (Decimal(75), Decimal(300))


def test_the_policy_acts_when_nobody_answered_and_not_before() -> None:
    held = desk()
    held.open("a")
    policy = Policy({Matter.GONE: Choice.ESTIMATE})
    decision = ask(held, gone(held), policy)
    assert (decision.proposal, decision.due_at) == (Choice.ESTIMATE, held.now + WAIT)
    held.pass_time(29)
    assert held.state.positions
    held.tick(tick("31", held.now))
    held.pass_time(1)
    assert not held.state.positions
    taken = [e for e in held.events if isinstance(e, DecisionTaken)]
    assert [(e.by, e.why) for e in taken] == [("configuration", "nobody answered within 30 s")]


def test_a_policy_that_cannot_act_waits_until_it_can() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held), Policy({Matter.GONE: Choice.ESTIMATE}))
    held.pass_time(100)  # the price is stale now
    assert decision.id in held.state.decisions
    held.tick(tick("31", held.now))
    held.pass_time(1)
    assert not held.state.decisions
    assert [t.gross for t in held.state.closed] == [75]


def test_the_policy_acts_in_a_turn_of_its_own_and_cancels_the_exit_at_work() -> None:
    held = desk()
    held.open("a")
    decision = ask(held, gone(held), Policy({Matter.GONE: Choice.ESTIMATE}))
    held.holds = True
    held.tick(tick("10", held.now + SECOND))
    (exit_,) = held.waiting
    held.pass_time(40)  # the exit has no answer: that turn is its own
    assert held.state.orders[exit_.id].status is OrderStatus.UNKNOWN
    assert decision.id in held.state.decisions
    held.pass_time(1)
    assert not held.state.positions
    assert held.state.orders[exit_.id].cancel_requested
    held.report(held.cancel(exit_))
    assert not held.state.orders
    assert fold(held.entries) == held.state


def test_a_stray_order_asks_for_cancel_and_a_cancel_stands_until_it_is_gone() -> None:
    held = desk()
    finding = Finding(Found.STRAY_ORDER, Action.ASK, "hand", Nanos(5), NIFTY, ZERO, Decimal(-75))
    decision = question(finding, Policy({Matter.STRAY_ORDER: Choice.CANCEL}), held.now)
    assert decision.id == "stray:hand:5"
    assert decision.proposal is Choice.CANCEL
    held.give(DecisionAsked(decision))
    take(held, decision, Choice.CANCEL)
    assert held.state.answers[decision.id].stands
    held.give(DecisionWithdrawn(decision.id, "gone"))
    assert not held.state.answers


def test_what_is_left_stands_however_many_answers_follow() -> None:
    held = desk()
    finding = Finding(Found.GONE, Action.ASK, "s1-3", Nanos(5), NIFTY, Decimal(75), ZERO)
    left = question(finding, Policy(), held.now)
    held.give(DecisionAsked(left))
    take(held, left, Choice.LEAVE)
    for n in range(ANSWERS_KEPT + 5):
        asked = replace(left, id=DecisionId(f"gap:{n}"), matter=Matter.GAP, choices=(Choice.KEEP,))
        held.give(DecisionAsked(asked))
        held.give(Decide(CommandId(f"k{n}"), asked.id, Choice.KEEP, "cli"))
    assert left.id in held.state.answers
    assert len(held.state.answers) <= ANSWERS_KEPT + 1


@pytest.mark.parametrize("choice", list(Choice))
def test_no_choice_of_a_policy_is_proposed_that_is_not_offered(choice: Choice) -> None:
    finding = Finding(Found.GONE, Action.ASK, "s1-3", Nanos(5), NIFTY, Decimal(75), ZERO)
    decision = question(finding, Policy({Matter.GONE: choice}), Nanos(7))
    assert decision.proposal in decision.choices
    assert (decision.due_at is not None) == (choice in decision.choices)
