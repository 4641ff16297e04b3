"""All orders that the paper venue was ever sent (as far back as a look-up asks)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from engine.domain.event import OrderFilled
from engine.domain.ids import InstrumentId, Nanos, OrderId
from engine.domain.instrument import Instrument
from engine.domain.order import Order
from engine.domain.truth import Execution, OpenOrder
from engine.venues.paper.ticket import Ticket, ticket_data, ticket_of

FINISHED_KEPT: Final = 4096
"""Newest finished orders that are still known."""
FINISHED_SAVED: Final = 256
"""Newest finished orders that are saved: only the last ones can be unsettled after a crash."""


class Register:
    """Tickets by order id; the open ones also by instrument, oldest first."""

    def __init__(self) -> None:
        self._tickets: dict[OrderId, Ticket] = {}
        self._finished: deque[OrderId] = deque()
        self._waiting: dict[InstrumentId, list[Ticket]] = {}

    def get(self, order: OrderId) -> Ticket | None:
        return self._tickets.get(order)

    def add(self, order: Order, instrument: Instrument) -> Ticket:
        """Return the ticket of a new order."""
        ticket = self._tickets[order.id] = Ticket(order, instrument, order.qty)
        return ticket

    def wait(self, ticket: Ticket) -> None:
        """Put `ticket` among those that the next tick may fill."""
        self._waiting.setdefault(ticket.order.instrument, []).append(ticket)

    def waiting(self, instrument: InstrumentId) -> tuple[Ticket, ...]:
        """Return the open tickets of an instrument as they stand now."""
        tickets = self._waiting.get(instrument)
        return tuple(tickets) if tickets else ()

    def finish(self, ticket: Ticket) -> None:
        """Mark `ticket` as final; of the finished ones the oldest are forgotten."""
        ticket.is_final = True
        waiting = self._waiting.get(ticket.order.instrument)
        if waiting and ticket in waiting:
            waiting.remove(ticket)
        self._finished.append(ticket.order.id)
        if len(self._finished) > FINISHED_KEPT:
            self._tickets.pop(self._finished.popleft(), None)

    def open(self) -> tuple[Ticket, ...]:
        """Return every open ticket."""
        return tuple(ticket for waiting in self._waiting.values() for ticket in waiting)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return what is left of each open order."""
        return tuple(
            OpenOrder(t.order.id, t.order.instrument, t.order.side, t.remaining)
            for t in self.open()
        )

    def executions(self, since: Nanos) -> tuple[Execution, ...]:
        """Return the fills from `since` on, oldest first, of the orders that are still known."""
        found = [
            Execution(report.fill, ticket.order.instrument, ticket.order.side)
            for ticket in self._tickets.values()
            for report in ticket.reports
            if isinstance(report, OrderFilled) and report.fill.at >= since
        ]
        return tuple(sorted(found, key=lambda execution: execution.fill.at))

    def data(self) -> list[dict[str, Any]]:
        """Return the open tickets and the newest finished ones as JSON data, oldest first."""
        newest = set(list(self._finished)[-FINISHED_SAVED:])
        return [
            ticket_data(ticket)
            for ticket in self._tickets.values()
            if not ticket.is_final or ticket.order.id in newest
        ]

    def load(self, entries: list[Mapping[str, Any]]) -> None:
        """Take over what `data` returned; raises KeyError or ValueError if it is none."""
        tickets = [ticket_of(entry) for entry in entries]
        self._tickets = {ticket.order.id: ticket for ticket in tickets}
        self._finished = deque(ticket.order.id for ticket in tickets if ticket.is_final)
        self._waiting = {}
        for ticket in tickets:
            if not ticket.is_final:
                self.wait(ticket)
