"""Which signals become orders, and why others do not (S-7, S-8). Pure checks, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.domain import calendar
from engine.domain.draft import Draft
from engine.domain.event import OrderRequested, SignalAccepted, SignalRefused
from engine.domain.ids import SECOND, CommandId, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.ledger import cost_of
from engine.domain.market import Market, Quote
from engine.domain.money import ORDINARY, Price, Qty, is_ordinary, quotient, rounded_down
from engine.domain.order import Order, OrderType
from engine.domain.session import SessionStatus
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.strategy import Phase

INSTRUMENT_BLOCK: Final = "instrument:"
"""Prefix of a block that holds for one instrument only: `instrument:SYMBOL`."""
VENUE_BLOCK: Final = "venue:"
"""Prefix of the block of an instrument that the venue and we disagree on: `venue:SYMBOL`."""
_ONE_INSTRUMENT: Final = (INSTRUMENT_BLOCK, VENUE_BLOCK)

Check = Callable[[State, Market, Signal, Nanos], str | None]


def admit(
    draft: Draft, market: Market, signal: Signal, cause: CommandId | None, now: Nanos
) -> None:
    """Draft the entry order of `signal`, or its refusal with the first reason found."""
    state = draft.state
    for check in CHECKS:
        reason = check(state, market, signal, now)
        if reason is not None:
            draft.add(SignalRefused(signal, reason))
            return
    quote, instrument = market[signal.instrument], state.instruments[signal.instrument]
    qty = size(state, signal, quote, instrument)
    reason = _money_reason(state, signal, quote, instrument, qty)
    if reason is not None or qty is None:
        draft.add(SignalRefused(signal, reason or "no quantity"))
        return
    id_ = draft.next_order_id(ahead=1)
    draft.add(
        SignalAccepted(signal, id_),
        OrderRequested(
            Order(
                id=id_,
                instrument=signal.instrument,
                side=signal.side,
                qty=qty,
                position=PositionId(id_),
                type=OrderType.MARKET,
                strategy=signal.strategy,
                stop_loss=signal.stop_loss,
                take_profit=signal.take_profit,
                reference=quote.last,
                reference_at=quote.at,
                reference_source=quote.source,
            ),
            cause,
        ),
    )


def size(state: State, signal: Signal, quote: Quote, instrument: Instrument) -> Qty | None:
    """Return the quantity: the signal's own, the profile's, by capital, or one lot."""
    limits = state.limits
    if signal.qty is not None:
        return signal.qty
    if limits.default_qty is not None:
        return Qty(limits.default_qty)
    if limits.capital_per_position is None:
        return Qty(instrument.lot_size)
    unit = cost_of(instrument, quote.last, instrument.lot_size, limits.leverage)
    lots = rounded_down(quotient(limits.capital_per_position, unit), Decimal(1))
    return Qty(lots * instrument.lot_size) if lots > 0 else None


def _session(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    if state.session is None or state.session.status is not SessionStatus.ACTIVE:
        return "no session is active"
    if f"s:{signal.id}" in state.handled:
        return f"signal {signal.id} acted already"
    return None


def _strategy(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    record = state.strategies.get(signal.strategy)
    if record is not None and record.phase in {Phase.PAUSED, Phase.STOPPED, Phase.FAILED}:
        return f"strategy {signal.strategy} is {record.phase.value}"
    return None


def _blocks(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    if state.latch is not None:
        return f"flatten is latched: {state.latch.reason}"
    for source, reason in state.blocks.items():
        if not source.startswith(_ONE_INSTRUMENT):
            return f"entries blocked by {source}: {reason}"
        if source in {f"{prefix}{signal.instrument}" for prefix in _ONE_INSTRUMENT}:
            return reason
    return None


def _instrument(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    instrument = state.instruments.get(signal.instrument)
    if instrument is None:
        return f"unknown instrument {signal.instrument}"
    if not instrument.is_tradable:
        return f"{signal.instrument} is an index and cannot be traded"
    if instrument.currency not in state.accounts:
        return f"no account in {instrument.currency}"
    if not calendar.is_open(now, instrument):
        return "market closed"
    return None


def _amounts(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    """Refuse what would not stay exact: a strategy may wish for anything."""
    for name, amount in (
        ("quantity", signal.qty),
        ("stop", signal.stop_loss),
        ("target", signal.take_profit),
    ):
        if amount is not None and not is_ordinary(amount):
            return f"{name} was {f'{amount:f}'[:40]}, allowed: {ORDINARY}"
    return None


def _end_of_day(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    """Refuse what the end-of-day rule would close at once."""
    instrument = state.instruments[signal.instrument]
    for rule in state.rules:
        time = getattr(rule, "time", None)
        if rule.code == "end_of_day" and isinstance(time, str):
            day = calendar.trading_day(now, instrument)
            ends = calendar.instant(day, time, instrument.time_zone)
            if now >= ends and instrument.session_close is not None:
                return f"window closed: end of day is {time}"
    return None


def _price(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    quote = market.get(signal.instrument)
    if quote is None:
        return f"no price of {signal.instrument} yet"
    age = quote.age(now)
    if age > state.limits.price_age_max_s * SECOND:
        return f"stale feed: the price is {age // SECOND} s old"
    return None


def _confidence(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    least = state.limits.confidence_min
    if not signal.confidence.is_finite():
        return f"confidence was {signal.confidence}, allowed: 0 to 1"
    if signal.confidence < least:
        return f"confidence {signal.confidence:f} below minimum {least:f}"
    return None


def _cooldown(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    closed = state.cooldowns.get(signal.instrument)
    if closed is None or not state.limits.cooldown_s:
        return None
    left = closed + state.limits.cooldown_s * SECOND - now
    return f"cooldown {-(-left // SECOND)} s" if left > 0 else None


def _counts(state: State, market: Market, signal: Signal, now: Nanos) -> str | None:
    limits = state.limits
    if not (
        limits.positions_max
        or limits.positions_max_per_strategy
        or limits.positions_max_per_instrument
    ):
        return None
    held = [(p.instrument, p.strategy) for p in state.positions.values()]
    held += [
        (w.order.instrument, w.order.strategy)
        for w in state.orders.values()
        if w.order.exit is None and w.order.position not in state.positions
    ]
    counted: tuple[tuple[int, int, str], ...] = (
        (limits.positions_max, len(held), "in all"),
        (
            limits.positions_max_per_strategy,
            sum(strategy == signal.strategy for _, strategy in held),
            f"of {signal.strategy}",
        ),
        (
            limits.positions_max_per_instrument,
            sum(instrument == signal.instrument for instrument, _ in held),
            f"on {signal.instrument}",
        ),
    )
    for most, n, what in counted:
        if most and n >= most:
            return f"max positions: {n} {what}, limit {most}"
    return None


CHECKS: Final[tuple[Check, ...]] = (
    _session,
    _strategy,
    _blocks,
    _instrument,
    _amounts,
    _end_of_day,
    _price,
    _confidence,
    _cooldown,
    _counts,
)


def _money_reason(
    state: State, signal: Signal, quote: Quote, instrument: Instrument, qty: Qty | None
) -> str | None:
    if qty is None:
        most = state.limits.capital_per_position
        return f"capital per position {most} does not buy one lot at {quote.last:f}"
    if rounded_down(qty, instrument.lot_size) != qty:
        return f"lot size: {qty:f} is not a multiple of {instrument.lot_size:f}"
    wrong = wrong_side(signal.side.sign, quote.last, signal.stop_loss, signal.take_profit)
    if wrong is not None:
        return wrong
    account = state.accounts[instrument.currency]
    cost = cost_of(instrument, quote.last, qty, state.limits.leverage)
    if cost > account.cash:
        return f"insufficient funds: needs {cost:f}, has {account.cash:f} {account.currency}"
    return None


def wrong_side(
    sign: int, last: Decimal, stop_loss: Price | None, take_profit: Price | None
) -> str | None:
    """Return why a stop or target is on the wrong side of the price; None: both are right."""
    if stop_loss is not None and (last - stop_loss) * sign <= 0:
        where = "below" if sign > 0 else "above"
        return f"stop {stop_loss:f} is not {where} the price {last:f}"
    if take_profit is not None and (take_profit - last) * sign <= 0:
        where = "above" if sign > 0 else "below"
        return f"target {take_profit:f} is not {where} the price {last:f}"
    return None
