"""Where orders are executed, and where prices come from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from typing import Protocol, TypeAlias, runtime_checkable

from engine.domain.ids import InstrumentId, Nanos, OrderId
from engine.domain.inputs import VenueReport
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.order import Order
from engine.domain.truth import VenueTruth


class Venue(Protocol):
    """Executes orders. Submitting the same order id twice executes it once.

    Everything that becomes of an order, now or later, is told to `report` (set by the executor).
    """

    report: Callable[[VenueReport], None]

    async def submit(self, order: Order, instrument: Instrument) -> None:
        """Send `order`. Its outcome arrives by `report`; raising means the outcome is unknown."""

    async def cancel(self, order: OrderId) -> None:
        """Ask to cancel what is left of `order`; the outcome arrives by `report`."""

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        """Return everything the venue knows of an order; None: it never saw it. Repeats all
        fills so far (they are deduplicated by fill id).
        """


class Accountant(Protocol):
    """Says what the account holds, so that it can be held against the journal (E-40)."""

    async def account_truth(self, since: Nanos) -> VenueTruth:
        """Return positions, working orders and the fills from `since` on, as of one instant.

        Raises if any part is missing or incomplete: an empty answer means that there is nothing.
        """


class MatchingVenue(Venue, Protocol):
    """A venue that lives in this process and matches against the ticks it is shown."""

    def on_tick(self, tick: Tick) -> None:
        """Take a price before the rules judge it; waiting orders fill now."""

    def place(self, order: Order, instrument: Instrument) -> None:
        """Submit without waiting: the outcome is reported before this returns, or later."""

    def withdraw(self, order: OrderId) -> None:
        """Cancel without waiting."""


__all__ = [
    "Accountant",
    "Feed",
    "FeedItem",
    "GapUnknown",
    "History",
    "MatchingVenue",
    "Venue",
    "VenueReport",
]

FeedItem: TypeAlias = Tick | Bar


class Feed(Protocol):
    """A source of prices."""

    name: str

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        """Return the terms of everything it can price."""

    def items(self) -> AsyncIterator[list[FeedItem]]:
        """Yield batches in time order until the feed ends; each item already validated."""


class GapUnknown(Exception):
    """Nobody can say what the market did then; the text says why. Never means: nothing."""


@runtime_checkable
class History(Protocol):
    """Says what a market did while nobody listened (E-63)."""

    def between(
        self, since: Nanos, until: Nanos, instruments: Collection[InstrumentId]
    ) -> AsyncIterator[list[FeedItem]]:
        """Yield what happened after `since` and up to `until`, in time order.

        Raises GapUnknown if any part of it is missing.
        """
