"""What a new process still knows of the fills before it: enough to teach a paper venue its book."""

from __future__ import annotations

from decimal import Decimal

from engine.bootstrap.opening import past_of
from engine.domain.event import (
    Event,
    InstrumentListed,
    OrderFilled,
    OrderRequested,
    SessionEnded,
)
from engine.domain.ids import FillId, Nanos, OrderId, PositionId, SessionId
from engine.domain.money import ZERO, Money, price, qty
from engine.domain.order import Fill, Order, Side
from engine.domain.session import SessionStatus
from engine.domain.state import State
from engine.store.memory import MemoryJournal
from tests.builders import INR, NIFTY, PUT_25900, entries, session


async def test_an_instrument_that_an_earlier_session_listed_is_known_to_the_fills_of_a_later() -> (
    None
):
    order = Order(OrderId("s2-5"), NIFTY, Side.BUY, qty("75"), PositionId("s2-5"))
    fill = Fill(FillId("f1"), order.id, price("100"), qty("75"), Money(ZERO, INR), Nanos(9))
    said: tuple[Event, ...] = (
        session(),
        InstrumentListed(PUT_25900),
        SessionEnded(SessionId("s1"), SessionStatus.COMPLETED, "test"),
        session(cash="99000"),  # nothing is carried over, and the terms are not journaled again
        OrderRequested(order),
        OrderFilled(fill),
    )
    journal = MemoryJournal()
    made = entries(*said)
    await journal.append(made, State(seq=made[-1].seq))
    past = await past_of(journal)
    assert past.fills == [(order, fill)]
    assert past.instruments[NIFTY] == PUT_25900
    assert past.cash[INR] == Decimal(99000)
