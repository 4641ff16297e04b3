"""Journals that also ask, answer, withdraw, and adopt what the venue executed without us."""

from __future__ import annotations

from decimal import Decimal

from engine.domain import event as ev
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.ids import DecisionId, FillId, OrderId, PositionId
from engine.domain.money import Money, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, Side
from tests.histories import COIN, INR, PUT, USD, History

_AT_VENUE = ExitReason(ExitKind.RECONCILED, "closed_at_venue")


class DecidedHistory(History):
    """As `History`; a sixth of its steps are about decisions or adoptions."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._steps = (*self._steps, (self.ask, 6), (self.decide, 6), (self.adopt, 8))

    def ask(self) -> None:
        matter = self.random.choice((Matter.GONE, Matter.STRAY_ORDER, Matter.GAP))
        choices = (Choice.ESTIMATE, Choice.CANCEL, Choice.LEAVE)
        id_ = DecisionId(f"{matter.value}:{self.seq}")
        if self.state.decisions and self.random.random() < 0.2:
            id_ = next(iter(self.state.decisions))  # asked again
        text = f"{PUT}: 75 here,\n\x1b[2J nothing <b>there</b>"
        due = self.at if self.random.random() < 0.5 else None
        decision = Decision(
            id_, matter, "s1-3", text, choices, Choice.LEAVE, self.at, PUT, due_at=due
        )
        self.add(ev.DecisionAsked(decision))

    def decide(self) -> None:
        known = [*self.state.decisions, *self.state.answers]
        if not known:
            return
        id_ = self.random.choice(known)
        if id_ in self.state.decisions and self.random.random() < 0.6:
            choice = self.random.choice(self.state.decisions[id_].choices)
            self.add(ev.DecisionTaken(id_, choice, "console", "=looked"))
        else:
            self.add(ev.DecisionWithdrawn(id_, "they agree again"))

    def adopt(self) -> None:
        """Add an order that the venue executed without us, with its fill."""
        if self.state.session is None:
            return
        busy = {working.order.position for working in self.state.orders.values()}
        held = [position for id_, position in self.state.positions.items() if id_ not in busy]
        key = OrderId(f"a-{self.seq}")
        if held and self.random.random() < 0.6:
            position = self.random.choice(held)
            side, qty = position.side.opposite, position.qty
            order = Order(key, position.instrument, side, qty, position.id, exit=_AT_VENUE)
        else:
            instrument = self.random.choice((PUT, COIN))
            side = self.random.choice((Side.BUY, Side.SELL))
            order = Order(key, instrument, side, Qty(Decimal(75)), PositionId(key))
        self.add(ev.OrderAdopted(order, f"hand-{self.seq}"))
        currency = INR if order.instrument == PUT else USD
        fee = Money(Decimal("0.20"), currency)
        fill = Fill(FillId(f"v{self.seq}"), key, self.price(), order.qty, fee, self.at)
        self.add(ev.OrderFilled(fill))
