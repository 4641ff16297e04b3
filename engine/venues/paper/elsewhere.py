"""Trades on the paper account that no engine ordered: what a person does at a broker's own screen.

For drills only, and off unless the configuration says otherwise. The book takes them like any
trade; the engine hears of nothing and has to find out by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engine.domain.event import OrderFilled
from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, OrderType, Side
from engine.venues.paper.book import Book
from engine.venues.paper.matching import fee_of
from engine.venues.paper.prices import Prices
from engine.venues.paper.register import Register
from engine.venues.paper.settings import PaperSettings

PREFIX: Final = "elsewhere"
_NETTING: Final = ExitReason(ExitKind.MANUAL, "elsewhere")
"""Marks an order that closes what stands on the other side before it opens anything."""


class Elsewhere:
    """Another hand on a paper venue's account."""

    def __init__(
        self,
        settings: PaperSettings,
        book: Book,
        prices: Prices,
        orders: Register,
        now: Callable[[], Nanos],
    ) -> None:
        self._settings, self._book, self._prices = settings, book, prices
        self._orders, self._now = orders, now
        self._count = 0

    def trade(
        self, instrument: Instrument, side: Side, qty: Qty, *, is_told: bool = True
    ) -> Fill | None:
        """Trade at the market; None: there is no fresh price. `is_told` False: the venue keeps
        the execution to itself, as one does whose history is cut.
        """
        order = self._order(instrument.id, side, qty)
        price = self._prices.at_once(order, self._now())
        if price is None:
            return None
        fee = fee_of(order, instrument.notional(price, qty), self._settings.fees, ZERO)
        money = Money(fee, instrument.currency)
        fill = Fill(FillId(f"{order.id}-f1"), order.id, price, qty, money, self._now())
        self._book.apply(order, fill, instrument)
        if is_told:
            ticket = self._orders.add(order, instrument)
            ticket.reports.append(OrderFilled(fill))
            ticket.remaining = ZERO
            self._orders.finish(ticket)
        return fill

    def net(self, instrument: InstrumentId) -> Decimal:
        """Return the account's signed open quantity."""
        return self._book.net().get(instrument, ZERO)

    def rest(self, instrument: Instrument, side: Side, qty: Qty, price: Price) -> Order:
        """Put a limit order into the book that waits for `price`."""
        order = self._order(instrument.id, side, qty, price)
        self._orders.wait(self._orders.add(order, instrument))
        return order

    def _order(
        self, instrument: InstrumentId, side: Side, qty: Qty, price: Price | None = None
    ) -> Order:
        self._count += 1
        id_ = OrderId(f"{PREFIX}-{self._now()}-{self._count}")
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        return Order(id_, instrument, side, qty, PositionId(id_), kind, price, _NETTING)
