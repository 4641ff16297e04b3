"""The paper venue: takes orders, watches ticks, fills, and tells what became of each order.

Prices come by `on_tick`, called for every tick before the rules' orders of that tick arrive, so a
market order fills at the price that its decision saw. A price that is too old fills nothing: the
order waits for the instrument's next tick. All calls are synchronous underneath; the port's
coroutines exist because real venues need them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from engine.domain.calendar import is_open
from engine.domain.event import OrderCancelled, OrderFilled, OrderRejected
from engine.domain.gap import GAP_SOURCE
from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Currency, Money, Price, Qty
from engine.domain.order import Fill, Order
from engine.domain.position import Position
from engine.domain.truth import VenueTruth
from engine.ports.clock import Clock
from engine.ports.venue import VenueReport
from engine.venues.paper.admission import Admission
from engine.venues.paper.book import Book
from engine.venues.paper.elsewhere import Elsewhere
from engine.venues.paper.matching import Fault, fee_of, resting_price, slipped
from engine.venues.paper.prices import Prices
from engine.venues.paper.register import Register
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.ticket import Ticket, accepted

_VERSION: Final = 1


def _unheard(report: VenueReport) -> None:
    """Stand in until the executor sets `report`; `look_up` still tells."""


def _moment(order: Order, now: Nanos) -> Nanos:
    """Return when an execution takes place: now, or in a gap, where it is booked."""
    if order.reference_source == GAP_SOURCE and order.reference_at is not None:
        return order.reference_at
    return now


class PaperVenue:
    """Implements engine.ports.venue.Venue and Accountant on paper."""

    name = "paper"

    def __init__(
        self,
        clock: Clock,
        settings: PaperSettings,
        listed: Mapping[InstrumentId, Instrument] | None = None,
    ) -> None:
        """`listed`: what may be traded here; None: whatever an order brings its terms for."""
        self.report: Callable[[VenueReport], None] = _unheard
        self.settings = settings
        self._clock = clock
        self._book = Book(settings.cash, settings.leverage)
        self._prices = Prices(settings.price_age_max_s)
        self._orders = Register()
        self._admission = Admission(settings, self._book, self._prices, listed)
        self.elsewhere = Elsewhere(settings, self._book, self._prices, self._orders, clock.now)
        """Another hand on the account, for drills."""

    async def submit(self, order: Order, instrument: Instrument) -> None:
        self.place(order, instrument)

    async def cancel(self, order: OrderId) -> None:
        self.withdraw(order)

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        ticket = self._orders.get(order)
        return tuple(ticket.reports) if ticket else None

    def place(self, order: Order, instrument: Instrument) -> None:
        """Take `order`; fill or reject it now, or let it wait. A known id repeats what was said.

        An order filled whole at once is reported as filled, without a word of acceptance before.
        """
        known = self._orders.get(order.id)
        if known is not None:
            for report in tuple(known.reports):
                self.report(report)
            return
        now = self._clock.now()
        ticket = self._orders.add(order, instrument)
        refusal = self._admission.refusal(order, instrument, now)
        if refusal is not None:
            self._reject(ticket, *refusal)
            return
        price = self._prices.at_once(order, now)
        if price is not None:
            self._execute(ticket, price)
        if not ticket.is_final:
            self._orders.wait(ticket)
            if not ticket.reports:
                self._tell(ticket, accepted(order))

    def withdraw(self, order: OrderId) -> None:
        """Cancel what is left of `order`; what is final already stays as it is."""
        ticket = self._orders.get(order)
        if ticket is None:
            self.report(OrderCancelled(order, "not_found"))
        elif ticket.is_final:
            self.report(ticket.reports[-1])
        else:
            self._finish(ticket, OrderCancelled(order, "cancelled"))

    def on_tick(self, tick: Tick) -> None:
        """Take the new price of an instrument and fill the orders that waited for it."""
        self._prices.enter(tick)
        waiting = self._orders.waiting(tick.instrument)
        if not waiting or not self._prices.is_fresh(tick, self._clock.now()):
            return
        for ticket in waiting:
            # What is told of one fill may have cancelled another order meanwhile.
            if ticket.is_final:
                continue
            order = ticket.order
            if order.exit is None and not is_open(tick.at, ticket.instrument):
                self._finish(ticket, OrderCancelled(order.id, Fault.MARKET_CLOSED.value))
                continue
            price = resting_price(order, tick)
            if price is not None:
                self._execute(ticket, price)

    def account(self) -> dict[Currency, Decimal]:
        """Return free cash per currency."""
        return dict(self._book.cash)

    def positions(self) -> dict[InstrumentId, Decimal]:
        """Return the signed open quantity per instrument."""
        return self._book.net()

    def open_orders(self) -> tuple[Order, ...]:
        """Return the orders that wait, with what is left of each."""
        return tuple(
            replace(ticket.order, qty=Qty(ticket.remaining)) for ticket in self._orders.open()
        )

    async def account_truth(self, since: Nanos) -> VenueTruth:
        """Return what the book says, as a real venue would be asked for it."""
        return VenueTruth(
            self._clock.now(),
            self._book.net(),
            self._orders.open_orders(),
            self._orders.executions(since),
            self._book.averages(),
        )

    def hold(self, position: Position) -> None:
        """Take over a position that was open when this book's opening cash was counted."""
        self._book.hold(position)

    def learn(self, order: Order, fill: Fill, instrument: Instrument) -> None:
        """Enter a fill that the journal knows and this book may not; each acts once.

        From then on `look_up` knows the order. What is left of it is not worked on: whether it
        was cancelled since, only the caller knows; it may cancel it or send another order.
        """
        ticket = self._orders.get(order.id) or self._orders.add(order, instrument)
        report = OrderFilled(fill, self._prices.open_interest(order.instrument))
        if any(isinstance(known, OrderFilled) and known.fill == fill for known in ticket.reports):
            return
        self._book.apply(order, fill, instrument)
        ticket.reports.append(report)
        ticket.remaining -= fill.qty
        ticket.charged += fill.fee.amount
        if ticket.remaining <= 0:
            self._orders.finish(ticket)

    def stand(self, order: Order, instrument: Instrument) -> None:
        """Let what is left of an order that this venue had accepted wait for its price again."""
        ticket = self._orders.get(order.id) or self._orders.add(order, instrument)
        if ticket.is_final or ticket in self._orders.open():
            return
        if not ticket.reports:
            ticket.reports.append(accepted(order))
        self._orders.wait(ticket)

    def book(self) -> dict[str, Any]:
        """Return everything that must survive a restart, as JSON data."""
        return {
            "version": _VERSION,
            "account": self._book.data(),
            "orders": self._orders.data(),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over what `book` returned in an earlier life; raise ValueError if it is none."""
        try:
            if data["version"] != _VERSION:
                raise ValueError(f"version was {data['version']}, allowed: {_VERSION}")
            self._book.load(data["account"])
            self._orders.load(data["orders"])
        except (KeyError, TypeError, ArithmeticError, AttributeError) as failure:
            raise ValueError(f"not a saved paper book: {failure!r}") from failure

    def _execute(self, ticket: Ticket, found: Price) -> None:
        """Fill as much of `ticket` as the tick has size for, at `found` worsened by slippage."""
        order, instrument, settings = ticket.order, ticket.instrument, self.settings
        qty = self._prices.take(ticket) if settings.is_partial else ticket.remaining
        if qty <= 0:
            return
        price = slipped(order, found, instrument, settings)
        fee = fee_of(order, instrument.notional(price, qty), settings.fees, ticket.charged)
        if order.exit is None and not self._book.is_affordable(instrument, price, qty, fee):
            # The price moved while the order waited.
            self._reject(ticket, Fault.INSUFFICIENT_FUNDS, f"{qty} at {price} cannot be paid")
            return
        fill = Fill(
            FillId(f"{order.id}-f{ticket.fills + 1}"),
            order.id,
            price,
            Qty(qty),
            Money(fee, instrument.currency),
            _moment(order, self._clock.now()),
        )
        ticket.remaining -= qty
        ticket.charged += fee
        self._book.apply(order, fill, instrument)
        report = OrderFilled(fill, self._prices.open_interest(order.instrument))
        if ticket.remaining == 0:
            self._finish(ticket, report)
            return
        if not ticket.reports:
            self._tell(ticket, accepted(order))
        self._tell(ticket, report)

    def _reject(self, ticket: Ticket, fault: Fault, text: str) -> None:
        self._finish(ticket, OrderRejected(ticket.order.id, fault.value, text))

    def _finish(self, ticket: Ticket, report: VenueReport) -> None:
        self._orders.finish(ticket)
        self._tell(ticket, report)

    def _tell(self, ticket: Ticket, report: VenueReport) -> None:
        ticket.reports.append(report)
        self.report(report)
