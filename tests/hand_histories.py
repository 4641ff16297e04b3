"""Journals in which a person closes, trims and moves stops, and shadows live and end."""

from __future__ import annotations

from decimal import Decimal

from engine.domain import event as ev
from engine.domain.event import Levels
from engine.domain.ids import CommandId, Nanos, OrderId
from engine.domain.money import Qty
from engine.domain.order import ExitKind, ExitReason, Order
from engine.domain.risk import LatchCause
from tests.histories import PUT, History

END = ExitReason(
    ExitKind.RULE, "trailing_stop_hit", "trailing", ("vwap_stop_hit",), Decimal("30.1")
)


class HandHistory(History):
    """Adds a person's hands to the steps of a history."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._steps = (
            *self._steps,
            (self.exit_by_hand, 15),
            (self.restop, 8),
            (self.end_a_shadow, 12),
            (self.end_it_earlier, 4),
            (self.mark, 6),
            (self.lose_the_feed, 2),
        )

    def exit_by_hand(self) -> None:
        busy = {w.order.position for w in self.state.orders.values()}
        free = [p for p in self.state.positions.values() if p.id not in busy]
        if not free or self.state.session is None:
            return
        position = self.random.choice(free)
        part = self.random.random() < 0.4
        qty = Qty(position.qty / 2) if part else position.qty
        if self.random.random() < 0.2:
            self.add(ev.FlattenLatched(LatchCause.OPERATOR, "news", "cli", CommandId("f")))
        order = Order(
            OrderId(f"{self.state.session.id}-{self.seq}"),
            position.instrument,
            position.side.opposite,
            qty,
            position.id,
            exit=ExitReason(ExitKind.MANUAL, "manual", note="=1+1", by="console"),
        )
        self.add(ev.OrderRequested(order, CommandId(f"c{self.seq}")))

    def fill_all(self) -> None:
        while self.state.orders:
            self.fill(next(iter(self.state.orders.values())), in_parts=False)

    def restop(self) -> None:
        if self.state.positions:
            key = self.random.choice(list(self.state.positions))
            held = self.state.positions[key]
            before = Levels(held.stop_loss, held.take_profit)
            command = CommandId(f"c{self.seq}")
            self.add(ev.StopChanged(key, self.price(), None, command, "console", before))

    def end_a_shadow(self) -> None:
        watched = [s for s in self.state.shadows.values() if s.ending is None]
        if not watched:
            return
        shadow = self.random.choice(watched)
        if self.random.random() < 0.2:
            self.add(ev.ShadowEnded(shadow.id, END, None, None, why="the last price was old"))
            return
        at = self.price()
        pnl = shadow.position.pnl(at, self.state.instruments[shadow.position.instrument])
        self.add(ev.ShadowEnded(shadow.id, END, at, self.at, pnl))

    def end_it_earlier(self) -> None:
        """As looking back at a gap does."""
        known = (*self.state.shadows.values(), *self.state.interventions)
        over = [s for s in known if s.ending is not None]
        if not over:
            return
        shadow = self.random.choice(over)
        assert shadow.ending is not None
        fired = Nanos(shadow.ending.at - 7)
        at = self.price()
        pnl = shadow.position.pnl(at, self.state.instruments[shadow.position.instrument])
        self.add(ev.ShadowEnded(shadow.id, END, at, fired, pnl, fired_at=fired))

    def mark(self) -> None:
        if PUT in self.state.extremes:
            mark = ev.Mark(PUT, self.price(), self.at, Decimal(10), Decimal(2), Nanos(0))
            self.add(ev.QuotesMarked((mark,)))

    def lose_the_feed(self) -> None:
        self.add(ev.FeedChanged("sim", self.random.random() < 0.5, "silent"))
