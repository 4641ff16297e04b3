"""What commands of a person (or of a program acting for one) lead to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from engine.domain import command as cmd
from engine.domain.answering import answer
from engine.domain.carryover import end
from engine.domain.draft import Draft
from engine.domain.entries import wrong_side
from engine.domain.event import (
    CancelRequested,
    CommandAccepted,
    CommandRefused,
    EntriesAllowed,
    EntriesBlocked,
    FlattenLatched,
    LatchLifted,
    Levels,
    SessionEnded,
    StopChanged,
    StrategyChanged,
)
from engine.domain.exits import flatten, order_exit
from engine.domain.ids import SECOND, Nanos
from engine.domain.market import Market, Quote
from engine.domain.money import ORDINARY, Qty, is_ordinary, plain, ratio, rounded_down
from engine.domain.order import ExitKind, ExitReason
from engine.domain.position import Position
from engine.domain.risk import OPERATOR, SAFE_MODE, Latch
from engine.domain.session import SessionStatus
from engine.domain.strategy import Phase

PersonCommand = (
    cmd.ClosePosition
    | cmd.ChangeStop
    | cmd.Flatten
    | cmd.LiftLatch
    | cmd.PauseEntries
    | cmd.ResumeEntries
    | cmd.CancelOrder
    | cmd.ControlStrategy
    | cmd.ControlFeed
    | cmd.Reconcile
    | cmd.Decide
    | cmd.EndSession
)


def obey(draft: Draft, market: Market, command: PersonCommand, now: Nanos) -> None:
    """Draft what `command` leads to: acceptance and effects, or one refusal with its reason."""
    if f"c:{command.id}" in draft.state.handled:
        return  # the same id acts once; its outcome is in the journal
    reason = _OBEY[type(command)](draft, market, command, now)
    if reason is not None:
        draft.add(CommandRefused(command.id, command.by, reason))


def _accept(draft: Draft, command: PersonCommand, text: str) -> None:
    draft.add(CommandAccepted(command.id, command.by, text))


def _close(draft: Draft, market: Market, command: cmd.ClosePosition, now: Nanos) -> str | None:
    position = draft.state.positions.get(command.position)
    if position is None:
        return f"no open position {command.position}"
    if position.close is not None:
        return f"already closing: exit {position.close.order} is {position.close.phase.value}"
    quote = market.get(position.instrument)
    moved = _moved(draft, command, position, quote, now)
    if moved is not None:
        return moved
    instrument = draft.state.instruments[position.instrument]
    wanted = position.qty if command.qty is None else command.qty
    if not is_ordinary(wanted):
        return f"quantity was {f'{wanted:f}'[:40]}, allowed: {ORDINARY}"
    if wanted > position.qty:
        return f"quantity {wanted:f} is more than the open {position.qty:f}"
    qty = wanted if wanted == position.qty else rounded_down(wanted, instrument.lot_size)
    if qty <= 0:
        return f"quantity {wanted:f} is less than one lot of {instrument.lot_size:f}"
    reason = ExitReason(ExitKind.MANUAL, "manual", note=command.note, by=command.by)
    _accept(draft, command, f"close {qty:f} of {position.instrument}")
    order_exit(draft, position, reason, quote, Qty(qty), command.id)
    return None


def _moved(
    draft: Draft,
    command: cmd.ClosePosition,
    position: Position,
    quote: Quote | None,
    now: Nanos,
) -> str | None:
    """Return why the position is not what the person saw when confirming; None: it is."""
    for seen in (command.seen_qty, command.seen_price):
        if seen is not None and not is_ordinary(seen):
            return f"what was on screen was {f'{seen:f}'[:40]}, allowed: {ORDINARY}"
    if command.slack is not None and not command.slack.is_finite():
        return f"slack was {command.slack}, allowed: a number"
    if command.seen_qty is not None and command.seen_qty != position.qty:
        return f"quantity changed: {command.seen_qty:f} was on screen, {position.qty:f} is open"
    if command.seen_price is None:
        return None
    limit = draft.state.limits.price_age_max_s
    if quote is None or quote.age(now) > limit * SECOND:
        return None if command.accept_stale else "price is stale: confirm the second line"
    slack = command.slack if command.slack is not None else Decimal("0.05")
    if abs(ratio(quote.last - command.seen_price, command.seen_price)) > slack:
        return f"price moved from {command.seen_price:f} to {quote.last:f}: look and confirm again"
    return None


def _change_stop(draft: Draft, market: Market, command: cmd.ChangeStop, now: Nanos) -> str | None:
    position = draft.state.positions.get(command.position)
    if position is None:
        return f"no open position {command.position}"
    if position.close is not None:
        return f"already closing: exit {position.close.order} is {position.close.phase.value}"
    for level in (command.stop_loss, command.take_profit):
        if level is not None and not is_ordinary(level):
            return f"price was {f'{level:f}'[:40]}, allowed: {ORDINARY}"
    quote = market.get(position.instrument)
    last = quote.last if quote is not None else position.entry
    wrong = wrong_side(position.side.sign, last, command.stop_loss, command.take_profit)
    if wrong is not None:
        return wrong
    _accept(draft, command, f"stop and target of {position.instrument}")
    levels = (command.stop_loss, command.take_profit)
    before = Levels(position.stop_loss, position.take_profit)
    draft.add(StopChanged(position.id, *levels, command.id, command.by, before))
    return None


def _flatten(draft: Draft, market: Market, command: cmd.Flatten, now: Nanos) -> str | None:
    if draft.state.latch is not None:
        return f"flatten is latched already: {draft.state.latch.reason}"
    _accept(draft, command, "flatten")
    latch = Latch(command.cause, now, command.id, command.reason, who=command.by)
    draft.add(FlattenLatched(command.cause, command.reason, command.by, command.id))
    flatten(draft, market, latch, now)
    return None


def _lift(draft: Draft, market: Market, command: cmd.LiftLatch, now: Nanos) -> str | None:
    if draft.state.latch is None:
        return "no flatten is latched"
    if not command.reason.strip():
        return "lifting a flatten needs a reason"
    _accept(draft, command, "lift the latch")
    draft.add(LatchLifted(command.by, command.reason))
    return None


def _pause(draft: Draft, market: Market, command: cmd.PauseEntries, now: Nanos) -> str | None:
    _accept(draft, command, "pause entries")
    draft.add(EntriesBlocked(command.source, command.reason))
    return None


def _resume(draft: Draft, market: Market, command: cmd.ResumeEntries, now: Nanos) -> str | None:
    # A person who lets entries go on means the safe mode, too: it waits for nobody else.
    meant = (OPERATOR, SAFE_MODE) if command.source == OPERATOR else (command.source,)
    sources = [source for source in meant if source in draft.state.blocks]
    if not sources:
        return f"entries are not blocked by {command.source}"
    _accept(draft, command, "resume entries")
    for source in sources:
        draft.add(EntriesAllowed(source))
    return None


def _cancel(draft: Draft, market: Market, command: cmd.CancelOrder, now: Nanos) -> str | None:
    working = draft.state.orders.get(command.order)
    if working is None:
        return f"no working order {command.order}"
    if working.cancel_requested:
        return f"cancel of {command.order} is on its way already"
    _accept(draft, command, f"cancel {command.order}")
    draft.add(CancelRequested(command.order, command.id))
    return None


_VERBS: Final[dict[str, tuple[frozenset[Phase] | None, Phase]]] = {
    "start": (frozenset({Phase.STOPPED, Phase.FAILED}), Phase.STARTING),
    "pause": (None, Phase.PAUSED),
    "resume": (frozenset({Phase.PAUSED}), Phase.STARTING),
    "stop": (None, Phase.STOPPED),
}
"""Verb -> phases it applies to (None: all running ones), and the phase it leads to."""


def _control(draft: Draft, market: Market, command: cmd.ControlStrategy, now: Nanos) -> str | None:
    record = draft.state.strategies.get(command.strategy)
    if record is None:
        return f"no strategy {command.strategy}"
    if command.verb not in _VERBS:
        return f"unknown verb {command.verb}: start, pause, resume or stop"
    allowed, phase = _VERBS[command.verb]
    idle = {Phase.STOPPED, Phase.FAILED, phase}
    if record.phase not in allowed if allowed is not None else record.phase in idle:
        return f"{command.strategy} is {record.phase.value}: cannot {command.verb}"
    _accept(draft, command, f"{command.verb} {command.strategy}")
    draft.add(
        StrategyChanged(record.name, record.kind, phase, "", f"{command.verb} by {command.by}")
    )
    return None


def _feed_detail(command: cmd.ControlFeed) -> str:
    """Return what belongs to the verb, so that a console that comes later knows it too."""
    match command.verb:
        case "speed":
            return " max" if command.speed is None else f" {plain(command.speed)}"
        case "step":
            return f" {command.count}"
        case _:
            return ""


FEED_VERBS: Final = ("pause", "resume", "step", "seek", "speed")


def _control_feed(draft: Draft, market: Market, command: cmd.ControlFeed, now: Nanos) -> str | None:
    session = draft.state.session
    if session is None or session.feed != "replay":
        return f"the feed {session.feed if session else ''} cannot be controlled: no recording"
    if command.verb not in FEED_VERBS:
        return f"unknown verb {command.verb}: {', '.join(FEED_VERBS)}"
    if command.verb == "seek" and (command.at is None or command.at < now):
        return "seek goes forward only: what was traded cannot be taken back"
    if command.verb == "step" and command.count < 1:
        return f"step was {command.count}: 1 or more"
    if command.speed is not None and not is_ordinary(command.speed):
        return f"speed was {f'{command.speed:f}'[:40]}: above 0"
    _accept(draft, command, f"feed {command.verb}{_feed_detail(command)}")
    return None


RECONCILE: Final = "reconcile"
"""What the acceptance of that command says; the reconciler waits for it."""


def _reconcile(draft: Draft, market: Market, command: cmd.Reconcile, now: Nanos) -> str | None:
    _accept(draft, command, RECONCILE)
    return None


def _end(draft: Draft, market: Market, command: cmd.EndSession, now: Nanos) -> str | None:
    session = draft.state.session
    if session is None or session.status is not SessionStatus.ACTIVE:
        return "no session is active"
    _accept(draft, command, "end the session")
    end(draft, market, SessionEnded(session.id, SessionStatus.COMPLETED, command.by))
    return None


_OBEY: Final[dict[type, Callable[[Draft, Market, Any, Nanos], str | None]]] = {
    cmd.ClosePosition: _close,
    cmd.ChangeStop: _change_stop,
    cmd.Flatten: _flatten,
    cmd.LiftLatch: _lift,
    cmd.PauseEntries: _pause,
    cmd.ResumeEntries: _resume,
    cmd.CancelOrder: _cancel,
    cmd.ControlStrategy: _control,
    cmd.ControlFeed: _control_feed,
    cmd.Reconcile: _reconcile,
    cmd.Decide: answer,
    cmd.EndSession: _end,
}
