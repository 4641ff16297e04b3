"""One function per projected table: the row of a value, in the order of its columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from engine.domain.ids import Nanos, Seq
from engine.domain.instrument import Instrument
from engine.domain.money import Currency, ratio
from engine.domain.order import Fill, Order
from engine.domain.position import Position, Trade
from engine.domain.session import Account
from engine.domain.state import State
from engine.domain.strategy import StrategyRecord
from engine.store.amounts import Stored, stored
from engine.store.bulk import Bulk
from engine.store.times import iso, minutes

SqlRow: TypeAlias = tuple[str | int | float | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A projected table: its name, key and columns, and what writes or replaces its rows."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    upsert: Bulk


def _table(name: str, key: tuple[str, ...], columns: str, kept: tuple[str, ...] = ()) -> Table:
    names = tuple(columns.split())
    sets = ", ".join(
        f"{c} = coalesce(excluded.{c}, {c})" if c in kept else f"{c} = excluded.{c}"
        for c in names
        if c not in key
    )
    conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}"
    return Table(name, key, names, Bulk(name, names, conflict))


SESSIONS: Final = _table(
    "trading_sessions",
    ("session_id",),
    """session_id start_time end_time status mode venue feed symbols duration_minutes
    scan_interval_seconds currency initial_portfolio_value final_portfolio_value pnl pnl_pct fees
    total_trades winning_trades accounts created_at updated_at""",
    kept=("symbols",),
)
STRATEGIES: Final = _table(
    "strategies",
    ("name",),
    """name session_id kind instrument status since waits_for config state failure signals refused
    last_refusal updated_at""",
)
ORDERS: Final = _table(
    "orders",
    ("order_id",),
    """order_id session_id position_id symbol strategy purpose side type qty price status filled
    venue_order_id cancel_requested exit_reason why requested_at updated_at""",
)
FILLS: Final = _table(
    "fills",
    ("order_id", "fill_id"),
    "order_id fill_id session_id position_id symbol side qty price fee fee_currency at seq",
)
POSITIONS: Final = _table(
    "positions",
    ("position_id",),
    """position_id session_id symbol strategy direction side option_right qty entry_time exit_time
    entry_price exit_price stop_loss take_profit order_id status exit_reason exit_rule exit_level
    also_fired exit_note pnl gross_pnl pnl_pct fees currency cost oi_at_entry duration_minutes
    closed_seq updated_at""",
)
SHADOWS: Final = _table(
    "shadows",
    ("shadow_id",),
    """shadow_id session_id position_id symbol strategy direction deed done_by done_at note qty
    entry_price stop_loss take_profit new_stop_loss new_take_profit operator_price operator_pnl
    operator_status strategy_price strategy_pnl strategy_status difference ended_at exit_reason
    exit_rule exit_level why last_price last_price_at gaps follows currency seq updated_at""",
)
DECISIONS: Final = _table(
    "decisions",
    ("decision_id",),
    """decision_id session_id matter subject symbol position_id text choices proposal qty_here
    qty_venue asked_at due_at status ended_at choice decided_by why""",
)
ALL: Final = (SESSIONS, STRATEGIES, ORDERS, FILLS, POSITIONS, SHADOWS, DECISIONS)
_SYMBOLS: Final = SESSIONS.columns.index("symbols")


def stored_or_none(amount: Decimal | None) -> Stored | None:
    """Return what a column for an amount holds that may be unknown."""
    return None if amount is None else stored(amount)


def _right(instrument: Instrument | None) -> str | None:
    return instrument.right.value if instrument and instrument.right else None


def equity(state: State, account: Account) -> Decimal:
    """Return cash, money tied up, and profit of what is open at its last journaled price."""
    worth = account.cash
    for position in state.positions.values():
        if position.currency == account.currency:
            mark = state.marks.get(position.instrument)
            instrument = state.instruments[position.instrument]
            worth += position.cost + (position.pnl(mark.last, instrument) if mark else 0)
    return worth


def session_row(state: State, at: Nanos, symbols: str | None) -> SqlRow:
    """Return the row of the state's session. Values are of its first currency; `accounts` has all.

    `pnl` is realised profit less fees while it runs, final value less initial once it has ended.
    """
    session = state.session
    if session is None:
        raise ValueError("the state has no session")
    account = next(iter(state.accounts.values()), None)
    first = account or Account(Currency(""), Decimal(0), Decimal(0))
    ended = session.ended_at
    final = None if ended is None else equity(state, first)
    pnl = first.realised - first.fees if final is None else final - first.initial
    percent = ratio(pnl * 100, first.initial) if first.initial else None
    start = iso(session.started_at)
    return (
        *(session.id, start, iso(ended) if ended else None, session.status.value),
        *(session.mode.value, session.venue, session.feed, symbols),
        *(minutes(session.started_at, ended) if ended else None, None),
        *(
            first.currency or None,
            stored(first.initial),
            stored_or_none(final),
            stored(pnl),
            stored_or_none(percent),
        ),
        *(stored(first.fees), first.trades, first.wins),
        *(msgspec.json.encode(tuple(state.accounts.values())).decode(), start, iso(at)),
    )


def keep_symbols(earlier: SqlRow | None, row: SqlRow) -> SqlRow:
    """Return `row` with the symbols of an earlier row of the same batch, if it names none."""
    if earlier is None or row[_SYMBOLS] is not None:
        return row
    return (*row[:_SYMBOLS], earlier[_SYMBOLS], *row[_SYMBOLS + 1 :])


def strategy_row(record: StrategyRecord, session: str, at: Nanos) -> SqlRow:
    """Return the row of a strategy; its instrument is the setting of that name, if it has one."""
    settings = dict(record.settings)
    instrument = next(
        (settings[k] for k in ("instrument", "symbol", "underlying") if k in settings), None
    )
    return (
        *(record.name, session, record.kind, instrument, record.phase.value, iso(record.since)),
        *(record.waits_for, json.dumps(settings), record.memory, record.failure),
        *(record.signals, record.refused, record.last_refusal, iso(at)),
    )


def order_row(
    order: Order,
    session: str,
    *,
    status: str,
    filled: Decimal,
    venue_order: str | None,
    cancel_requested: bool,
    why: str,
    requested_at: Nanos,
    updated_at: Nanos,
) -> SqlRow:
    """Return the row of an order, final or not."""
    return (
        *(order.id, session, order.position, order.instrument, order.strategy),
        *("exit" if order.exit else "entry", order.side.value, order.type.value),
        *(stored(order.qty), stored_or_none(order.price), status, stored(filled), venue_order),
        *(int(cancel_requested), order.exit.code if order.exit else None, why or None),
        *(iso(requested_at), iso(updated_at)),
    )


def fill_row(fill: Fill, order: Order, session: str, seq: Seq) -> SqlRow:
    """Return the row of an execution."""
    return (
        *(fill.order, fill.id, session, order.position, order.instrument, order.side.value),
        *(stored(fill.qty), stored(fill.price), stored(fill.fee.amount), fill.fee.currency),
        *(iso(fill.at), seq),
    )


def position_row(
    position: Position, instrument: Instrument | None, session: str, at: Nanos
) -> SqlRow:
    """Return the row of an open position; `gross_pnl` is what its partial exits made."""
    side = position.side
    return (
        *(position.id, session, position.instrument, position.strategy, side.standing, side.value),
        *(_right(instrument), stored(position.qty), iso(position.opened_at), None),
        *(
            stored(position.entry),
            None,
            stored_or_none(position.stop_loss),
            stored_or_none(position.take_profit),
        ),
        *(position.id, "active", None, None, None, None, None),
        *(None, stored(position.realised), None, stored(position.fees), position.currency),
        *(stored(position.cost), stored_or_none(position.oi_at_entry), None, None, iso(at)),
    )


def trade_row(trade: Trade, instrument: Instrument | None, session: str, at: Nanos) -> SqlRow:
    """Return the row of a closed position; `pnl_pct` is in percent (12.5), `pnl` net of fees."""
    side, reason = trade.side, trade.reason
    return (
        *(trade.id, session, trade.instrument, trade.strategy, side.standing, side.value),
        *(_right(instrument), stored(trade.qty), iso(trade.entry_at), iso(trade.exit_at)),
        *(stored(trade.entry), stored(trade.exit)),
        *(stored_or_none(trade.stop_loss), stored_or_none(trade.take_profit), trade.id, "closed"),
        *(reason.code, reason.rule, stored_or_none(reason.level), ",".join(reason.also_fired)),
        *(reason.note, stored(trade.pnl), stored(trade.gross), stored(trade.pnl_pct * 100)),
        *(stored(trade.fees), trade.currency, None, None),
        *(minutes(trade.entry_at, trade.exit_at), trade.seq, iso(at)),
    )
