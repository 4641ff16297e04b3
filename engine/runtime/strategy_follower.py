"""Tells strategies, from the journal, what became of their signals, orders and positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.domain import event as ev
from engine.domain.ids import Nanos, OrderId, PositionId, StrategyName
from engine.domain.state import State
from engine.domain.strategy import Holding, Phase
from engine.runtime.strategy_memory import holding_of
from engine.runtime.strategy_run import StrategyRun
from engine.runtime.strategy_wire import Closed, Opened, Refused


class StrategyFollower:
    """Follows every position of every strategy. The state it is given may be newer than the entry:
    entries are published in groups.
    """

    def __init__(self, runs: Mapping[StrategyName, StrategyRun]) -> None:
        self._runs = runs
        self._exits: dict[OrderId, PositionId] = {}
        self._added: dict[OrderId, PositionId] = {}
        """Adopted orders that enlarge a position."""

    def begin(self, state: State) -> None:
        """Learn which exits are under way."""
        for order in (working.order for working in state.orders.values()):
            if order.exit is not None:
                self._exits[order.id] = order.position

    def on_entry(self, entry: ev.Entry, state: State) -> None:
        """Pass on what concerns a strategy."""
        hear = _HEAR.get(type(entry.event))
        if hear is not None:
            hear(self, entry.event, entry.at, state)

    def _accepted(self, event: ev.SignalAccepted, at: Nanos, state: State) -> None:
        run = self._runs.get(event.signal.strategy)
        if run is not None and run.is_running:
            run.orders[event.order] = event.signal

    def _refused(self, event: ev.SignalRefused, at: Nanos, state: State) -> None:
        run = self._runs.get(event.signal.strategy)
        if run is not None:
            run.tell(Refused(event.signal, event.reason))

    def _order_ended(
        self, event: ev.OrderRejected | ev.OrderCancelled, at: Nanos, state: State
    ) -> None:
        """Tell whose entry came to nothing; what was filled of it is a position already."""
        self._exits.pop(event.order, None)
        for run in self._runs.values():
            signal = run.orders.pop(event.order, None)
            if signal is not None and PositionId(event.order) not in run.held:
                run.tell(Refused(signal, event.reason or "cancelled"))

    def _filled(self, event: ev.OrderFilled, at: Nanos, state: State) -> None:
        order = event.fill.order
        closing = self._exits.get(order)
        if closing is not None:
            if order not in state.orders:
                del self._exits[order]
            if closing not in state.positions:
                self._closed(closing, at, state)
            return
        position = state.positions.get(self._added.pop(order, PositionId(order)))
        if position is None:
            self._came_and_went(PositionId(order), at, state)
            return
        run = self._runs.get(position.strategy) if position.strategy else None
        if run is None:
            return
        if order not in state.orders:
            run.orders.pop(order, None)
        is_new = position.id not in run.held
        run.held[position.id] = holding_of(position)
        if is_new:
            run.tell(Opened(run.held[position.id]))

    def _came_and_went(self, id_: PositionId, at: Nanos, state: State) -> None:
        """Tell of a position that is closed already in the state we were given."""
        trade = next((t for t in reversed(state.closed) if t.id == id_), None)
        run = self._runs.get(trade.strategy) if trade and trade.strategy else None
        if trade is None or run is None or id_ in run.held:
            return
        run.orders.pop(OrderId(id_), None)
        holding = Holding(id_, trade.instrument, trade.side, trade.qty, trade.entry, trade.entry_at)
        run.tell(Opened(holding))
        run.tell(Closed(holding, trade.reason.code, trade.pnl, at))

    def _closed(self, position: PositionId, at: Nanos, state: State) -> None:
        for run in self._runs.values():
            holding = run.held.pop(position, None)
            if holding is None:
                continue
            trade = next((t for t in reversed(state.closed) if t.id == position), None)
            if trade is not None:
                run.tell(Closed(holding, trade.reason.code, trade.pnl, at))

    def _exit_requested(self, event: ev.OrderRequested, at: Nanos, state: State) -> None:
        order = event.order
        if order.exit is None:
            return
        for run in self._runs.values():
            if order.position in run.held:
                self._exits[order.id] = order.position
                if run.is_running and len(run.held) == 1:
                    run.show(Phase.EXITING, f"fill of the exit ({order.exit.code})")

    def _adopted(self, event: ev.OrderAdopted, at: Nanos, state: State) -> None:
        """Somebody traded a strategy's position at the venue: its fill follows."""
        order = event.order
        if any(order.position in run.held for run in self._runs.values()):
            known = self._added if order.exit is None else self._exits
            known[order.id] = order.position

    def _rearmed(self, event: ev.CloseRearmed, at: Nanos, state: State) -> None:
        for run in self._runs.values():
            if event.position in run.held and run.is_running and run.phase is Phase.EXITING:
                instrument = run.held[event.position].instrument
                run.show(Phase.POSITION_OPEN, f"exit of {instrument}; a close failed")


_HEAR: Final[dict[type, Callable[[StrategyFollower, Any, Nanos, State], None]]] = {
    ev.SignalAccepted: StrategyFollower._accepted,  # noqa: SLF001
    ev.SignalRefused: StrategyFollower._refused,  # noqa: SLF001
    ev.OrderRejected: StrategyFollower._order_ended,  # noqa: SLF001
    ev.OrderCancelled: StrategyFollower._order_ended,  # noqa: SLF001
    ev.OrderFilled: StrategyFollower._filled,  # noqa: SLF001
    ev.OrderRequested: StrategyFollower._exit_requested,  # noqa: SLF001
    ev.CloseRearmed: StrategyFollower._rearmed,  # noqa: SLF001
    ev.OrderAdopted: StrategyFollower._adopted,  # noqa: SLF001
}
