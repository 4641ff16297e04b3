"""The prices that the paper venue has seen, and what they fill."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.domain.gap import GAP_SOURCE
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import ZERO, Price, rounded_down
from engine.domain.order import Order, OrderType, Side
from engine.venues.paper.matching import is_fresh, shown_size, touch
from engine.venues.paper.ticket import Ticket

BAR_SOURCE: Final = "bar"
"""`Order.reference_source` of a decision inside a bar: the reference is the execution price."""
PRICED: Final = frozenset({BAR_SOURCE, GAP_SOURCE})
"""Sources of references that are execution prices."""


class Prices:
    """The newest tick of each instrument, and how much of its size is used up."""

    def __init__(self, age_max_s: int) -> None:
        self._age_max = age_max_s * SECOND
        self._ticks: dict[InstrumentId, Tick] = {}
        self._oi: dict[InstrumentId, Decimal] = {}
        self._taken: dict[tuple[InstrumentId, Side], Decimal] = {}

    def enter(self, tick: Tick) -> None:
        """Take the new price of an instrument; the size it shows is untouched yet."""
        self._ticks[tick.instrument] = tick
        if tick.oi is not None:
            self._oi[tick.instrument] = tick.oi
        if self._taken:
            self._taken.pop((tick.instrument, Side.BUY), None)
            self._taken.pop((tick.instrument, Side.SELL), None)

    def open_interest(self, instrument: InstrumentId) -> Decimal | None:
        return self._oi.get(instrument)

    def last(self, instrument: InstrumentId) -> Price | None:
        """Return the last trade, however old; for estimates, never for a fill."""
        tick = self._ticks.get(instrument)
        return tick.price if tick else None

    def is_fresh(self, tick: Tick, now: Nanos) -> bool:
        return is_fresh(tick, now, self._age_max)

    def at_once(self, order: Order, now: Nanos) -> Price | None:
        """Return what fills a market order now; None: it has to wait for a tick."""
        if order.type is not OrderType.MARKET:
            return None
        if order.reference_source in PRICED and order.reference is not None:
            return order.reference
        tick = self._ticks.get(order.instrument)
        return touch(order.side, tick) if tick is not None and self.is_fresh(tick, now) else None

    def take(self, ticket: Ticket) -> Decimal:
        """Return how much of what remains the shown size fills (whole lots), and use it up."""
        order = ticket.order
        tick = self._ticks.get(order.instrument)
        shown = shown_size(order.side, tick) if tick else None
        if shown is None or order.reference_source in PRICED:
            return ticket.remaining
        key = (order.instrument, order.side)
        used = self._taken.get(key, ZERO)
        left = max(ZERO, shown - used)
        lots = rounded_down(left, ticket.instrument.lot_size)
        qty = ticket.remaining if ticket.remaining <= left else lots
        self._taken[key] = used + qty
        return qty
