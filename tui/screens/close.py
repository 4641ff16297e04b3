"""`x`: close a position at market, having seen what that means (C-2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from textual.binding import BindingType

from engine.domain.command import ClosePosition
from engine.domain.ids import CommandId, Nanos, PositionId
from engine.domain.instrument import Kind
from engine.domain.money import Price, Qty, plain, ratio
from engine.domain.stop import Reading, Unit
from engine.ports.clock import Clock
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.book import TARGET, Figures
from tui.dialog import READABLE_AFTER, Dialog, is_drawn, key_here, labelled, wrapped
from tui.panel import Desk
from tui.permission import why_not_send
from tui.sanitise import for_screen
from tui.ticket import SLACK, Seen, doubt, estimate, figures_now, seen, what_changed
from tui.widgets.line import Line, Span

BY = "console"


class CloseDialog(Dialog[ClosePosition]):
    """Bound to one position's id and to the quantity and price it showed."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.CLOSE)]
    heading = "Close at market"
    YES = "Close it"

    def __init__(
        self, desk: Desk, clock: Clock, position: PositionId, command: CommandId, note: str = ""
    ) -> None:
        super().__init__(desk, clock)
        self.position = position
        self.command = command
        self.note = note
        self.accepts_doubt = False
        item = self.item
        self._seen: Seen | None = seen(item) if item is not None else None
        """What was on screen first: the quantity that is agreed to."""
        self._shown: deque[tuple[Nanos, Seen]] = deque(maxlen=100)
        """What has been on screen since, and from when on: the price that is agreed to."""

    # What is closed; a partial close answers otherwise.

    def amount(self, item: Figures) -> Qty:
        """Return the quantity that would be closed."""
        return item.position.qty

    def amount_lines(self, item: Figures, width: int) -> list[Line]:
        """Return what stands between the position and its price."""
        return []

    def twin(self, item: Figures) -> str:
        """Return the same thing for the command line."""
        return f"holdfast close {for_screen(self.position, 60)}"

    # What has been seen.

    def show(self) -> None:
        super().show()
        item = self.item
        if item is not None and self.is_mounted:
            self.call_after_refresh(self._was_shown, seen(item))

    def _was_shown(self, what: Seen) -> None:
        if is_drawn(self):
            self._shown.append((self.clock.monotonic(), what))

    def ask_again(self, why: str = "") -> None:
        self._shown.clear()  # what was seen before says nothing about what is asked now
        super().ask_again(why)

    def _agreed(self) -> Seen | None:
        """Return what can have been read: the newest price that stood long enough to be."""
        first = self._seen
        if first is None:
            return None
        before = self.clock.monotonic() - READABLE_AFTER
        while len(self._shown) > 1 and self._shown[1][0] <= before:
            self._shown.popleft()
        price = self._shown[0][1].price if self._shown else first.price
        return Seen(first.position, first.qty, price)

    # The question.

    @property
    def item(self) -> Figures | None:
        """The position now; None when it is not open any more."""
        return figures_now(self.desk.replica, self.position, self.clock.monotonic())

    def lines(self, width: int) -> Sequence[Line]:
        item = self.item
        if item is None:
            return self._gone(width)
        position = item.position
        name = (f"{fmt.symbol(position.instrument)}{_right(item)}", "title!")
        side = (f"  {fmt.standing(position.side)} ", "text!")
        out: list[Line] = [
            (name, side, (fmt.quantity(position.qty), "text!"), (f"  at {_entry(item)}", "muted"))
        ]
        out += self.amount_lines(item, width)
        out += [labelled("LTP", *self._price(item)), labelled("P&L est.", self._profit(item))]
        if position.close is not None:
            text = f"A close is in flight already: {position.close.phase.value}"
            out += wrapped(text, width, "alert")
        out += self._doubt(item, width)
        out += self._released(item, width)
        out.append(labelled("elsewhere", (self.twin(item), "accent")))
        return out

    def objection(self) -> str:
        why, item = why_not_send(self.desk), self.item
        if why:
            return f"{why}; nothing was sent"
        agreed = self._agreed()
        changed = "it is closed already" if agreed is None else what_changed(agreed, item)
        if changed or item is None:
            self._seen = seen(item) if item is not None else self._seen
            again = "" if item is None else f"; {key_here(self, 'dialog.confirm')} confirms anew"
            return f"{changed}: nothing was sent{again}"
        if not self.accepts_doubt and doubt(item, self.desk.replica, self.clock.monotonic()):
            return f"press {key_here(self, 'close.stale')} first: the price cannot be trusted"
        return ""

    def answer(self) -> ClosePosition:
        item, before = self.item, self._agreed()
        if item is None or before is None:
            raise LookupError(f"{self.position} is not open: `objection` lets no answer through")
        amount = self.amount(item)
        is_doubtful = bool(doubt(item, self.desk.replica, self.clock.monotonic()))
        return ClosePosition(
            self.command,
            self.position,
            BY,
            qty=None if amount == item.position.qty else amount,
            note=self.note,
            seen_price=before.price,
            slack=SLACK,
            seen_qty=before.qty,
            accept_stale=self.accepts_doubt and is_doubtful,
        )

    def act(self, name: str) -> None:
        item = self.item
        if name == "close.stale" and item is not None:
            self.accepts_doubt = bool(doubt(item, self.desk.replica, self.clock.monotonic()))
            self.said = ""
            self.ask_again()

    # Parts of the question.

    def _gone(self, width: int) -> list[Line]:
        closed = [t for t in self.desk.replica.state.closed if t.id == self.position]
        if not closed:
            return wrapped(f"{for_screen(self.position, 60)} is not open", width, "alert")
        trade = closed[-1]
        money = fmt.signed_money(trade.pnl, trade.currency)
        text = f"{fmt.symbol(trade.instrument)} is closed: {fmt.words(trade.reason.code)} {money}"
        return wrapped(f"{text} {for_screen(trade.currency, 10)}", width, "alert")

    def _price(self, item: Figures) -> list[Span]:
        if item.quote is None:
            return [("no price", "stale")]
        mono = self.clock.monotonic()
        age = fmt.age(item.quote.age(self.desk.replica.now(mono)))
        is_doubtful = bool(doubt(item, self.desk.replica, mono))
        return [
            (fmt.price(item.quote.last, item.instrument), "stale" if is_doubtful else "text!"),
            (f"  {age} old" if age != "now" else "  just now", "muted"),
            *self._drift(item.quote.last),
        ]

    def _drift(self, last: Price) -> list[Span]:
        """Return how far the price went while the question stood here, once that is much."""
        first = self._seen.price if self._seen is not None else None
        moved = ratio(last - first, first) if first else Decimal(0)
        if abs(moved) <= SLACK:
            return []
        return [(f"  {fmt.percent(moved)} since this opened", "warning")]

    def _profit(self, item: Figures) -> Span:
        value = estimate(item, self.amount(item))
        if value is None:
            return (fmt.NOTHING, "stale")
        token = "profit" if value > 0 else "loss" if value < 0 else "text"
        currency = item.position.currency
        return (f"{fmt.signed_money(value, currency)} {for_screen(currency, 10)}", token)

    def _doubt(self, item: Figures, width: int) -> list[Line]:
        why = doubt(item, self.desk.replica, self.clock.monotonic())
        if not why:
            return []
        stale, yes = key_here(self, "close.stale"), key_here(self, "dialog.confirm")
        if self.accepts_doubt:
            return wrapped(
                f"{why}. You accepted that; {yes} closes at the next price", width, "alert"
            )
        return wrapped(f"{why}. Press {stale} to accept that, then {yes}", width, "alert")

    def _released(self, item: Figures, width: int) -> list[Line]:
        armed = [r for r in item.readings if r.is_armed and r.level is not None]
        is_all = self.amount(item) == item.position.qty
        verb = "releases" if is_all else "stay on"
        if not armed:
            return [labelled(verb, ("no stop is armed on it", "warning"))]
        names = ", ".join(_level(reading, item) for reading in armed)
        parts = wrapped(names, width - 11)
        return [labelled(verb if not n else "", *part) for n, part in enumerate(parts)]


def _right(item: Figures) -> str:
    """Return CALL or PUT where the name does not end in it."""
    instrument = item.instrument
    if instrument is None or instrument.kind is not Kind.OPTION or instrument.right is None:
        return ""
    right = instrument.right.value
    return "" if fmt.symbol(item.position.instrument).endswith(right) else f" {right}"


def _entry(item: Figures) -> str:
    return fmt.price(item.position.entry, item.instrument)


def _level(reading: Reading, item: Figures) -> str:
    name = fmt.words(reading.rule) + (" target" if reading.rule == TARGET else "")
    if reading.level is None or reading.unit is Unit.INSTANT:
        return name
    if reading.unit is Unit.PRICE:
        return f"{name} {fmt.price(reading.level, item.instrument)}"
    return f"{name} {plain(reading.level)}"
