"""A paper venue with a clock and ears, for tests that trade on it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.event import OrderFilled, OrderRejected
from engine.domain.ids import Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import price, qty
from engine.domain.order import ExitKind, ExitReason, Order, Side
from engine.ports.venue import VenueReport
from engine.runtime.clock import ManualClock
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import INR, NIFTY, PUT_25900, SECOND

CASH = PaperSettings(cash={INR: Decimal(100_000)})
STOP_LOSS = ExitReason(ExitKind.RULE, "stop_loss_hit")
INSIDE = Nanos(1_769_745_000_000_000_000)
"""2026-01-30 09:20 in Kolkata."""
INDIAN = replace(PUT_25900, time_zone="Asia/Kolkata", session_open="09:15", session_close="15:30")


class Floor:
    """A paper venue, its clock, and everything that it reported."""

    def __init__(self, settings: PaperSettings = CASH, instrument: Instrument = INDIAN) -> None:
        self.clock = ManualClock(INSIDE)
        self.instrument = instrument
        self.venue = PaperVenue(self.clock, settings)
        self.said: list[VenueReport] = []
        self.venue.report = self.said.append

    def tick(self, last: str, after: float = 0, **quote: str) -> None:
        self.clock.set(Nanos(self.clock.now() + int(after * SECOND)))
        numbers = {name: Decimal(text) for name, text in quote.items()}
        tick = replace(Tick(NIFTY, price(last), self.clock.now()), **numbers)  # type: ignore[arg-type]
        self.venue.on_tick(tick)

    def place(self, order: Order) -> list[VenueReport]:
        """Send `order` and return what was said at once."""
        before = len(self.said)
        self.venue.place(order, self.instrument)
        return self.said[before:]

    @property
    def fills(self) -> list[tuple[str, str, str]]:
        """(fill id, price, quantity) of all fills so far."""
        found = [report.fill for report in self.said if isinstance(report, OrderFilled)]
        return [(fill.id, str(fill.price), str(fill.qty)) for fill in found]

    @property
    def cash(self) -> Decimal:
        return self.venue.account()[self.instrument.currency]


def entry(id_: str = "o1", size: str = "75", side: Side = Side.BUY) -> Order:
    return Order(OrderId(id_), NIFTY, side, qty(size), PositionId("p1"))


def closing(id_: str = "x1", size: str = "75", side: Side = Side.SELL) -> Order:
    return replace(entry(id_, size, side), exit=STOP_LOSS)


def rejected(said: list[VenueReport]) -> str:
    (report,) = said
    assert isinstance(report, OrderRejected)
    assert report.text
    return report.reason
