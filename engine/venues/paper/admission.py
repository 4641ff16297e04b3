"""Whether the paper venue takes an order at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TypeAlias

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO
from engine.domain.order import Order
from engine.venues.paper.book import Book
from engine.venues.paper.matching import Fault, fault_of, fee_of, slipped
from engine.venues.paper.prices import Prices
from engine.venues.paper.settings import PaperSettings

Refusal: TypeAlias = tuple[Fault, str]


class Admission:
    """Judges an order's rate, terms and funds, in this order, as a venue's front door does."""

    def __init__(
        self,
        settings: PaperSettings,
        book: Book,
        prices: Prices,
        listed: Mapping[InstrumentId, Instrument] | None,
    ) -> None:
        self._settings = settings
        self._book = book
        self._prices = prices
        self._listed = listed
        self._arrivals: deque[Nanos] = deque()

    def refusal(self, order: Order, instrument: Instrument, now: Nanos) -> Refusal | None:
        """Return why `order` is not taken, with a sentence; None: it is."""
        if self._is_too_fast(now):
            limit = self._settings.orders_per_second
            return Fault.RATE_LIMITED, f"more than {limit} orders within a second"
        is_listed = self._listed is None or order.instrument in self._listed
        if not is_listed or instrument.id != order.instrument:
            return Fault.UNKNOWN_INSTRUMENT, f"{order.instrument} is not listed here"
        held = ZERO if order.exit is None else self._book.open_of(order)
        fault = fault_of(order, instrument, held, now)
        if fault is not None or order.exit is not None:
            return fault
        return self._unpaid(order, instrument, now)

    def _unpaid(self, order: Order, instrument: Instrument, now: Nanos) -> Refusal | None:
        """Judge an entry by the price it will pay, as far as that is known now."""
        price = (
            order.price
            or self._prices.at_once(order, now)
            or self._prices.last(order.instrument)
            or order.reference
        )
        if price is None:
            return None
        paid = slipped(order, price, instrument, self._settings)
        fee = fee_of(order, instrument.notional(paid, order.qty), self._settings.fees, ZERO)
        if self._book.is_affordable(instrument, paid, order.qty, fee):
            return None
        free = self._book.cash.get(instrument.currency, ZERO)
        text = f"{order.qty} at {paid} needs more than the free {free} {instrument.currency}"
        return Fault.INSUFFICIENT_FUNDS, text

    def _is_too_fast(self, now: Nanos) -> bool:
        limit = self._settings.orders_per_second
        if not limit:
            return False
        while self._arrivals and now - self._arrivals[0] >= SECOND:
            self._arrivals.popleft()
        if len(self._arrivals) >= limit:
            return True
        self._arrivals.append(now)
        return False
