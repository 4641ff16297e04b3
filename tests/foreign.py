"""Trades at the venue that the engine never ordered, and the venue's word for them."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.ids import FillId, InstrumentId, Nanos, OrderId
from engine.domain.money import Money, price, qty
from engine.domain.order import Fill, Side
from engine.domain.truth import Execution
from tests.builders import CATALOG, NIFTY


def traded(
    id_: str,
    side: Side,
    size: str,
    at: str,
    instrument: InstrumentId = NIFTY,
    fee: str = "0",
    order: str = "hand",
) -> Execution:
    """Return an execution of somebody else's order."""
    money = Money(Decimal(fee), CATALOG[instrument].currency)
    fill = Fill(FillId(id_), OrderId(order), price(at), qty(size), money, Nanos(9))
    return Execution(fill, instrument, side)


def sold(id_: str, size: str, at: str, fee: str = "0") -> Execution:
    return traded(id_, Side.SELL, size, at, fee=fee)


def bought(id_: str, size: str, at: str, fee: str = "0") -> Execution:
    return traded(id_, Side.BUY, size, at, fee=fee)
