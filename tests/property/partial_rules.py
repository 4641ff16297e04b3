"""A story of the state machine: an entry is filled in part, and its position is closed meanwhile.

However the venue orders its answers, the position ends flat and the entry's rest is called off.
"""

from __future__ import annotations

from hypothesis import strategies as st

from engine.domain.command import ClosePosition, Flatten, LiftLatch, SubmitSignal
from engine.domain.event import CancelRequested
from engine.domain.money import Qty
from engine.domain.order import Order, Side
from engine.domain.risk import LatchCause
from tests.builders import CATALOG, NIFTY, signal
from tests.property.foreign_rules import ForeignHand

LOT = CATALOG[NIFTY].lot_size


class PartlyFilled(ForeignHand):
    """Stories of a fill that comes while, or after, its position is closed."""

    def an_entry_is_filled_in_part(self, data: st.DataObject) -> None:
        side = data.draw(st.sampled_from(Side))
        is_flattened = data.draw(st.booleans())
        answers = data.draw(st.lists(st.sampled_from(["entry", "exit", "cancel"]), max_size=5))
        entry = self._partly_filled(side)
        if entry is None:
            return
        seen = len(self.desk.events)
        if is_flattened:
            self.desk.give(Flatten(self.fresh(), "test", LatchCause.OPERATOR, "over"))
        else:
            self.desk.give(ClosePosition(self.fresh(), entry.position, "test"))
        cancels = [e for e in self.desk.events[seen:] if isinstance(e, CancelRequested)]
        assert [e.order for e in cancels if e.order == entry.id] == [entry.id]
        for answer in [*answers, "exit", "cancel", "exit", "exit"]:
            self._answer(entry, answer)
        assert entry.position not in self.desk.state.positions
        assert entry.id not in self.desk.state.orders
        if is_flattened:
            self.desk.give(LiftLatch(self.fresh(), "test", "over"))

    def _partly_filled(self, side: Side) -> Order | None:
        """Return an entry of four lots of which one is filled; None: it was refused."""
        wish = signal(self.fresh(), NIFTY, side, f"{LOT * 4}", self.desk.now)
        known = set(self.desk.state.orders)
        if self.desk.state.latch is None:
            self.desk.give(SubmitSignal(self.fresh(), wish))
        made = [w.order for id_, w in self.desk.state.orders.items() if id_ not in known]
        if not made:
            return None
        self._fill(made[0], 1)
        return made[0]

    def _answer(self, entry: Order, answer: str) -> None:
        """Let the venue fill a lot of the entry, fill the exit, or cancel the entry."""
        state = self.desk.state
        position = state.positions.get(entry.position)
        if answer == "exit" and position is not None and position.close is not None:
            order = state.orders[position.close.order].order
            self._fill(order, int(state.orders[order.id].remaining / LOT))
        elif answer == "entry" and entry.id in state.orders:
            self._fill(entry, 1)
        elif answer == "cancel" and entry.id in state.orders:
            self.desk.report(self.desk.cancel(entry))
        self.desk.waiting = [o for o in self.desk.waiting if o.id in self.desk.state.orders]

    def _fill(self, order: Order, lots: int) -> None:
        self.desk.report(self.executed(order, Qty(LOT * lots)))
