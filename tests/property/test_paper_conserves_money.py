"""The paper book: cash + margin tied = opening cash + realised profit - fees, whatever happens."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.event import OrderFilled
from engine.domain.ids import Nanos, OrderId, PositionId
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import EXACT, Currency, price, qty
from engine.domain.order import ExitKind, ExitReason, Order, Side
from engine.ports.venue import VenueReport
from engine.runtime.clock import ManualClock
from engine.venues.paper.settings import Fees, PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import BTC, PERPETUAL, PUT_25900

OPENING = Decimal(1_000_000)
INVERSE = Instrument(BTC, Kind.INVERSE, Currency("BTC"), multiplier=Decimal(10))
SHARE = replace(PUT_25900, lot_size=Decimal(1))
CLOSE = ExitReason(ExitKind.MANUAL, "manual")


@dataclass(frozen=True, slots=True)
class Deed:
    """Trade `lots` of position `place` at `paid`; an exit if the position is open."""

    place: int
    is_long: bool
    lots: int
    paid: int


DEEDS = st.lists(
    st.builds(Deed, st.integers(0, 2), st.booleans(), st.integers(1, 9), st.integers(1, 4000)),
    max_size=25,
)
TERMS = st.sampled_from([SHARE, PERPETUAL, INVERSE])
FEES = Fees(taker=Decimal("0.0005"), cap=Decimal(3))


class Ledger:
    """The same trades, summed independently of the book."""

    def __init__(self) -> None:
        self.fees = Decimal(0)
        self.said: list[VenueReport] = []

    def hear(self, report: VenueReport) -> None:
        self.said.append(report)
        if isinstance(report, OrderFilled):
            self.fees += report.fill.fee.amount


def play(deeds: list[Deed], terms: Instrument) -> tuple[PaperVenue, Ledger, Decimal]:
    """Return the venue, its reports, and the profit of trading at these prices.

    Runs in the engine's context, where a rounded amount raises.
    """
    with localcontext(EXACT):
        return _play(deeds, terms)


def _play(deeds: list[Deed], terms: Instrument) -> tuple[PaperVenue, Ledger, Decimal]:
    settings = PaperSettings(
        cash={terms.currency: OPENING},
        leverage=Decimal(7),
        fees=FEES,
    )
    clock, ledger = ManualClock(), Ledger()
    venue = PaperVenue(clock, settings)
    venue.report = ledger.hear
    held: dict[int, tuple[Side, Decimal]] = {}
    profit = Decimal(0)
    cost: dict[int, Decimal] = {}
    for number, deed in enumerate(deeds):
        paid = price(deed.paid) * terms.tick_size
        venue.on_tick(Tick(terms.id, price(paid), Nanos(0)))
        position = PositionId(f"p{deed.place}")
        side = Side.BUY if deed.is_long else Side.SELL
        size = deed.lots * terms.lot_size
        order = Order(OrderId(f"o{number}"), terms.id, side, qty(size), position)
        if deed.place in held:
            opened, size = held.pop(deed.place)
            order = replace(order, side=opened.opposite, qty=qty(size), exit=CLOSE)
            venue.place(order, terms)
            profit += terms.profit(opened.sign, cost[deed.place], price(paid), size)
            continue
        venue.place(order, terms)
        if isinstance(ledger.said[-1], OrderFilled):
            held[deed.place] = (side, size)
            cost[deed.place] = terms.value(price(paid), size)
    return venue, ledger, profit


@given(DEEDS, TERMS)
def test_money_is_conserved_to_the_last_unit(deeds: list[Deed], terms: Instrument) -> None:
    venue, ledger, profit = play(deeds, terms)
    lots = venue.book()["account"]["lots"].values()
    tied = sum((Decimal(lot[5]) for lot in lots), Decimal(0))
    assert venue.account()[terms.currency] + tied == OPENING + profit - ledger.fees


@given(DEEDS, TERMS)
def test_a_saved_book_goes_on_as_if_nothing_had_happened(
    deeds: list[Deed], terms: Instrument
) -> None:
    venue, _, _ = play(deeds, terms)
    saved = json.loads(json.dumps(venue.book()))
    again = PaperVenue(ManualClock(), venue.settings)
    again.restore(saved)
    assert again.account() == venue.account()
    assert again.positions() == venue.positions()
    assert again.book() == saved


@given(DEEDS, TERMS)
def test_the_venue_holds_the_sum_of_its_fills(deeds: list[Deed], terms: Instrument) -> None:
    venue, ledger, _ = play(deeds, terms)
    sides = {}
    for ticket in venue.book()["orders"]:
        sides[ticket["id"]] = 1 if ticket["side"] == "buy" else -1
    fills = [report.fill for report in ledger.said if isinstance(report, OrderFilled)]
    net = sum((sides[fill.order] * fill.qty for fill in fills), Decimal(0))
    assert venue.positions().get(terms.id, Decimal(0)) == net
