"""Taking up again what a dead engine left: what a gap leads to, and what was chosen (E-62, E-63).

A gap never closes anything by itself: it asks, and a person or the policy answers. Meanwhile every
position is watched by its ordinary rules; an exit of theirs never waits for the answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from engine.domain.calendar import local
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.draft import Draft
from engine.domain.event import (
    DecisionAsked,
    DecisionTaken,
    DecisionWithdrawn,
    EntriesAllowed,
    GapJudged,
    OrderRequested,
    PeaksRaised,
    RecoveryDecided,
    RecoverySettled,
    StopFired,
)
from engine.domain.exits import order_exit
from engine.domain.gap import GAP_SOURCE, Gap, GapFinding
from engine.domain.ids import SECOND, DecisionId, Nanos, PositionId
from engine.domain.inputs import GapSeen
from engine.domain.instrument import Instrument
from engine.domain.market import Market, Quote
from engine.domain.order import ExitReason, Order
from engine.domain.position import Position
from engine.domain.risk import RECOVERY
from engine.domain.session import Recovery, Session, SessionStatus
from engine.domain.shadow_watch import end_in_gap
from engine.domain.state import State
from engine.domain.wording import label, legible, words

ROOM: Final = frozenset({Matter.GAP, Matter.CRASH})
"""What is decided in the recovery room; reconciliation blocks what it asks about by itself."""
POLICY: Final = "configuration"
"""Who answers when nobody does."""


def crash_question(
    session: Session, policy: Recovery, now: Nanos, wait_s: float | None
) -> Decision:
    """Return the question what becomes of a session that crashed with nothing open (E-62).

    `wait_s`: how long an answer is waited for; None: for ever.
    """
    at = local(session.ended_at or session.started_at, "UTC")
    return Decision(
        id=DecisionId(f"crash:{session.id}:{session.ended_at}"),
        matter=Matter.CRASH,
        subject=session.id,
        text=f"session {session.id} crashed at {at:%H:%M:%S} UTC with nothing open; "
        "resume it or start a fresh one: the day's figures are kept either way",
        choices=(Choice.RESUME, Choice.FRESH, Choice.INSPECT),
        proposal=Choice(policy.value),
        asked_at=now,
        due_at=None if wait_s is None else Nanos(now + int(wait_s * SECOND)),
    )


def look_back(draft: Draft, market: Market, given: GapSeen, now: Nanos) -> None:
    """Journal what was found of each position, raise its peak, and ask where a rule would have
    fired; without a time to wait for an answer the policy gives it at once.
    """
    state = draft.state
    if state.absence is None or state.absence.is_settled:
        return
    held = state.absence.held
    # Extremes are of an instrument: one from before a position was opened would close it at once.
    late = {p.instrument for p in state.positions.values() if p.id not in held}
    known = state.extremes.keys() - late
    peaks = tuple(peak for peak in given.peaks if peak.instrument in known)
    if peaks:
        draft.add(PeaksRaised(peaks))
    end_in_gap(draft, given.shadows)
    for gap in given.gaps:
        if gap.position in state.absence.gaps:
            continue
        draft.add(GapJudged(gap))
        position = state.positions.get(gap.position)
        if gap.finding is None or position is None or position.close is not None or state.latch:
            continue  # a rule of its own was quicker, or nothing needs to be done
        decision = _question(state, gap, gap.finding, given, now)
        if decision.id in state.answers:
            continue  # answered in a life that ended before this was settled
        asked = state.decisions.get(decision.id)
        if asked is None:
            draft.add(DecisionAsked(decision))
        if given.is_answered:
            _answer_alone(draft, market, asked or decision, decision.proposal, now)


def _answer_alone(
    draft: Draft, market: Market, decision: Decision, choice: Choice, now: Nanos
) -> None:
    """Draft what the policy answers where nobody is asked; an earlier life may have asked."""
    if choice in decision.choices:
        draft.add(DecisionTaken(decision.id, choice, POLICY, "nobody is here to ask"))
        after_gap(draft, market, decision, choice, POLICY, now)


def _question(state: State, gap: Gap, finding: GapFinding, given: GapSeen, now: Nanos) -> Decision:
    can_book = given.can_book and finding.first_tradable is not None
    choices = (Choice.EXIT_NOW, Choice.KEEP)
    policy = given.policy
    if policy is Choice.BOOK and not can_book:
        policy = Choice.EXIT_NOW  # there is no price to book at; it would be closed all the same
    instrument = state.instruments[gap.instrument]
    return Decision(
        id=DecisionId(f"gap:{gap.position}:{gap.since}"),
        matter=Matter.GAP,
        subject=gap.position,
        text=f"{label(gap.instrument)}: {sentence(finding, instrument)}",
        choices=(Choice.BOOK, *choices) if can_book else choices,
        proposal=policy,
        asked_at=now,
        instrument=gap.instrument,
        position=gap.position,
        due_at=given.due_at,
        gap=finding,
    )


def sentence(finding: GapFinding, instrument: Instrument) -> str:
    """Return `11:42:17 trailing stop 22.50 would have fired, first tradable 22.30`."""
    zone, tick = instrument.time_zone, instrument.tick_size
    level = f" {legible(finding.level, tick)}" if finding.level is not None else ""
    rule = words(finding.reason).removesuffix(" hit")
    fired = f"{local(finding.fired_at, zone):%H:%M:%S} {rule}{level} would have fired"
    if finding.first_tradable is None or finding.first_tradable_at is None:
        return f"{fired}, nothing could be traded since"
    late = ""
    if finding.first_tradable_at != finding.fired_at:
        late = f" at {local(finding.first_tradable_at, zone):%H:%M:%S}"
    return f"{fired}, first tradable {legible(finding.first_tradable, tick)}{late}"


def after_crash(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """Draft what an answer about a crash leads to; return why it cannot be done (E-62)."""
    session = draft.state.session
    if session is None or session.id != decision.subject or session.choice is not None:
        return "it was decided already"
    if session.status is not SessionStatus.CRASHED:
        return f"session {session.id} is {session.status.value}, not crashed"
    if choice is Choice.INSPECT:
        later = DecisionId(f"{decision.id}:inspected")
        choices = (Choice.RESUME, Choice.FRESH)
        draft.add(DecisionAsked(replace(decision, id=later, choices=choices, due_at=None)))
        return None
    why = f"nothing was open; {choice.value} was chosen"
    draft.add(RecoveryDecided(session.id, Recovery(choice.value), by, why))
    return None


def after_gap(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """Draft what an answer about a gap leads to; return why it cannot be done (E-63)."""
    position = draft.state.positions.get(decision.position or PositionId(""))
    if position is None or decision.gap is None:
        return "the position is not open any more"
    if not position.is_guarded(now):
        return "an exit of it is under way"
    instrument = draft.state.instruments[position.instrument]
    if choice is Choice.BOOK:
        return _book(draft, position, decision.gap, instrument, now)
    if choice is Choice.EXIT_NOW:
        note = f"while nobody watched: {sentence(decision.gap, instrument)}"
        reason = _because(decision.gap, note)
        order_exit(draft, position, reason, market.get(position.instrument), position.qty, None)
    return None


def _book(
    draft: Draft, position: Position, gap: GapFinding, instrument: Instrument, now: Nanos
) -> str | None:
    """Draft the exit that would have been, at its price and time; the paper venue takes both."""
    price, at = gap.first_tradable, gap.first_tradable_at
    if price is None or at is None:
        return "nothing could be traded in the gap"
    reason = _because(gap, f"booked in the gap: {sentence(gap, instrument)}")
    quote = Quote(position.instrument, price, at, source=GAP_SOURCE)
    beyond = None if reason.level is None or reason.rule == "oi" else abs(reason.level - price)
    draft.add(StopFired(position.id, reason, price, at, GAP_SOURCE, quote.age(now), beyond))
    order_exit(draft, position, reason, quote, position.qty, None)
    return None


def _because(gap: GapFinding, note: str) -> ExitReason:
    it = gap.reason
    return ExitReason(it.kind, it.code, it.rule, it.also_fired, it.level, note)


def withdraw(draft: Draft) -> None:
    """Withdraw what is asked about a position that this decision closes or that is gone, and about
    a session that goes on. An exit that is due never waits for an answer.
    """
    answered = {e.decision for e in draft.events if isinstance(e, DecisionTaken)}
    closing = {
        event.order.position
        for event in draft.events
        if isinstance(event, OrderRequested) and _is_whole_exit(draft.state, event.order)
    }
    for decision in draft.state.decisions.values():
        why = _void(draft.state, decision, closing)
        if why and decision.id not in answered:
            draft.add(DecisionWithdrawn(decision.id, why))


def _is_whole_exit(state: State, order: Order) -> bool:
    """Return whether an order closes all of a position: one of a part leaves the question."""
    position = state.positions.get(order.position)
    return order.exit is not None and (position is None or order.qty >= position.qty)


def _void(state: State, decision: Decision, closing: Collection[PositionId]) -> str:
    """Return why nobody has to answer any more; empty: somebody has."""
    if decision.matter is Matter.CRASH:
        session = state.session
        if session is None or session.status is not SessionStatus.CRASHED or session.choice:
            return "the session goes on"
        return ""
    if decision.matter is not Matter.GAP:
        return ""
    position = decision.position or PositionId("")
    if position not in state.positions:
        return "the position is closed"
    return "it is closed meanwhile" if position in closing else ""


def settle(draft: Draft, given: RecoverySettled) -> None:
    """Draft the end of a recovery, which lets entries in, unless something is still to be done."""
    state = draft.state
    if state.absence is None or state.absence.is_settled or unsettled(state):
        return
    draft.add(given)
    if RECOVERY in state.blocks:
        draft.add(EntriesAllowed(RECOVERY))


def unsettled(state: State) -> str:
    """Return what a recovery still waits for, apart from prices; empty: for nothing."""
    absence = state.absence
    if absence is None:
        return ""
    open_ = (id_ for id_ in absence.held if id_ in state.positions)
    unjudged = [id_ for id_ in open_ if id_ not in absence.gaps]
    if unjudged:
        return f"looking back at {len(unjudged)} positions"
    asked = sum(decision.matter in ROOM for decision in state.decisions.values())
    return f"{asked} decisions" if asked else ""
