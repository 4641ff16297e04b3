"""Sentences of the log for entries that say everything themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.domain import event as ev
from engine.domain.calendar import local
from engine.domain.event import Event
from engine.domain.ids import SECOND
from engine.domain.session import Recovery
from engine.domain.strategy import Phase
from engine.domain.wording import label, labelled, number, price, signed, words

Said = tuple[str, str, str]
"""Source, level and sentence."""


_STANDS: Final = {Phase.POSITION_OPEN: "in a position", Phase.COOLDOWN: "in cooldown"}


def _started(event: ev.SessionStarted) -> Said:
    cash = ", ".join(f"{number(money.amount)} {money.currency}" for money in event.cash)
    rules = ", ".join(rule.code for rule in event.rules)
    text = f"session {event.session} started on {event.venue} with {cash}; exit rules: {rules}"
    return "session", "info", f"{text}; feed {event.feed}, {event.mode.value}{_carried(event)}"


def _carried(event: ev.SessionStarted) -> str:
    """Announce what the session takes over (E-64)."""
    carried = event.carried
    if carried is None:
        return ""
    told = []
    for result in carried.results:
        won = f", {100 * result.wins // result.trades} % won" if result.trades else ""
        pnl = f"P&L {signed(result.pnl)} {result.currency}"
        told.append(f"{pnl} ({result.trades} trades{won}), equity {number(result.equity)}")
    held = f"; {len(carried.positions)} positions held over night" if carried.positions else ""
    day = f"{local(carried.ended_at, 'UTC'):%Y-%m-%d}"
    return f"; carried over from session {carried.session} of {day}: {', '.join(told)}{held}"


def _ended(event: ev.SessionEnded) -> Said:
    level = "warning" if event.status.value == "crashed" else "info"
    return "session", level, f"session {event.session} {event.status.value} by {event.by}"


def _crashed(event: ev.SessionCrashed) -> Said:
    found = f"{event.positions} positions open, {event.orders} orders working"
    text = f"session {event.session} crashed: its engine died {event.away / SECOND:.1f} s ago"
    return "session", "warning", f"{text}; found: {found}"


def _decided(event: ev.RecoveryDecided) -> Said:
    deed = "goes on" if event.choice is Recovery.RESUME else "gives way to a fresh one"
    return "session", "warning", f"session {event.session} {deed}: {event.why} ({event.by})"


def _listed(event: ev.InstrumentListed) -> Said:
    it = event.instrument
    terms = f"tick {number(it.tick_size)}, lot {number(it.lot_size)} {it.currency}"
    return "session", "debug", f"{label(it.id)} listed: {it.kind.value}, {terms}"


def _signal_accepted(event: ev.SignalAccepted) -> Said:
    signal = event.signal
    why = f": {labelled(signal.reason)}" if signal.reason else ""
    what = f"{signal.side.value} {label(signal.instrument)}"
    return "signal", "info", f"{signal.strategy} may {what}{why}"


def _signal_refused(event: ev.SignalRefused) -> Said:
    signal = event.signal
    what = f"{signal.strategy} wanted to {signal.side.value} {label(signal.instrument)}"
    return "signal", "warning", f"{what}, refused: {labelled(event.reason)}"


def _requested(event: ev.OrderRequested) -> Said:
    order = event.order
    at = f" at {price(order.price)}" if order.price is not None else ""
    what = f"{order.side.value} {number(order.qty)} {label(order.instrument)}{at}"
    why = f" to close ({words(order.exit)})" if order.exit is not None else " to open"
    return "order", "info", f"{order.type.value} order: {what}{why}"


def _blocked(event: ev.EntriesBlocked) -> Said:
    return "risk", "warning", f"entries blocked by {labelled(event.source)}: {event.reason}"


def _allowed(event: ev.EntriesAllowed) -> Said:
    return "risk", "info", f"{labelled(event.source)} no longer blocks entries"


def _latched(event: ev.FlattenLatched) -> Said:
    text = f"FLATTEN by {event.by} ({event.cause.value.replace('_', ' ')}): {event.reason}; "
    return "risk", "critical", f"{text}entries blocked, everything is being closed"


def _lifted(event: ev.LatchLifted) -> Said:
    return "risk", "warning", f"{event.by} lifted the flatten: {event.reason}"


def _obeyed(event: ev.CommandAccepted) -> Said:
    return "command", "info", f"{event.by}: {labelled(event.text)}"


def _disobeyed(event: ev.CommandRefused) -> Said:
    return "command", "warning", f"command of {event.by} refused: {labelled(event.reason)}"


def _strategy(event: ev.StrategyChanged) -> Said:
    waits = f", waits for {labelled(event.waits_for)}" if event.waits_for else ""
    why = f" ({labelled(event.why)})" if event.why else ""
    phase = _STANDS.get(event.phase, event.phase.value)
    level = "debug" if event.phase is Phase.ANALYZING and not event.why else "info"
    return "strategy", level, f"{event.strategy} is {phase}{why}{waits}"


def _noted(event: ev.StrategyNoted) -> Said:
    return "strategy", "info", f"{event.strategy}: {labelled(event.text)}"


def _strategy_failed(event: ev.StrategyFailed) -> Said:
    return "strategy", "error", f"{event.strategy} failed: {event.why}; everything else goes on"


def _feed(event: ev.FeedChanged) -> Said:
    if event.is_up:
        return "feed", "info", f"{event.feed} is up: {event.why}"
    return "feed", "error", f"{event.feed} is down: {event.why}"


def _asked(event: ev.DecisionAsked) -> Said:
    decision = event.decision
    offered = " / ".join(choice.value.replace("_", " ") for choice in decision.choices)
    text = f"decision {decision.id} is asked: {labelled(decision.text)} [{offered}]"
    return "decision", "error", text


def _taken(event: ev.DecisionTaken) -> Said:
    why = f": {labelled(event.why)}" if event.why else ""
    choice = event.choice.value.replace("_", " ")
    return "decision", "warning", f"decision {event.decision}: {choice}, by {event.by}{why}"


def _withdrawn(event: ev.DecisionWithdrawn) -> Said:
    return "decision", "info", f"decision {event.decision} is void: {labelled(event.why)}"


def _adopted(event: ev.OrderAdopted) -> Said:
    order = event.order
    deed = "bought" if order.side.sign > 0 else "sold"
    what = f"{deed} {number(order.qty)} {label(order.instrument)}"
    text = f"the venue {what} without us as order {event.venue_order}: booked as it was filled"
    return "order", "warning", text


PLAIN: Final[Mapping[type[Event], Callable[[Any], Said]]] = {
    ev.SessionStarted: _started,
    ev.SessionEnded: _ended,
    ev.SessionCrashed: _crashed,
    ev.RecoveryDecided: _decided,
    ev.RecoverySettled: lambda event: ("session", "info", f"recovery is over: {event.how}"),
    ev.InstrumentListed: _listed,
    ev.SignalAccepted: _signal_accepted,
    ev.SignalRefused: _signal_refused,
    ev.OrderRequested: _requested,
    ev.EntriesBlocked: _blocked,
    ev.EntriesAllowed: _allowed,
    ev.FlattenLatched: _latched,
    ev.FlatVerified: lambda _: (
        "risk",
        "warning",
        "flat: nothing is open; entries stay blocked until a person lifts it",
    ),
    ev.LatchLifted: _lifted,
    ev.CommandAccepted: _obeyed,
    ev.CommandRefused: _disobeyed,
    ev.StrategyChanged: _strategy,
    ev.StrategyNoted: _noted,
    ev.StrategyFailed: _strategy_failed,
    ev.FeedChanged: _feed,
    ev.DecisionAsked: _asked,
    ev.DecisionTaken: _taken,
    ev.DecisionWithdrawn: _withdrawn,
    ev.OrderAdopted: _adopted,
}
