"""Each difference between engine, database and venue: settled, asked, or looked at again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.command import SubmitSignal
from engine.domain.ids import CommandId, FillId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.money import ZERO, Money, price, qty
from engine.domain.order import Fill, Side
from engine.domain.reconcile import PROOF, Action, Finding, Found, findings, reports
from engine.domain.truth import Execution, Failed, OpenOrder, OpenRow, VenueTruth
from tests.builders import BTC, INR, NIFTY, Desk, signal, tick
from tests.truths import bought, truth_of


def desk() -> Desk:
    made = Desk().start()
    made.tick(tick("30", 1))
    return made


def order_only(held: Desk) -> None:
    held.give(SubmitSignal(CommandId("c-a"), signal("a", at=held.now)))


def later(truth: VenueTruth, by: int = PROOF) -> VenueTruth:
    return replace(truth, at=Nanos(truth.at + by))


def told(found: tuple[Finding, ...]) -> list[tuple[Found, Action]]:
    return [(finding.what, finding.action) for finding in found]


def test_three_that_agree_are_no_finding() -> None:
    held = desk()
    position = held.open("a")
    row = OpenRow(position.id, NIFTY, "buy", "75")
    assert findings(held.state, truth_of(held), [row]) == ()


def test_a_failed_query_is_one_finding_and_says_nothing_of_any_position() -> None:
    held = desk()
    held.open("a")
    row = OpenRow(PositionId("typed"), NIFTY, "buy", "75")
    found = findings(held.state, Failed(Nanos(5), "timed out"), [row])
    assert told(found) == [(Found.UNREACHABLE, Action.NOTHING)]
    assert str(found[0]) == "unreachable [timed out]; nothing changed"


def test_an_empty_answer_that_knows_none_of_our_entries_counts_as_failed() -> None:
    held = desk()
    held.open("a")
    found: tuple[Finding, ...] = ()
    for run in range(5):
        found = findings(held.state, VenueTruth(Nanos(run * PROOF)), (), found)
        assert told(found) == [(Found.UNREACHABLE, Action.NOTHING)]


def test_a_position_gone_at_the_venue_is_looked_at_again_and_then_asked_about() -> None:
    held = desk()
    position = held.open("a")
    gone = replace(truth_of(held), positions={})
    first = findings(held.state, gone)
    assert told(first) == [(Found.GONE, Action.AGAIN)]
    soon = findings(held.state, later(gone, PROOF - 1), (), first)
    assert told(soon) == [(Found.GONE, Action.AGAIN)]
    proven = findings(held.state, later(gone), (), soon)
    assert told(proven) == [(Found.GONE, Action.ASK)]
    assert proven[0].subject == position.id
    assert (proven[0].here, proven[0].there) == (Decimal(75), ZERO)


def test_two_absences_with_a_presence_between_them_prove_nothing() -> None:
    held = desk()
    held.open("a")
    truth = truth_of(held)
    gone = replace(truth, positions={})
    first = findings(held.state, gone)
    back = findings(held.state, later(truth), (), first)
    assert back == ()
    assert told(findings(held.state, later(gone, 2 * PROOF), (), back)) == [
        (Found.GONE, Action.AGAIN)
    ]


def test_a_foreign_fill_is_kept_as_evidence_of_a_close_by_hand() -> None:
    held = desk()
    held.open("a")
    truth = truth_of(held)
    by_hand = Execution(
        Fill(FillId("v9"), OrderId("hand"), price("31"), qty(75), Money(ZERO, INR), Nanos(9)),
        NIFTY,
        Side.SELL,
    )
    (finding,) = findings(held.state, replace(truth, positions={}, fills=(*truth.fills, by_hand)))
    assert finding.fills == (by_hand,)


def test_what_is_open_only_at_the_venue_is_asked_about_in_the_second_run() -> None:
    held = desk()
    truth = VenueTruth(Nanos(1), {BTC: Decimal("-0.5")})
    found = findings(held.state, later(truth), (), findings(held.state, truth))
    assert told(found) == [(Found.UNKNOWN_HERE, Action.ASK)]
    assert (found[0].instrument, found[0].there) == (BTC, Decimal("-0.5"))


def test_another_size_or_side_is_asked_about_with_both_figures() -> None:
    held = desk()
    held.open("a")
    for other in (Decimal(150), Decimal(-75)):
        truth = replace(truth_of(held), positions={NIFTY: other})
        found = findings(held.state, later(truth), (), findings(held.state, truth))
        assert told(found) == [(Found.DIFFERS, Action.ASK)]
        assert (found[0].here, found[0].there) == (Decimal(75), other)


def test_a_carried_position_whose_fills_are_of_an_older_session_is_compared_all_the_same() -> None:
    held = desk()
    held.open("a")
    truth = VenueTruth(Nanos(1), {NIFTY: Decimal(150)})
    assert told(findings(held.state, truth)) == [(Found.DIFFERS, Action.AGAIN)]


def test_a_finding_whose_figures_move_begins_anew() -> None:
    held = desk()
    held.open("a")
    one = replace(truth_of(held), positions={NIFTY: Decimal(150)})
    two = replace(later(one), positions={NIFTY: Decimal(225)})
    found = findings(held.state, two, (), findings(held.state, one))
    assert told(found) == [(Found.DIFFERS, Action.AGAIN)]


def test_our_stray_order_is_cancelled_and_a_strangers_is_asked_about() -> None:
    held = desk()
    orders = (
        OpenOrder(OrderId("s1-99"), NIFTY, Side.SELL, Decimal(75)),
        OpenOrder(OrderId("hand"), NIFTY, Side.BUY, Decimal(75)),
    )
    truth = VenueTruth(Nanos(1), orders=orders)
    first = findings(held.state, truth)
    assert {f.action for f in first} == {Action.AGAIN}
    second = findings(held.state, later(truth), (), first)
    assert told(second) == [
        (Found.STRAY_ORDER, Action.SETTLE),
        (Found.STRAY_ORDER, Action.ASK),
    ]


def test_an_order_that_works_at_both_is_no_finding() -> None:
    held = desk()
    held.holds = True
    order_only(held)
    (order,) = held.waiting
    truth = VenueTruth(Nanos(1), orders=(OpenOrder(order.id, NIFTY, Side.BUY, order.qty),))
    assert findings(held.state, truth) == ()


def test_a_missed_fill_is_settled_at_once_and_only_once() -> None:
    held = desk()
    held.holds = True
    order_only(held)
    (order,) = held.waiting
    missed = bought(order, "30", 75)
    truth = VenueTruth(Nanos(9), {NIFTY: Decimal(75)}, fills=(missed, missed))
    found = findings(held.state, truth)
    assert told(found) == [(Found.MISSED_FILL, Action.SETTLE)]
    for report in reports(found):
        held.report(report)
    assert findings(held.state, truth, (), found) == ()
    assert [p.qty for p in held.state.positions.values()] == [75]


def test_more_than_was_ordered_is_never_booked_as_a_fill() -> None:
    held = desk()
    held.holds = True
    order_only(held)
    (order,) = held.waiting
    truth = VenueTruth(Nanos(9), {NIFTY: Decimal(150)}, fills=(bought(order, "30", 150),))
    assert told(findings(held.state, truth)) == [(Found.UNKNOWN_HERE, Action.AGAIN)]


def test_a_row_that_the_journal_does_not_say_is_settled_in_the_same_run() -> None:
    held = desk()
    row = OpenRow(PositionId("s1-4"), NIFTY, "buy", "75")
    (finding,) = findings(held.state, VenueTruth(Nanos(1)), [row])
    assert (finding.what, finding.action) == (Found.ORPHAN_ROW, Action.SETTLE)
    assert str(finding) == (
        f"orphan_row {NIFTY} [s1-4]: 0 here, 0 at the venue, active, buy 75 in the database;"
        " settled"
    )


def test_an_instrument_that_nobody_listed_is_reported_like_any() -> None:
    odd = InstrumentId("WHAT-IS-THIS")
    (finding,) = findings(desk().state, VenueTruth(Nanos(1), {odd: Decimal(1)}))
    assert (finding.what, finding.instrument) == (Found.UNKNOWN_HERE, odd)
