"""Rules of the state machine: somebody else trades on the account, the venue is late, all three
are compared, and a person (or, in the end, nobody) answers what is asked.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.domain.command import Decide
from engine.domain.decision import RECONCILED, Choice, Decision, Matter
from engine.domain.event import DecisionAsked, DecisionTaken, DecisionWithdrawn, OrderFilled
from engine.domain.evidence import net
from engine.domain.ids import SECOND, CommandId, FillId, InstrumentId
from engine.domain.inputs import Listing
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.order import Fill, Order, Side
from engine.domain.questions import Policy, is_about, question
from engine.domain.reconcile import PROOF, Action, Finding, findings, proofs, reports
from engine.domain.truth import Execution, Failed, VenueTruth
from tests.builders import BTC, CATALOG, NIFTY, Desk
from tests.foreign import traded

POLICY = Policy({Matter.DIFFERS: Choice.ESTIMATE})
BOTH = st.sampled_from([NIFTY, BTC])
SIDES = st.sampled_from(Side)


class ForeignHand(RuleBasedStateMachine):
    """The account as the venue has it: what it executed for us, and for somebody else."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.executions: list[Execution] = []
        """All that the venue ever executed, in its order."""
        self.untold: set[FillId] = set()
        """Of these, what its answers leave out."""
        self.found: tuple[Finding, ...] = ()

    def last(self, instrument: InstrumentId) -> Price:
        raise NotImplementedError

    def fresh(self) -> CommandId:
        raise NotImplementedError

    def executed(self, order: Order, size: Qty) -> OrderFilled:
        """Let the venue execute (part of) an order of ours; return what it reports."""
        fee = Money(Decimal("0.37"), CATALOG[order.instrument].currency)
        id_ = FillId(f"{order.id}-f{len(self.executions) + 1}")
        fill = Fill(id_, order.id, self.last(order.instrument), size, fee, self.desk.now)
        self.executions.append(Execution(fill, order.instrument, order.side))
        return OrderFilled(fill)

    def truth(self) -> VenueTruth:
        """Return a complete answer of the venue."""
        sums: dict[InstrumentId, Decimal] = {}
        for one in self.executions:
            sums[one.instrument] = sums.get(one.instrument, ZERO) + one.signed
        told = tuple(e for e in self.executions if e.fill.id not in self.untold)
        return VenueTruth(self.desk.now, {i: q for i, q in sums.items() if q}, fills=told)

    def an_entry_is_filled_in_part(self, data: st.DataObject) -> None:
        raise NotImplementedError

    @rule(
        data=st.data(),
        what=st.sampled_from(["trade", "late", "compare", "decide", "story", "part"]),
    )
    def account_lives(self, data: st.DataObject, what: str) -> None:
        """One rule for all of it, so that everything else is tried as often as before."""
        match what:
            case "trade":
                told = data.draw(st.integers(0, 3))
                lots = data.draw(st.integers(1, 5))
                self.somebody_else_trades(data.draw(BOTH), data.draw(SIDES), lots, told)
            case "late":
                self.venue_fills_what_was_given_up(data, data.draw(st.booleans()))
            case "compare":
                self.all_is_compared(data.draw(st.integers(0, 3)))
            case "decide":
                self.somebody_decides(data)
            case "part":
                self.an_entry_is_filled_in_part(data)
            case _:
                self.half_of_a_close_is_told(data)

    def half_of_a_close_is_told(self, data: st.DataObject) -> None:
        """What leads to a question with some fills, and to its answer, at once."""
        for position in tuple(self.desk.state.positions.values())[:1]:
            for told in (1, 0):
                side = position.side.opposite
                self.somebody_else_trades(position.instrument, side, 1, told)
            for _ in range(2):
                self.all_is_compared(1)
            self.somebody_decides(data)
            self.all_is_compared(1)

    def somebody_else_trades(
        self, instrument: InstrumentId, side: Side, lots: int, told: int
    ) -> None:
        size = CATALOG[instrument].lot_size * lots
        n = len(self.executions) + 1
        at = f"{self.last(instrument)}"
        one = traded(f"v{n}", side, f"{size}", at, instrument, fee="0.21", order=f"hand-{n}")
        self.executions.append(one)
        if not told:
            self.untold.add(one.fill.id)

    def venue_fills_what_was_given_up(self, data: st.DataObject, is_reported: bool) -> None:
        state = self.desk.state
        done: dict[str, Decimal] = {}
        for one in self.executions:
            done[one.fill.order] = done.get(one.fill.order, ZERO) + one.fill.qty
        late = [
            working.order
            for id_, working in state.given_up.items()
            if working.order.qty > done.get(id_, ZERO)
        ]
        if late:
            order = data.draw(st.sampled_from(late))
            said = self.executed(order, Qty(order.qty - done.get(order.id, ZERO)))
            if is_reported:
                self.desk.report(said)

    def all_is_compared(self, luck: int) -> None:
        """What the reconciler does with an answer, step by step; now and then there is none."""
        self.desk.pass_time(PROOF / SECOND)
        if not luck:
            before = self.desk.state
            assert findings(before, Failed(self.desk.now, "down"), (), self.found)
            return
        truth = self.truth()
        self.found = findings(self.desk.state, truth, (), self.found)
        self._ask()
        for report in reports(self.found):
            self.desk.report(report)
        for proof in proofs(self.found):
            self.desk.give(proof)
            assert net(self.desk.state).get(proof.instrument, ZERO) == proof.there
        again = findings(self.desk.state, truth, (), ())
        assert not [f for f in again if f.action is Action.SETTLE]

    def _ask(self) -> None:
        state = self.desk.state
        left = [a.decision for a in state.answers.values() if a.stands]
        standing = [d for d in (*state.decisions.values(), *left) if d.matter in RECONCILED]
        for decision in standing:
            if not any(is_about(decision, finding) for finding in self.found):
                self.desk.give(DecisionWithdrawn(decision.id, "over"))
        for finding in self.found:
            if finding.action is not Action.ASK or finding.instrument is None:
                continue
            if not any(is_about(decision, finding) for decision in standing):
                self.desk.give(Listing(CATALOG[finding.instrument]))
                self.desk.give(DecisionAsked(question(finding, POLICY, self.desk.now)))

    def somebody_decides(self, data: st.DataObject) -> None:
        pending = list(self.desk.state.decisions.values())
        if pending:
            decision = data.draw(st.sampled_from(pending))
            choice = data.draw(st.sampled_from(decision.choices))
            self.desk.give(Decide(self.fresh(), decision.id, choice, "test"))

    @invariant()
    def each_execution_is_booked_once_and_as_the_venue_told_it(self) -> None:
        told = {one.fill.id: one.fill for one in self.executions}
        booked: dict[FillId, Decimal] = {}
        for event in self.desk.events:
            if not isinstance(event, OrderFilled):
                continue
            fill = event.fill
            booked[fill.id] = booked.get(fill.id, ZERO) + fill.qty
            if fill.id in told:
                assert (fill.price, fill.at) == (told[fill.id].price, told[fill.id].at)
        for id_, qty in booked.items():
            if id_ in told:
                assert qty <= told[id_].qty
            else:
                self._was_chosen(id_, qty)

    def _was_chosen(self, id_: FillId, qty: Decimal) -> None:
        """What the venue never told was booked because somebody, or the policy, said so: once."""
        asked: dict[str, Decision] = {
            f"decided:{e.decision.id}": e.decision
            for e in self.desk.events
            if isinstance(e, DecisionAsked)
        }
        decision = asked[id_]
        taken = [
            e
            for e in self.desk.events
            if isinstance(e, DecisionTaken) and e.decision == decision.id
        ]
        assert [e.choice for e in taken] in [[Choice.ESTIMATE], [Choice.ADOPT], [Choice.CLOSE]]
        made = sum((one.signed for one in decision.fills), ZERO)
        assert qty == abs(decision.there - decision.here - made)

    @invariant()
    def nothing_is_asked_and_answered_at_once(self) -> None:
        state = self.desk.state
        assert not state.decisions.keys() & state.answers.keys()
        assert all(d.due_at is None or d.proposal in d.choices for d in state.decisions.values())
