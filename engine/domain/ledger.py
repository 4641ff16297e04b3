"""What a fill does to positions and money. Pure; used by `evolve` only.

Invariant, per currency and after every event, to the last unit:
`cash + cost of open positions == initial - carried + realised - fees`.
"""

from __future__ import annotations

from decimal import Decimal

from engine.domain.errors import IllegalTransition
from engine.domain.extremes import entered, left
from engine.domain.ids import PositionId, Seq
from engine.domain.instrument import Instrument
from engine.domain.mapping import changed, with_item, without
from engine.domain.money import LEAST, ZERO, Price, Qty, quotient, rounded
from engine.domain.order import Fill, Order
from engine.domain.position import ClosePhase, Position, Trade
from engine.domain.session import Account
from engine.domain.state import CLOSED_KEPT, State


def cost_of(instrument: Instrument, price: Decimal, qty: Decimal, leverage: Decimal) -> Decimal:
    """Return the money that `qty` at `price` ties up: everything, or the margin if leveraged."""
    notional = instrument.notional(price, qty)
    return quotient(notional, leverage) if instrument.is_leveraged else notional


def book_entry(state: State, order: Order, fill: Fill, seq: Seq, oi: Decimal | None) -> State:
    """Return `state` with `fill` opening or enlarging its position."""
    instrument = state.instruments[order.instrument]
    account = state.accounts[instrument.currency]
    cost = cost_of(instrument, fill.price, fill.qty, state.limits.leverage)
    held = state.positions.get(order.position)
    if held is None:
        position = _opened(order, fill, seq, oi, cost, instrument)
    else:
        value = instrument.value(fill.price, fill.qty)
        position = _enlarged(held, instrument, fill, cost, value)
    account = changed(
        account,
        cash=account.cash - cost - fill.fee.amount,
        fees=account.fees + fill.fee.amount,
    )
    known = state.extremes.get(order.instrument)
    is_new = held is None
    return changed(
        state,
        positions=with_item(state.positions, position.id, position),
        accounts=with_item(state.accounts, account.currency, account),
        extremes=with_item(state.extremes, order.instrument, entered(known, seq))
        if is_new
        else state.extremes,
    )


def _opened(
    order: Order, fill: Fill, seq: Seq, oi: Decimal | None, cost: Decimal, instrument: Instrument
) -> Position:
    return Position(
        id=order.position,
        instrument=order.instrument,
        side=order.side,
        qty=fill.qty,
        entry=fill.price,
        cost=cost,
        currency=instrument.currency,
        opened_at=fill.at,
        opened_seq=seq,
        opened_qty=fill.qty,
        entry_value=instrument.value(fill.price, fill.qty),
        oi_at_entry=oi,
        strategy=order.strategy,
        stop_loss=order.stop_loss,
        take_profit=order.take_profit,
        entry_order=order.id,
        fees=fill.fee.amount,
        opened_price=fill.price,
    )


def _enlarged(
    held: Position, instrument: Instrument, fill: Fill, cost: Decimal, value: Decimal
) -> Position:
    qty, total = Qty(held.qty + fill.qty), held.entry_value + value
    return changed(
        held,
        qty=qty,
        opened_qty=Qty(held.opened_qty + fill.qty),
        entry=instrument.entry_price(total, qty),
        entry_value=total,
        cost=held.cost + cost,
        fees=held.fees + fill.fee.amount,
    )


def book_exit(state: State, order: Order, fill: Fill, seq: Seq) -> State:
    """Return `state` with `fill` closing (part of) its position."""
    position = state.positions.get(order.position)
    if position is None or fill.qty > position.qty:
        left = position.qty if position else ZERO
        raise IllegalTransition(f"exit of {fill.qty} from {order.position} with {left} open")
    instrument = state.instruments[order.instrument]
    is_all = fill.qty == position.qty
    released_value = _share(position.entry_value, fill.qty, position.qty, all_=is_all)
    released_cost = _share(position.cost, fill.qty, position.qty, all_=is_all)
    gross = instrument.profit(position.side.sign, released_value, fill.price, fill.qty)
    reduced = changed(
        position,
        entry_value=position.entry_value - released_value,
        cost=position.cost - released_cost,
        realised=position.realised + gross,
        fees=position.fees + fill.fee.amount,
        exit_value=position.exit_value + instrument.value(fill.price, fill.qty),
        exited=position.exited + fill.qty,
        last_exit=order.exit,
        failed_closes=0,
        rearm_at=None,
    )
    account = state.accounts[position.currency]
    account = changed(
        account,
        cash=account.cash + released_cost + gross - fill.fee.amount,
        realised=account.realised + gross,
        fees=account.fees + fill.fee.amount,
    )
    if is_all:
        return _closed(state, reduced, instrument, account, fill, seq)
    return changed(
        state,
        positions=with_item(state.positions, position.id, _still_open(reduced, position, fill)),
        accounts=with_item(state.accounts, account.currency, account),
    )


def _still_open(reduced: Position, before: Position, fill: Fill) -> Position:
    left = Qty(before.qty - fill.qty)
    close = before.close
    if close is not None and close.order == fill.order:
        close = changed(close, phase=ClosePhase.PARTIAL)
    return changed(reduced, qty=left, close=close)


def _share(amount: Decimal, part: Decimal, whole: Decimal, *, all_: bool) -> Decimal:
    """Return the part's share; what rounding leaves stays booked until the last part goes."""
    return amount if all_ else rounded(quotient(amount * part, whole), LEAST)


def _closed(
    state: State, last: Position, instrument: Instrument, account: Account, fill: Fill, seq: Seq
) -> State:
    if last.last_exit is None:
        raise IllegalTransition(f"{last.id} was closed without a reason")
    trade = Trade(
        id=PositionId(last.id),
        instrument=last.instrument,
        side=last.side,
        qty=last.opened_qty,
        entry_at=last.opened_at,
        entry=last.entry,
        exit_at=fill.at,
        exit=_average_exit(last, fill, instrument),
        reason=last.last_exit,
        pnl=last.realised - last.fees,
        fees=last.fees,
        currency=last.currency,
        strategy=last.strategy,
        seq=seq,
        stop_loss=last.stop_loss,
        take_profit=last.take_profit,
        gross=last.realised,
    )
    account = changed(
        account,
        trades=account.trades + 1,
        wins=account.wins + (1 if trade.pnl > 0 else 0),
        high_water=max(account.high_water, account.booked),
    )
    state = left(state, last.instrument)
    return changed(
        state,
        positions=without(state.positions, last.id),
        accounts=with_item(state.accounts, account.currency, account),
        closed=(*state.closed[-(CLOSED_KEPT - 1) :], trade),
        cooldowns=with_item(state.cooldowns, last.instrument, fill.at),
    )


def _average_exit(last: Position, fill: Fill, instrument: Instrument) -> Price:
    if last.exited == fill.qty:
        return fill.price
    return Price(instrument.entry_price(last.exit_value, last.exited))
