"""A venue that outlives the engine, with a ledger of its own: nothing of the paper venue in it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.event import OrderAccepted, OrderCancelled, OrderFilled, OrderRejected
from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.inputs import VenueReport
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Money, Price, Qty
from engine.domain.order import Fill, Order
from engine.domain.truth import Execution, OpenOrder, VenueTruth

FEE = Decimal("0.37")


@dataclass(slots=True)
class Slip:
    """What the venue knows of one order."""

    order: Order
    terms: Instrument
    said: list[VenueReport] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    is_final: bool = False

    @property
    def left(self) -> Decimal:
        return self.order.qty - sum((f.qty for f in self.fills), Decimal(0))


class SimVenue:
    """Fills market orders at its last price, whole or in parts; rejects some."""

    def __init__(self, rng: random.Random, now: Callable[[], Nanos]) -> None:
        self.report: Callable[[VenueReport], None] = lambda _report: None
        self._rng, self._now = rng, now
        self.prices: dict[InstrumentId, Price] = {}
        self.halted: set[InstrumentId] = set()
        self.slips: dict[OrderId, Slip] = {}
        self.net: dict[InstrumentId, Decimal] = {}
        self.held: dict[PositionId, Decimal] = {}
        """Signed quantity per position: by the position that each order names."""
        self.faults: list[str] = []
        """What an engine must never make a venue do."""
        self.turned: list[str] = []
        """Exits beyond what their position's own orders left. An engine that adopts a fill of an
        order it had given up may hold it elsewhere, so these are told, not judged."""
        self.rejects = self.parts = 0.0
        self.filled = 0

    def place(self, order: Order, instrument: Instrument) -> None:
        """Take an order; one that is known already is answered again, not executed again."""
        known = self.slips.get(order.id)
        if known is not None:
            for report in list(known.said):
                self.report(report)
            return
        self._look_for_twins(order)
        slip = self.slips[order.id] = Slip(order, instrument)
        if self._rng.random() < self.rejects:
            self._end(slip, OrderRejected(order.id, "rate_limited", "too many requests"))
            return
        self._tell(slip, OrderAccepted(order.id, f"v-{len(self.slips)}"))
        self._fill(slip)

    def withdraw(self, order: OrderId) -> None:
        """Cancel what is left of an order."""
        slip = self.slips.get(order)
        if slip is None:
            self.report(OrderCancelled(order, "not_found"))
        elif slip.is_final:
            self.report(slip.said[-1])
        else:
            self._end(slip, OrderCancelled(order, "cancelled"))

    def on_tick(self, tick: Tick) -> None:
        """Nothing: this venue has the market's own prices."""

    def trade(self, instrument: InstrumentId, price: Price) -> None:
        """Move to a price; orders that wait are filled (on)."""
        self.prices[instrument] = price
        for slip in [s for s in self.working() if s.order.instrument == instrument]:
            self._fill(slip)

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        slip = self.slips.get(order)
        return None if slip is None else tuple(slip.said)

    async def account_truth(self, since: Nanos) -> VenueTruth:
        fills = [
            Execution(fill, slip.order.instrument, slip.order.side)
            for slip in self.slips.values()
            for fill in slip.fills
            if fill.at >= since
        ]
        return VenueTruth(
            self._now(),
            {i: qty for i, qty in self.net.items() if qty},
            tuple(
                OpenOrder(s.order.id, s.order.instrument, s.order.side, s.left)
                for s in self.working()
            ),
            tuple(sorted(fills, key=lambda execution: execution.fill.at)),
        )

    def working(self) -> list[Slip]:
        return [slip for slip in self.slips.values() if not slip.is_final]

    def forget(self, keep: set[str]) -> None:
        """Forget final orders of positions that are not in `keep`."""
        for id_, slip in list(self.slips.items()):
            if slip.is_final and slip.order.position not in keep:
                del self.slips[id_]
        self.held = {id_: qty for id_, qty in self.held.items() if qty or id_ in keep}

    def _look_for_twins(self, order: Order) -> None:
        for slip in self.working():
            if slip.order.position == order.position and order.exit and slip.order.exit:
                self.faults.append(f"exit {order.id} beside {slip.order.id} of {order.position}")

    def _fill(self, slip: Slip) -> None:
        order = slip.order
        price = self.prices.get(order.instrument)
        if price is None or order.instrument in self.halted:
            return
        qty = slip.left
        if qty > slip.terms.lot_size and self._rng.random() < self.parts:
            qty = slip.terms.lot_size
        elif self._rng.random() < self.parts / 2:
            return  # nobody on the other side just now
        id_ = FillId(f"v{order.id}/{len(slip.fills) + 1}")
        money = Money(FEE, slip.terms.currency)
        fill = Fill(id_, order.id, price, Qty(qty), money, self._now())
        slip.fills.append(fill)
        self._book(order, qty)
        self._tell(slip, OrderFilled(fill))
        if not slip.left:
            slip.is_final = True

    def _book(self, order: Order, qty: Decimal) -> None:
        self.filled += 1
        signed = order.side.sign * qty
        self.net[order.instrument] = self.net.get(order.instrument, Decimal(0)) + signed
        before = self.held.get(order.position, Decimal(0))
        after = self.held[order.position] = before + signed
        if order.exit is not None and abs(after) > abs(before) - qty:
            self.turned.append(f"exit {order.id} took {order.position} from {before} to {after}")

    def _end(self, slip: Slip, report: VenueReport) -> None:
        slip.is_final = True
        self._tell(slip, report)

    def _tell(self, slip: Slip, report: VenueReport) -> None:
        slip.said.append(report)
        self.report(report)
