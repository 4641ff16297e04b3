"""What to do about an input: state + market + input -> events. Pure; time is an argument."""

from __future__ import annotations

from engine.domain import carryover, recovery
from engine.domain import event as ev
from engine.domain.adoption import book_excess, book_late, book_proven, exceeds
from engine.domain.answering import act_for_nobody
from engine.domain.bar_path import walk
from engine.domain.command import SubmitSignal
from engine.domain.draft import Draft
from engine.domain.entries import admit
from engine.domain.exits import check_positions, flatten, kill, rearm_at, risk_breach
from engine.domain.ids import SECOND, Nanos
from engine.domain.inputs import (
    BarSeen,
    Crossing,
    Fact,
    GapSeen,
    Input,
    Listing,
    Notice,
    Proof,
    Question,
    Reported,
    TimePassed,
    VenueReport,
)
from engine.domain.leftover import close_the_rest
from engine.domain.market import Market
from engine.domain.money import Exactly
from engine.domain.operator import PersonCommand, obey
from engine.domain.order import Fill, OrderStatus
from engine.domain.shadow_watch import check_shadows
from engine.domain.state import State


def decide(state: State, market: Market, given: Input, now: Nanos) -> tuple[ev.Event, ...]:
    """Return the events that follow from `given`; an empty tuple means nothing changes."""
    draft = Draft(state)
    with Exactly():
        _decide(draft, market, given, now)
        if state.decisions:
            recovery.withdraw(draft)
    return draft.events


def _decide(draft: Draft, market: Market, given: Input, now: Nanos) -> None:
    match given:
        case Crossing(due=due, peak=peak, equity=equity):
            breach = risk_breach(draft.state, market, equity)
            check_positions(draft, market, due, peak, now, breach)
            kill(draft, market, breach, now)
            check_shadows(draft, market, due, peak, now, breach)
        case BarSeen():
            walk(draft, market, given, now)
        case Reported(report=report, peak=peak):
            _report(draft, market, report, peak, now)
        case TimePassed():
            _time(draft, market, given, now)
        case SubmitSignal(signal=signal, id=id_):
            admit(draft, market, signal, id_, now)
        case Proof():
            book_proven(draft, market, given)
        case GapSeen():
            recovery.look_back(draft, market, given, now)
        case _:
            _note_or_obey(draft, market, given, now)


def _note_or_obey(draft: Draft, market: Market, given: Fact | PersonCommand, now: Nanos) -> None:
    """Journal a fact from the outside, unless it changes nothing; or do what a person says."""
    state = draft.state
    match given:
        case Listing(instrument=instrument):
            if state.instruments.get(instrument.id) != instrument:
                draft.add(ev.InstrumentListed(instrument))
        case (
            ev.EntriesBlocked() | ev.EntriesAllowed() | ev.DecisionAsked() | ev.DecisionWithdrawn()
        ):
            if _changes(state, given):
                draft.add(given)
        case ev.SessionEnded():
            carryover.end(draft, market, given)
        case ev.RecoverySettled():
            recovery.settle(draft, given)
        case (
            ev.StrategyChanged()
            | ev.StrategyRemembered()
            | ev.StrategyNoted()
            | ev.StrategyFailed()
            | ev.SignalRefused()
            | ev.FeedChanged()
            | ev.SessionStarted()
            | ev.SessionCrashed()
            | ev.RecoveryDecided()
            | ev.Resumed()
        ):
            draft.add(given)
        case _:
            obey(draft, market, given, now)


def _changes(state: State, notice: Notice | Question) -> bool:
    """Return whether `notice` says anything new."""
    match notice:
        case ev.EntriesBlocked(source=source, reason=reason):
            return state.blocks.get(source) != reason
        case ev.EntriesAllowed(source=source):
            return source in state.blocks
        case ev.DecisionAsked(decision=decision):
            return decision.id not in state.decisions and decision.id not in state.answers
        case ev.DecisionWithdrawn(decision=id_):
            return id_ in state.decisions or id_ in state.answers
    return True


def _report(
    draft: Draft, market: Market, report: VenueReport, peak: ev.Peak | None, now: Nanos
) -> None:
    state = draft.state
    match report:
        case ev.OrderFilled(fill=fill):
            _filled(draft, market, fill, peak)
        case ev.OrderAccepted(order=order):
            working = state.orders.get(order)
            if working and working.status in {OrderStatus.REQUESTED, OrderStatus.UNKNOWN}:
                draft.add(report)
        case ev.OrderRejected(order=order, reason=why) | ev.OrderCancelled(order=order, reason=why):
            working = state.orders.get(order)
            if working is None:
                return
            draft.add(report)
            position = state.positions.get(working.order.position)
            if working.order.exit is not None and position is not None:
                at = rearm_at(position, now, state.limits.rearm_ms)
                draft.add(ev.CloseRearmed(position.id, order, why or "cancelled", at))
        case ev.OrderTimedOut(order=order):
            working = state.orders.get(order)
            if working is not None and working.status is not OrderStatus.UNKNOWN:
                draft.add(report)


def _filled(draft: Draft, market: Market, fill: Fill, peak: ev.Peak | None) -> None:
    working = draft.state.orders.get(fill.order)
    if working is None:
        book_late(draft, market, fill)
        return
    if fill.id in working.fills or fill.id in draft.state.adopted:
        if working.status is OrderStatus.UNKNOWN:  # told again: the venue knows the order after all
            draft.add(ev.OrderAccepted(fill.order, working.venue_order or ""))
        return  # the same execution told twice
    if peak is not None:
        draft.add(ev.PeaksRaised((peak,)))
    if exceeds(draft.state, working.order, fill):
        book_excess(draft, market, fill)
        return
    quote = market.get(working.order.instrument)
    is_entry = working.order.exit is None
    draft.add(ev.OrderFilled(fill, quote.oi if quote and is_entry else None))
    close_the_rest(draft, market, working, fill)


def _time_out(draft: Draft, now: Nanos) -> None:
    """Draft that exits without an answer are of unknown outcome."""
    state = draft.state
    for working in state.orders.values():
        waited = now - working.requested_at
        if (
            working.status is OrderStatus.REQUESTED
            and working.order.exit is not None
            and waited > state.limits.exit_timeout_s * SECOND
        ):
            draft.add(ev.OrderTimedOut(working.order.id))


def _time(draft: Draft, market: Market, given: TimePassed, now: Nanos) -> None:
    state = draft.state
    if given.peaks or given.equity:
        draft.add(ev.PeaksRaised(given.peaks, given.equity))
    if given.marks:
        draft.add(ev.QuotesMarked(given.marks))
    quiet = len(draft.events)
    _time_out(draft, now)
    pending = {peak.instrument: peak for peak in given.peaks}
    breach = ""
    if state.latch is None:
        breach = risk_breach(state, market, given.equity)
        for id_ in given.due:
            position = state.positions.get(id_)
            if position is not None:
                peak = pending.get(position.instrument)
                check_positions(draft, market, (id_,), peak, now, breach)
        kill(draft, market, breach, now)
    elif state.positions:
        flatten(draft, market, state.latch, now)
    elif not state.orders and not state.latch.is_flat:
        draft.add(ev.FlatVerified())
    check_shadows(draft, market, given.due, None, now, breach)
    if state.decisions and len(draft.events) == quiet:
        act_for_nobody(draft, market, now)
