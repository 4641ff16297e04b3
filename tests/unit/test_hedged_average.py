"""A venue that nets tells one average price; long and short here have no price that follows."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.command import Decide
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.event import CommandRefused, DecisionAsked
from engine.domain.ids import CommandId, DecisionId
from engine.domain.money import ZERO
from engine.domain.order import Side
from tests.builders import BTC, SECOND, Desk, tick


def test_no_price_is_made_of_an_average_where_long_and_short_are_open() -> None:
    desk = Desk().start()
    desk.tick(tick("60000", SECOND, BTC))
    desk.open("long", BTC, Side.BUY, "0.3")
    desk.open("short", BTC, Side.SELL, "0.3")
    asked = Decision(
        DecisionId("q"),
        Matter.UNKNOWN_HERE,
        "no trade",
        "1 long at the venue",
        (Choice.ADOPT, Choice.CLOSE, Choice.LEAVE),
        Choice.LEAVE,
        desk.now,
        instrument=BTC,
        here=ZERO,
        there=Decimal(1),
        average=Decimal(60_000),
    )
    desk.give(DecisionAsked(asked))
    before = desk.state.positions
    desk.give(Decide(CommandId("c"), asked.id, Choice.ADOPT, "alice"))
    refused = desk.events[-1]
    assert isinstance(refused, CommandRefused)
    assert "hedged" in refused.reason
    assert desk.state.positions == before
    assert asked.id in desk.state.decisions
