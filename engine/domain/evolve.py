"""`evolve`: the only function that changes the state. Console, tests and recovery use this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, Final

from engine.domain import (
    decision_flow,
    extremes,
    order_flow,
    recovery_flow,
    session_flow,
    shadow_flow,
)
from engine.domain import event as ev
from engine.domain.errors import IllegalTransition
from engine.domain.ids import Seq
from engine.domain.mapping import changed, with_item, without
from engine.domain.money import ZERO, Exactly
from engine.domain.risk import Latch, LatchCause
from engine.domain.state import HANDLED_KEPT, State
from engine.domain.strategy import Phase, StrategyRecord


def evolve(state: State, entry: ev.Entry) -> State:
    """Return `state` after `entry`; an entry that cannot follow raises IllegalTransition."""
    if entry.seq != state.seq + 1:
        raise IllegalTransition(f"entry {entry.seq} does not follow {state.seq}")
    apply = _APPLY.get(type(entry.event))
    if apply is None:
        raise IllegalTransition(f"unknown event {type(entry.event).__name__}")
    with Exactly():
        after = apply(state, entry, entry.event)
    if after is state:
        return changed(state, seq=entry.seq)
    after.__dict__["seq"] = entry.seq  # made by `apply` a moment ago: nobody else holds it yet
    return after


def fold(entries: Iterable[ev.Entry], start: State | None = None) -> State:
    """Return the state after all `entries`."""
    return reduce(evolve, entries, start or State())


def _instrument_listed(state: State, entry: ev.Entry, event: ev.InstrumentListed) -> State:
    instrument = event.instrument
    return changed(state, instruments=with_item(state.instruments, instrument.id, instrument))


def _handled(state: State, key: str, seq: Seq) -> State:
    handled = with_item(state.handled, key, seq)
    while len(handled) > HANDLED_KEPT:
        del handled[next(iter(handled))]
    return changed(state, handled=handled)


def _signal_accepted(state: State, entry: ev.Entry, event: ev.SignalAccepted) -> State:
    record = state.strategies.get(event.signal.strategy)
    if record is not None:
        record = changed(record, signals=record.signals + 1)
        state = changed(state, strategies=with_item(state.strategies, record.name, record))
    return _handled(state, f"s:{event.signal.id}", entry.seq)


def _signal_refused(state: State, entry: ev.Entry, event: ev.SignalRefused) -> State:
    record = state.strategies.get(event.signal.strategy)
    if record is not None:
        record = changed(record, refused=record.refused + 1, last_refusal=event.reason)
        state = changed(state, strategies=with_item(state.strategies, record.name, record))
    return _handled(state, f"s:{event.signal.id}", entry.seq)


def _quotes_marked(state: State, entry: ev.Entry, event: ev.QuotesMarked) -> State:
    return changed(state, marks={**state.marks, **{m.instrument: m for m in event.marks}})


def _stop_changed(state: State, entry: ev.Entry, event: ev.StopChanged) -> State:
    position = state.positions.get(event.position)
    if position is None:
        raise IllegalTransition(f"stop of unknown position {event.position}")
    state = shadow_flow.restopped(state, entry, event)
    position = changed(position, stop_loss=event.stop_loss, take_profit=event.take_profit)
    return changed(state, positions=with_item(state.positions, position.id, position))


def _entries_blocked(state: State, entry: ev.Entry, event: ev.EntriesBlocked) -> State:
    return changed(state, blocks=with_item(state.blocks, event.source, event.reason))


def _entries_allowed(state: State, entry: ev.Entry, event: ev.EntriesAllowed) -> State:
    return changed(state, blocks=without(state.blocks, event.source))


def _flatten_latched(state: State, entry: ev.Entry, event: ev.FlattenLatched) -> State:
    latch = Latch(event.cause, entry.at, event.command, event.reason, who=event.by)
    return changed(state, latch=latch)


def _flat_verified(state: State, entry: ev.Entry, event: ev.FlatVerified) -> State:
    if state.latch is None or state.positions:
        raise IllegalTransition("flat was verified with positions open or no latch")
    return changed(state, latch=changed(state.latch, is_flat=True))


def _latch_lifted(state: State, entry: ev.Entry, event: ev.LatchLifted) -> State:
    if state.latch is None or state.latch.cause is not LatchCause.RISK_LIMIT:
        return changed(state, latch=None)
    # Who lifts the kill switch accepts the loss so far; else it would fall again at once.
    accounts = {
        currency: changed(
            account,
            forgiven=max(ZERO, account.lost_today),
            high_water=account.booked,
        )
        for currency, account in state.accounts.items()
    }
    return changed(state, latch=None, accounts=accounts)


def _command_noted(
    state: State, entry: ev.Entry, event: ev.CommandAccepted | ev.CommandRefused
) -> State:
    return _handled(state, f"c:{event.command}", entry.seq)


def _strategy_changed(state: State, entry: ev.Entry, event: ev.StrategyChanged) -> State:
    known = state.strategies.get(event.strategy)
    since = known.since if known and known.phase is event.phase else entry.at
    record = changed(
        known or StrategyRecord(event.strategy, event.kind, event.phase, since),
        kind=event.kind,
        phase=event.phase,
        since=since,
        waits_for=event.waits_for,
        settings=event.settings or (known.settings if known else ()),
        failure="" if event.phase is not Phase.FAILED else (known.failure if known else ""),
    )
    return changed(state, strategies=with_item(state.strategies, record.name, record))


def _strategy_remembered(state: State, entry: ev.Entry, event: ev.StrategyRemembered) -> State:
    known = state.strategies.get(event.strategy)
    if known is None:
        raise IllegalTransition(f"memory of unknown strategy {event.strategy}")
    record = changed(known, memory=event.memory)
    return changed(state, strategies=with_item(state.strategies, record.name, record))


def _strategy_failed(state: State, entry: ev.Entry, event: ev.StrategyFailed) -> State:
    known = state.strategies.get(event.strategy)
    record = changed(
        known or StrategyRecord(event.strategy, "", Phase.FAILED, entry.at),
        phase=Phase.FAILED,
        since=entry.at,
        failure=event.why,
        waits_for="a person to look and start it again",
    )
    return changed(state, strategies=with_item(state.strategies, record.name, record))


def _unchanged(state: State, entry: ev.Entry, event: object) -> State:
    return state


_APPLY: Final[dict[type, Callable[[State, ev.Entry, Any], State]]] = {
    ev.SessionStarted: session_flow.started,
    ev.SessionEnded: session_flow.ended,
    ev.SessionCrashed: session_flow.crashed,
    ev.RecoveryDecided: session_flow.decided,
    ev.Resumed: session_flow.resumed,
    ev.GapJudged: recovery_flow.gap_judged,
    ev.RecoverySettled: recovery_flow.settled,
    ev.InstrumentListed: _instrument_listed,
    ev.SignalAccepted: _signal_accepted,
    ev.SignalRefused: _signal_refused,
    ev.OrderRequested: order_flow.order_requested,
    ev.OrderAccepted: order_flow.order_accepted,
    ev.OrderFilled: order_flow.order_filled,
    ev.OrderRejected: order_flow.order_failed,
    ev.CancelRequested: order_flow.cancel_requested,
    ev.OrderCancelled: order_flow.order_failed,
    ev.OrderTimedOut: order_flow.order_timed_out,
    ev.PeaksRaised: extremes.peaks_raised,
    ev.QuotesMarked: _quotes_marked,
    ev.StopFired: _unchanged,
    ev.CloseRearmed: order_flow.close_rearmed,
    ev.StopChanged: _stop_changed,
    ev.ShadowEnded: shadow_flow.ended,
    ev.EntriesBlocked: _entries_blocked,
    ev.EntriesAllowed: _entries_allowed,
    ev.FlattenLatched: _flatten_latched,
    ev.FlatVerified: _flat_verified,
    ev.LatchLifted: _latch_lifted,
    ev.CommandAccepted: _command_noted,
    ev.CommandRefused: _command_noted,
    ev.StrategyChanged: _strategy_changed,
    ev.StrategyRemembered: _strategy_remembered,
    ev.StrategyNoted: _unchanged,
    ev.StrategyFailed: _strategy_failed,
    ev.FeedChanged: shadow_flow.feed_changed,
    ev.DecisionAsked: decision_flow.asked,
    ev.DecisionTaken: decision_flow.taken,
    ev.DecisionWithdrawn: decision_flow.withdrawn,
    ev.OrderAdopted: order_flow.order_adopted,
}
