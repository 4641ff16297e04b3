"""Whatever a venue answers: nothing is closed by a wrong answer, and settling is a fix point."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.command import SubmitSignal
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId
from engine.domain.order import Side
from engine.domain.reconcile import PROOF, Action, Finding, Found, findings, reports
from engine.domain.truth import Failed, OpenOrder, VenueTruth
from tests.builders import BTC, NIFTY, Desk, signal, tick
from tests.truths import bought, truth_of

SIZES: Final = {NIFTY: ("75", "150", "225"), BTC: ("0.001", "0.5", "2")}
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
