"""Whatever a venue answers: nothing is closed by a wrong answer, and settling is a fix point."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.command import SubmitSignal
from engine.domain.event import OrderAdopted, OrderFilled, OrderRequested
from engine.domain.evidence import net
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId
from engine.domain.order import Side
from engine.domain.questions import Policy, question
from engine.domain.reconcile import (
    PROOF,
    Action,
    Finding,
    Found,
    findings,
    proofs,
    reports,
)
from engine.domain.truth import Execution, Failed, OpenOrder, VenueTruth
from tests.builders import BTC, CATALOG, NIFTY, Desk, signal, tick
from tests.foreign import traded
from tests.truths import bought, truth_of

SIZES: Final = {NIFTY: ("75", "150", "225"), BTC: ("0.001", "0.5", "2")}
MADE: Final = (OrderRequested, OrderAdopted)
INSTRUMENTS: Final = (NIFTY, BTC, InstrumentId("ELSEWHERE"))


def desk() -> Desk:
    made = Desk().start()
    made.tick(tick("30", 1))
    made.tick(tick("60000", 1, BTC))
    return made


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    """A desk with positions, and perhaps orders whose fills it has not heard of."""
    made = desk()
    for n in range(draw(st.integers(0, 3))):
        instrument = draw(st.sampled_from((NIFTY, BTC)))
        side = draw(st.sampled_from(Side)) if instrument == BTC else Side.BUY
        size = draw(st.sampled_from(SIZES[instrument]))
        order = SubmitSignal(CommandId(f"c{n}"), signal(f"s{n}", instrument, side, size))
        made.holds = draw(st.booleans())
        made.give(order)
    return made


@st.composite
def truths(draw: st.DrawFn, made: Desk) -> VenueTruth:
    """Any answer: the right one, with any part of it replaced by anything."""
    right = truth_of(made)
    amounts = st.decimals(-300, 300, places=3)
    net = draw(st.dictionaries(st.sampled_from(INSTRUMENTS), amounts, max_size=3))
    missed = [bought(w.order, "30", "0.001") for w in made.state.orders.values()]
    stray = OpenOrder(OrderId("s1-999"), NIFTY, Side.SELL, Decimal(75))
    return VenueTruth(
        right.at,
        draw(st.sampled_from((right.positions, net, {}))),
        draw(st.sampled_from((right.orders, (), (*right.orders, stray)))),
        draw(st.sampled_from((right.fills, (), (*right.fills, *missed)))),
    )


def next_run(truth: VenueTruth) -> VenueTruth:
    return replace(truth, at=Nanos(truth.at + PROOF))


@given(st.data())
def test_reconciling_twice_is_reconciling_once(data: st.DataObject) -> None:
    made = data.draw(desks())
    truth = data.draw(truths(made))
    first = findings(made.state, truth)
    for report in reports(first):
        made.report(report)
    state = made.state
    second = findings(state, truth, (), first)
    assert not reports(second)
    for report in reports(first):  # the venue tells it once more
        made.report(report)
    assert made.state == state
    third = findings(state, next_run(truth), (), second)
    # From the run that proved it on, the same world leads to the same findings for ever.
    believed = [finding for finding in third if finding.what is not Found.UNREACHABLE]
    if believed:
        assert findings(state, next_run(next_run(truth)), (), third) == third


@given(st.data())
def test_a_consistent_venue_leaves_the_same_quantities_here_as_there(data: st.DataObject) -> None:
    made = data.draw(desks())
    right = truth_of(made)
    fills, net = list(right.fills), dict(right.positions)
    for working in made.state.orders.values():
        missed = bought(working.order, "30", working.order.qty)
        fills.append(missed)
        net[missed.instrument] = net.get(missed.instrument, Decimal(0)) + missed.signed
    truth = VenueTruth(right.at, {i: q for i, q in net.items() if q}, (), tuple(fills))
    found = findings(made.state, truth)
    assert {finding.what for finding in found} <= {Found.MISSED_FILL}
    for report in reports(found):
        made.report(report)
    here: dict[InstrumentId, Decimal] = {}
    for position in made.state.positions.values():
        signed = position.side.sign * position.qty
        here[position.instrument] = here.get(position.instrument, Decimal(0)) + signed
    assert {i: q for i, q in here.items() if q} == truth.positions
    assert findings(made.state, next_run(truth), (), found) == ()


@given(st.data())
def test_a_failed_query_is_never_flat(data: st.DataObject) -> None:
    made = data.draw(desks())
    before = findings(made.state, data.draw(truths(made)))
    found = findings(made.state, Failed(Nanos(9), data.draw(st.text())), (), before)
    assert [finding.action for finding in found] == [Action.NOTHING]


def test_ten_thousand_wrong_empty_answers_close_nothing() -> None:
    """N21: with or without its fills, once or many times in a row, an empty page closes nothing."""
    chance = random.Random(20261125)
    made = desk()
    made.open("a")
    made.open("b", BTC, Side.SELL, "0.5")
    before, right = made.state, truth_of(made)
    found: tuple[Finding, ...] = ()
    closed, asked = 0, 0
    for run in range(10_000):
        fills = right.fills if chance.random() < 0.5 else ()
        empty = VenueTruth(Nanos(run * PROOF), fills=fills)
        found = findings(made.state, empty, (), found)
        for report in reports(found):
            made.report(report)
            closed += 1
        settled = [finding for finding in found if finding.action is Action.SETTLE]
        closed += len(settled)
        asked += any(finding.action is Action.ASK for finding in found)
    assert closed == 0
    assert asked > 0  # it was noticed all the same
    assert made.state == before


@st.composite
def strangers(draw: st.DrawFn, instrument: InstrumentId) -> list[Execution]:
    """Some trades of somebody else on one instrument, in the venue's order."""
    lot = CATALOG[instrument].lot_size
    trades = draw(
        st.lists(
            st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(1, 400)), max_size=6
        )
    )
    return [
        traded(f"v{n}", side, f"{lot * lots}", f"{cents * Decimal('0.5')}", instrument, fee="0.10")
        for n, (side, lots, cents) in enumerate(trades)
    ]


@given(st.data())
def test_what_strangers_traded_is_booked_to_the_venues_quantity_and_no_further(
    data: st.DataObject,
) -> None:
    made = desk()
    made.open("a", BTC, data.draw(st.sampled_from(Side)), "0.5")
    made.open("b", BTC, data.draw(st.sampled_from(Side)), "2")
    right, before = truth_of(made), net(made.state).get(BTC, Decimal(0))
    others = data.draw(strangers(BTC))
    there = before + sum((one.signed for one in others), Decimal(0))
    truth = replace(
        right,
        positions={BTC: there} if there else {},
        fills=(*right.fills, *others),
    )
    found = findings(made.state, truth)
    for proof in proofs(found):
        made.give(proof)
    settled = [f for f in found if f.action is Action.SETTLE]
    assert net(made.state).get(BTC, Decimal(0)) == (there if settled else before)
    if before and there != before:
        assert settled  # fills alone lead there
    assert not proofs(findings(made.state, truth, (), found))
    state = made.state
    for proof in proofs(found):  # once more changes nothing
        made.give(proof)
    assert made.state == state
    # Every figure of the account follows from the venue's fills, to the last unit.
    sides = {e.order.id: e.order.side.sign for e in made.events if isinstance(e, MADE)}
    fills = [e.fill for e in made.events if isinstance(e, OrderFilled)]
    ours = [fill for fill in fills if fill.fee.currency == CATALOG[BTC].currency]
    spent = sum((-sides[f.order] * f.price * f.qty for f in ours), Decimal(0))
    account = state.accounts[CATALOG[BTC].currency]
    worth = sum((p.side.sign * p.entry_value for p in state.positions.values()), Decimal(0))
    assert account.realised == spent + worth
    assert account.fees == sum((f.fee.amount for f in ours), Decimal(0))


@given(st.data())
def test_questions_have_ids_that_follow_from_what_was_found(data: st.DataObject) -> None:
    made = data.draw(desks())
    truth = data.draw(truths(made))
    once, again = (
        [
            question(finding, Policy(), Nanos(at)).id
            for finding in findings(made.state, next_run(truth), (), findings(made.state, truth))
            if finding.action is Action.ASK
        ]
        for at in (5, 7)
    )
    assert once == again
    assert len(set(once)) == len(once)
