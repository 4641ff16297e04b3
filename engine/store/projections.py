"""What entries do to the tables: a pure mapping from (state before, entries, state after) to rows.

Rows are whole, never increments, so writing one twice changes nothing. However a journal is cut
into batches, the tables end the same: a batch whose final state does not say everything (a session
starts or ends, or more trades close than the state keeps) is folded entry by entry.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from engine.domain import event as ev
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos, OrderId, PositionId, StrategyName
from engine.domain.order import Order, OrderStatus, WorkingOrder
from engine.domain.state import CLOSED_KEPT, State
from engine.store import tables
from engine.store.decision_rows import decision_rows
from engine.store.shadow_rows import needs_each_entry, shadow_rows
from engine.store.tables import SqlRow

_SESSION_EVENTS: Final = (
    ev.SessionStarted,
    ev.SessionCrashed,
    ev.SessionEnded,
    ev.Resumed,
)


@dataclass(slots=True)
class Changes:
    """Rows to write, per table and primary key: a later row replaces an earlier one."""

    sessions: dict[str, SqlRow] = field(default_factory=dict)
    strategies: dict[str, SqlRow] = field(default_factory=dict)
    orders: dict[str, SqlRow] = field(default_factory=dict)
    fills: dict[tuple[str, str], SqlRow] = field(default_factory=dict)
    positions: dict[str, SqlRow] = field(default_factory=dict)
    shadows: dict[str, SqlRow] = field(default_factory=dict)
    decisions: dict[str, SqlRow] = field(default_factory=dict)

    def write(self, db: sqlite3.Connection) -> None:
        """Write all rows, parents before children; the caller holds the transaction."""
        for table, rows in (
            (tables.SESSIONS, self.sessions),
            (tables.STRATEGIES, self.strategies),
            (tables.ORDERS, self.orders),
            (tables.FILLS, self.fills),
            (tables.POSITIONS, self.positions),
            (tables.SHADOWS, self.shadows),
            (tables.DECISIONS, self.decisions),
        ):
            if rows:
                table.upsert.write(db, tuple(rows.values()))


@dataclass(slots=True)
class _Touched:
    """An order that this batch says something of."""

    order: Order
    requested_at: Nanos
    filled: Decimal
    venue_order: str | None
    cancel_requested: bool
    status: OrderStatus
    updated_at: Nanos
    why: str = ""


def project(before: State, entries: Sequence[ev.Entry], after: State) -> Changes:
    """Return the rows that `entries`, leading from `before` to `after`, change."""
    changes = Changes()
    if len(entries) == 1:
        _step(before, entries[0], after, changes)
        return changes
    if _final_state_says_all(before, entries, after):
        _Batch(before, after, changes).take(entries)
        return changes
    state = before
    for entry in entries:
        following = evolve(state, entry)
        _step(state, entry, following, changes)
        state = following
    return changes


def _step(before: State, entry: ev.Entry, after: State, changes: Changes) -> None:
    _Batch(before, after, changes).take((entry,))
    if needs_each_entry(before, after):
        changes.shadows.update(shadow_rows(before, entry, after))


def _final_state_says_all(before: State, entries: Sequence[ev.Entry], after: State) -> bool:
    if after.session is None or after.session.ended_at is not None:
        return False
    if len(after.closed) >= CLOSED_KEPT and after.closed[0].seq > before.seq:
        return False  # every trade kept is of this batch: older ones of it may be gone
    if needs_each_entry(before, after):
        return False
    return not any(isinstance(entry.event, _SESSION_EVENTS) for entry in entries)


class _Batch:
    """Collects what one step of the journal touches, then describes it from the state after."""

    def __init__(self, before: State, after: State, changes: Changes) -> None:
        self._before, self._after, self._changes = before, after, changes
        self._orders: dict[OrderId, _Touched] = {}
        self._positions: dict[PositionId, Nanos] = {}
        self._strategies: dict[StrategyName, Nanos] = {}
        self._session: tuple[Nanos, tuple[str, ...] | None] | None = None
        self._asks = False

    def take(self, entries: Sequence[ev.Entry]) -> None:
        for entry in entries:
            touch = _TOUCHES.get(type(entry.event))
            if touch is not None:
                touch(self, entry.event, entry)
        self._describe()
        if self._asks:
            rows = decision_rows(self._before, entries, self._session_id)
            self._changes.decisions.update(rows)

    def of_decision(self, event: object, entry: ev.Entry) -> None:
        self._asks = True

    def of_signal(self, event: ev.SignalAccepted | ev.SignalRefused, entry: ev.Entry) -> None:
        self._strategies[event.signal.strategy] = entry.at

    def of_strategy(
        self,
        event: ev.StrategyChanged | ev.StrategyRemembered | ev.StrategyFailed,
        entry: ev.Entry,
    ) -> None:
        self._strategies[event.strategy] = entry.at

    def of_stop(self, event: ev.StopChanged, entry: ev.Entry) -> None:
        self._positions[event.position] = entry.at

    def of_session(
        self,
        event: ev.SessionStarted | ev.SessionCrashed | ev.SessionEnded | ev.Resumed,
        entry: ev.Entry,
    ) -> None:
        self._session = (entry.at, event.symbols if isinstance(event, ev.SessionStarted) else None)

    def of_marks(self, event: ev.QuotesMarked, entry: ev.Entry) -> None:
        """A session that has ended is worth what its positions are worth when the next begins."""
        session = self._after.session
        if session is not None and session.ended_at is not None:
            self._session = (entry.at, None)

    def of_request(self, event: ev.OrderRequested, entry: ev.Entry) -> None:
        working = WorkingOrder(event.order, OrderStatus.REQUESTED, entry.at)
        self._orders[event.order.id] = _touched(working, entry.at)

    def of_adoption(self, event: ev.OrderAdopted, entry: ev.Entry) -> None:
        adopted = WorkingOrder(event.order, OrderStatus.ACCEPTED, entry.at)
        self._orders[event.order.id] = touched = _touched(adopted, entry.at)
        touched.venue_order = event.venue_order

    def of_acceptance(self, event: ev.OrderAccepted, entry: ev.Entry) -> None:
        self._order(event.order, entry).venue_order = event.venue_order

    def of_doubt(self, event: ev.CancelRequested | ev.OrderTimedOut, entry: ev.Entry) -> None:
        touched = self._order(event.order, entry)
        touched.cancel_requested |= isinstance(event, ev.CancelRequested)

    def of_rejection(self, event: ev.OrderRejected, entry: ev.Entry) -> None:
        touched = self._order(event.order, entry)
        touched.status = OrderStatus.REJECTED
        touched.why = f"{event.reason}: {event.text}" if event.text else event.reason

    def of_cancellation(self, event: ev.OrderCancelled, entry: ev.Entry) -> None:
        touched = self._order(event.order, entry)
        touched.status, touched.why = OrderStatus.CANCELLED, event.reason

    def of_fill(self, event: ev.OrderFilled, entry: ev.Entry) -> None:
        fill = event.fill
        touched = self._order(fill.order, entry)
        touched.status = OrderStatus.FILLED  # if it is still working, the state after says so
        touched.filled += fill.qty
        self._positions[touched.order.position] = entry.at
        self._session = (entry.at, self._session[1] if self._session else None)
        row = tables.fill_row(fill, touched.order, self._session_id, entry.seq)
        self._changes.fills[fill.order, fill.id] = row

    def _order(self, key: OrderId, entry: ev.Entry) -> _Touched:
        touched = self._orders.get(key)
        if touched is None:
            touched = self._orders[key] = _touched(self._before.orders[key], entry.at)
        touched.updated_at = entry.at
        return touched

    @property
    def _session_id(self) -> str:
        return self._after.session.id if self._after.session else ""

    def _describe(self) -> None:
        after, changes, session = self._after, self._changes, self._session_id
        if self._session is not None and after.session is not None:
            at, symbols = self._session
            text = None if symbols is None else json.dumps(symbols)
            row = tables.session_row(after, at, text)
            changes.sessions[session] = tables.keep_symbols(changes.sessions.get(session), row)
        for name, at in self._strategies.items():
            record = after.strategies.get(name)
            if record is not None:
                changes.strategies[name] = tables.strategy_row(record, session, at)
        for key, touched in self._orders.items():
            changes.orders[key] = self._order_row(key, touched, session)
        self._describe_positions(session)

    def _order_row(self, key: OrderId, touched: _Touched, session: str) -> SqlRow:
        working = self._after.orders.get(key)
        status = touched.status if working is None else working.status
        return tables.order_row(
            touched.order,
            session,
            status=status.value,
            filled=touched.filled,
            venue_order=touched.venue_order,
            cancel_requested=touched.cancel_requested,
            why=touched.why,
            requested_at=touched.requested_at,
            updated_at=touched.updated_at,
        )

    def _describe_positions(self, session: str) -> None:
        if not self._positions:
            return
        after, rows = self._after, self._changes.positions
        for key, at in self._positions.items():
            position = after.positions.get(key)
            if position is not None:
                instrument = after.instruments.get(position.instrument)
                rows[key] = tables.position_row(position, instrument, session, at)
        for trade in reversed(after.closed):
            if trade.seq <= self._before.seq:
                break
            instrument = after.instruments.get(trade.instrument)
            rows[trade.id] = tables.trade_row(trade, instrument, session, self._positions[trade.id])


def _touched(working: WorkingOrder, at: Nanos) -> _Touched:
    return _Touched(
        order=working.order,
        requested_at=working.requested_at,
        filled=working.filled,
        venue_order=working.venue_order,
        cancel_requested=working.cancel_requested,
        status=working.status,
        updated_at=at,
    )


_TOUCHES: Final[dict[type, Callable[[_Batch, Any, ev.Entry], None]]] = {
    ev.SessionStarted: _Batch.of_session,
    ev.SessionEnded: _Batch.of_session,
    ev.SessionCrashed: _Batch.of_session,
    ev.Resumed: _Batch.of_session,
    ev.QuotesMarked: _Batch.of_marks,
    ev.SignalAccepted: _Batch.of_signal,
    ev.SignalRefused: _Batch.of_signal,
    ev.OrderRequested: _Batch.of_request,
    ev.OrderAdopted: _Batch.of_adoption,
    ev.DecisionAsked: _Batch.of_decision,
    ev.DecisionTaken: _Batch.of_decision,
    ev.DecisionWithdrawn: _Batch.of_decision,
    ev.OrderAccepted: _Batch.of_acceptance,
    ev.OrderFilled: _Batch.of_fill,
    ev.OrderRejected: _Batch.of_rejection,
    ev.CancelRequested: _Batch.of_doubt,
    ev.OrderCancelled: _Batch.of_cancellation,
    ev.OrderTimedOut: _Batch.of_doubt,
    ev.StopChanged: _Batch.of_stop,
    ev.StrategyChanged: _Batch.of_strategy,
    ev.StrategyRemembered: _Batch.of_strategy,
    ev.StrategyFailed: _Batch.of_strategy,
}
"""What each kind of event touches; the others change no table."""
