"""Journal entries as sentences for the log: one plain sentence with its figures per entry.

`state` is the state after the entry or after a later one (a batch is published together), so
what an entry names may be gone from it; the sentence then falls back to ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from engine.domain import event as ev
from engine.domain.calendar import local
from engine.domain.event import Entry, Event
from engine.domain.ids import SECOND, OrderId, PositionId
from engine.domain.log import LogRecord
from engine.domain.money import plain
from engine.domain.narrate_plain import PLAIN, Said
from engine.domain.order import Fill, Order, Side
from engine.domain.position import Position, Trade
from engine.domain.recovery import sentence
from engine.domain.state import State
from engine.domain.wording import label, legible, number, price, signed, words

_CENT: Final = Decimal("0.01")
_RULES: Final = {
    "initial": "stop",
    "trailing": "trailing stop",
    "vwap": "VWAP stop",
    "oi": "OI stop",
    "take_profit": "target",
    "end_of_day": "end of day",
    "time_stop": "time stop",
}


def narrate(
    entry: Entry, state: State, orders: Mapping[OrderId, Order] | None = None
) -> LogRecord | None:
    """Return the log line of `entry`; None for what only machines read.

    `orders` are orders that the state may have forgotten (they are final).
    """
    kind = type(entry.event)
    if kind in PLAIN:
        source, level, text = PLAIN[kind](entry.event)
    elif kind in _SENTENCES:
        source, level, text = _SENTENCES[kind](entry.event, _Scene(state, orders or {}))
    else:
        return None
    return LogRecord(entry.at, level, source, text, (*_exact(entry.event), ("seq", str(entry.seq))))


def _exact(event: Event) -> tuple[tuple[str, str], ...]:
    """Return the fields a sentence rounds or leaves out: ids, and levels to their last digit."""
    match event:
        case ev.OrderRequested(order=order):
            return (("order", order.id),)
        case ev.StopFired(reason=reason) if reason.level is not None:
            return (("level", plain(reason.level)),)
        case _:
            return ()


class _Scene:
    """Looks up what an entry names, in the state or among the orders that are final."""

    def __init__(self, state: State, orders: Mapping[OrderId, Order]) -> None:
        self.state = state
        self._orders = orders

    def order(self, id_: OrderId) -> Order | None:
        working = self.state.orders.get(id_)
        return working.order if working is not None else self._orders.get(id_)

    def position(self, id_: PositionId) -> Position | Trade | None:
        held = self.state.positions.get(id_)
        if held is not None:
            return held
        return next((trade for trade in reversed(self.state.closed) if trade.id == id_), None)

    def where(self, id_: PositionId) -> str:
        found = self.position(id_)
        return label(found.instrument) if found is not None else f"position {id_}"

    def what(self, id_: OrderId) -> str:
        """Return `buy 75 NIFTY25DEC25900PUT`, or the order's id."""
        order = self.order(id_)
        if order is None:
            return f"order {id_}"
        return f"{order.side.value} {number(order.qty)} {label(order.instrument)}"


def _resumed(event: ev.Resumed, scene: _Scene) -> Said:
    n = len(scene.state.positions)
    why = f": {event.reason}" if event.reason else ""
    return "session", "warning", f"resumed by process {event.pid}, {n} positions open{why}"


def _accepted(event: ev.OrderAccepted, scene: _Scene) -> Said:
    return "order", "debug", f"{scene.what(event.order)} accepted as {event.venue_order}"


def _filled(event: ev.OrderFilled, scene: _Scene) -> Said:
    fill = event.fill
    order = scene.order(fill.order)
    fee = f", fee {number(fill.fee.amount)} {fill.fee.currency}" if fill.fee.amount else ""
    if order is None:
        size = f"{number(fill.qty)} at {price(fill.price)}"
        return "fill", "info", f"order {fill.order} filled {size}{fee}"
    return "fill", "info", f"{_deed(order, fill)}{fee}{_outcome(order, scene)}"


def _deed(order: Order, fill: Fill) -> str:
    verb = "bought" if order.side is Side.BUY else "sold"
    part = f" of {number(order.qty)}" if fill.qty != order.qty else ""
    what = f"{number(fill.qty)}{part} {label(order.instrument)}"
    return f"{verb} {what} at {price(fill.price)}"


def _outcome(order: Order, scene: _Scene) -> str:
    """Return what the trade earned, once its exit is complete."""
    trade = scene.position(order.position)
    if order.exit is None or not isinstance(trade, Trade):
        return ""
    return (
        f": {words(trade.reason)}, P&L {signed(trade.pnl)} {trade.currency} "
        f"({trade.pnl_pct * 100:+.2f} %)"
    )


def _rejected(event: ev.OrderRejected, scene: _Scene) -> Said:
    text = f" ({event.text})" if event.text else ""
    what = f"{scene.what(event.order)} rejected: {event.reason.replace('_', ' ')}{text}"
    return "order", "error", what


def _cancel(event: ev.CancelRequested, scene: _Scene) -> Said:
    return "order", "info", f"cancelling {scene.what(event.order)}"


def _cancelled(event: ev.OrderCancelled, scene: _Scene) -> Said:
    why = f": {event.reason}" if event.reason else ""
    return "order", "info", f"{scene.what(event.order)} cancelled{why}"


def _timed_out(event: ev.OrderTimedOut, scene: _Scene) -> Said:
    text = f"{scene.what(event.order)}: no answer in time, its outcome is unknown; asking the venue"
    return "order", "error", text


def _fired(event: ev.StopFired, scene: _Scene) -> Said:
    reason = event.reason
    rule = _RULES.get(reason.rule or "", (reason.rule or reason.code).replace("_", " "))
    place = scene.position(event.position)
    size = f": closing {number(place.qty)}" if place is not None else ""
    text = f"{rule} of {scene.where(event.position)} fired at {price(event.price)}"
    text += f"{_against(event, _tick(place, scene))}{size}"
    if reason.also_fired:
        text += f"; also {', '.join(code.replace('_', ' ') for code in reason.also_fired)}"
    if event.age > SECOND:
        text += f"; the price was {event.age / SECOND:.1f} s old"
    return "stop", "warning", text


def _tick(place: Position | Trade | None, scene: _Scene) -> Decimal:
    listed = scene.state.instruments.get(place.instrument) if place is not None else None
    return listed.tick_size if listed is not None else _CENT


def _against(event: ev.StopFired, tick: Decimal) -> str:
    level = event.reason.level
    if level is None:
        return ""
    if event.reason.rule == "oi":
        return f" (open interest reached {number(Decimal(round(level)))})"
    gap = f", gap {legible(event.gap, tick)}" if event.gap is not None else ""
    return f" (level {legible(level, tick)}{gap})"


def _rearmed(event: ev.CloseRearmed, scene: _Scene) -> Said:
    where = scene.where(event.position)
    text = f"close of {where} failed ({event.why}): its stops act again from"
    return "stop", "error", f"{text} {local(event.at, 'UTC'):%H:%M:%S.%f} UTC"


def _looked_back(event: ev.GapJudged, scene: _Scene) -> Said:
    gap = event.gap
    away = f"{(gap.until - gap.since) / SECOND:.0f} s"
    where = label(gap.instrument)
    if gap.unknown:
        return (
            "recovery",
            "warning",
            f"{where}: nobody knows what happened in {away}: {gap.unknown}",
        )
    seen = f"{gap.samples} prices of the {away} that nobody watched"
    if gap.finding is None:
        return "recovery", "info", f"{where}: no rule would have fired; {seen}"
    terms = scene.state.instruments.get(gap.instrument)
    if terms is None:
        return (
            "recovery",
            "warning",
            f"{where}: {words(gap.finding.reason)} would have fired; {seen}",
        )
    return "recovery", "warning", f"{where}: {sentence(gap.finding, terms)}; {seen}"


def _stop_changed(event: ev.StopChanged, scene: _Scene) -> Said:
    stop = "none" if event.stop_loss is None else price(event.stop_loss)
    target = "none" if event.take_profit is None else price(event.take_profit)
    where = scene.where(event.position)
    return "stop", "info", f"{event.by} set {where}: stop {stop}, target {target}"


def _shadow_ended(event: ev.ShadowEnded, scene: _Scene) -> Said:
    state = scene.state
    known = (*state.shadows.values(), *reversed(state.interventions))
    shadow = next((s for s in known if s.id == event.shadow), None)
    if shadow is None:
        return "shadow", "info", f"shadow {event.shadow} ended: {words(event.reason)}"
    position, gone = shadow.position, words(event.reason)
    what = f"{number(position.qty)} {label(position.instrument)} {shadow.deed.value} by {shadow.by}"
    if event.price is None or event.pnl is None:
        text = f"{what}: {gone} would have ended it, at a price unknown ({event.why})"
        return "shadow", "warning", text
    text = f"{what}: {gone} would have ended it at {price(event.price)}"
    if event.fired_at is not None:
        text += f" at {local(event.fired_at, 'UTC'):%H:%M:%S} UTC, by looking back"
    text += f", strategy P&L {signed(event.pnl)}"
    if shadow.is_settled:
        gain = signed(shadow.gross - event.pnl)
        text += f", operator P&L {signed(shadow.gross)}, difference {gain}"
    return "shadow", "info", f"{text} {position.currency} before fees"


_SENTENCES: Final[Mapping[type[Event], Callable[[Any, _Scene], Said]]] = {
    ev.Resumed: _resumed,
    ev.OrderAccepted: _accepted,
    ev.OrderFilled: _filled,
    ev.OrderRejected: _rejected,
    ev.CancelRequested: _cancel,
    ev.OrderCancelled: _cancelled,
    ev.OrderTimedOut: _timed_out,
    ev.StopFired: _fired,
    ev.CloseRearmed: _rearmed,
    ev.StopChanged: _stop_changed,
    ev.ShadowEnded: _shadow_ended,
    ev.GapJudged: _looked_back,
}
"""PeaksRaised, QuotesMarked and StrategyRemembered are for machines."""
