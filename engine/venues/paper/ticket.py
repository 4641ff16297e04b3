"""What the paper venue knows of one order, and its form in the saved book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.domain.event import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected
from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Currency, Money, Price, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, OrderType, Side
from engine.ports.venue import VenueReport
from engine.venues.terms import instrument_data, instrument_from


@dataclass(slots=True)
class Ticket:
    """An order at the venue; what it said of it so far is `reports`."""

    order: Order
    instrument: Instrument
    remaining: Decimal
    charged: Decimal = ZERO
    """Fees so far, for the per-order cap."""
    reports: list[VenueReport] = field(default_factory=list)
    is_final: bool = False

    @property
    def fills(self) -> int:
        return sum(isinstance(report, OrderFilled) for report in self.reports)


def ticket_data(ticket: Ticket) -> dict[str, Any]:
    """Return `ticket` as JSON data."""
    order = ticket.order
    return {
        "id": order.id,
        "instrument": instrument_data(ticket.instrument),
        "side": order.side.value,
        "qty": str(order.qty),
        "position": order.position,
        "type": order.type.value,
        "price": str(order.price) if order.price is not None else None,
        "exit": order.exit.code if order.exit else None,
        "remaining": str(ticket.remaining),
        "charged": str(ticket.charged),
        "is_final": ticket.is_final,
        "reports": [_report_data(report) for report in ticket.reports],
    }


def ticket_of(data: Mapping[str, Any]) -> Ticket:
    """Return the ticket that `ticket_data` wrote; raise KeyError or ValueError if it is none."""
    instrument = instrument_from(data["instrument"], "saved paper book")
    price, code = data["price"], data["exit"]
    order = Order(
        OrderId(data["id"]),
        InstrumentId(instrument.id),
        Side(data["side"]),
        Qty(Decimal(data["qty"])),
        PositionId(data["position"]),
        OrderType(data["type"]),
        Price(Decimal(price)) if price is not None else None,
        # The venue needs to know that it is an exit; why is in the engine's journal.
        ExitReason(ExitKind.RECONCILED, code) if code is not None else None,
    )
    reports = [_report_of(order, entry) for entry in data["reports"]]
    return Ticket(
        order,
        instrument,
        Decimal(data["remaining"]),
        Decimal(data["charged"]),
        reports,
        data["is_final"],
    )


def _report_data(report: VenueReport) -> dict[str, Any]:
    if isinstance(report, OrderFilled):
        fill = report.fill
        return {
            "is": "filled",
            "id": fill.id,
            "price": str(fill.price),
            "qty": str(fill.qty),
            "fee": [str(fill.fee.amount), fill.fee.currency],
            "at": fill.at,
            "oi": str(report.oi) if report.oi is not None else None,
        }
    if isinstance(report, OrderRejected):
        return {"is": "rejected", "reason": report.reason, "text": report.text}
    if isinstance(report, OrderCancelled):
        return {"is": "cancelled", "reason": report.reason}
    return {"is": "accepted"}


def _report_of(order: Order, data: Mapping[str, Any]) -> VenueReport:
    what = data["is"]
    if what == "accepted":
        return accepted(order)
    if what == "rejected":
        return OrderRejected(order.id, data["reason"], data["text"])
    if what == "cancelled":
        return OrderCancelled(order.id, data["reason"])
    amount, currency = data["fee"]
    fill = Fill(
        FillId(data["id"]),
        order.id,
        Price(Decimal(data["price"])),
        Qty(Decimal(data["qty"])),
        Money(Decimal(amount), Currency(currency)),
        Nanos(data["at"]),
    )
    oi = data["oi"]
    return OrderFilled(fill, Decimal(oi) if oi is not None else None)


def accepted(order: Order) -> OrderAccepted:
    """Return the venue's word that it has `order`."""
    return OrderAccepted(order.id, f"paper:{order.id}")
