"""Events of one decision in the making: knows which journal entry comes next."""

from __future__ import annotations

from engine.domain.event import CancelRequested, Event, OrderRequested
from engine.domain.ids import OrderId, PositionId, Seq, order_id
from engine.domain.state import State


class Draft:
    """Collects events; order ids follow from the entry that will request the order."""

    __slots__ = ("_events", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self._events: list[Event] = []

    def add(self, *events: Event) -> None:
        self._events.extend(events)

    def next_order_id(self, ahead: int = 0) -> OrderId:
        """Return the id of an order requested by the event `ahead` places after the next."""
        if self.state.session is None:
            raise AssertionError("orders need a session")
        seq = Seq(self.state.seq + len(self._events) + 1 + ahead)
        return order_id(self.state.session.id, seq)

    def closes(self, position: PositionId) -> bool:
        """Return whether an exit of `position` is drafted already."""
        return any(
            isinstance(event, OrderRequested)
            and event.order.exit is not None
            and event.order.position == position
            for event in self._events
        )

    def cancels(self, order: OrderId) -> bool:
        """Return whether the cancel of `order` is drafted already."""
        return any(isinstance(e, CancelRequested) and e.order == order for e in self._events)

    def __bool__(self) -> bool:
        return bool(self._events)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self._events)
