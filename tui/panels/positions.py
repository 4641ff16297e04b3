"""Open positions by danger: price and age, room to the nearest stop, profit (C-10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import BindingType

from engine.domain.ids import SECOND, InstrumentId, Nanos, PositionId
from engine.domain.instrument import Kind
from engine.domain.stop import Reading, Unit
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.book import Figures
from tui.filtering import Filter
from tui.opening import steps
from tui.panel import Desk
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.sorted_table import SortedTable
from tui.widgets.gauges import sparkline
from tui.widgets.grid import Column
from tui.widgets.line import Line, Span

COLUMNS: Final = (
    Column("symbol", "INSTRUMENT", 0, is_left=True, width=12),
    Column("last", "LTP", 2, width=8),
    Column("age", "AGE", 6, width=3),
    Column("stop", "STOP%", 1, width=8),
    Column("pnl", "P&L", 3, width=10),
    Column("gain", "P&L%", 5, width=7),
    Column("side", "SIDE", 4, is_left=True, width=5),
    Column("qty", "QTY", 7),
    Column("entry", "ENTRY", 8),
    Column("level", "STOP AT", 9),
    Column("rule", "NEAREST", 10, is_left=True, width=8),
    Column("spark", "LAST 60 s", 11, is_left=True, width=14),
    Column("held", "HELD", 12, width=6),
    Column("peak", "PEAK", 13),
    Column("strategy", "STRATEGY", 14, is_left=True, width=10),
)
NEAR: Final = Decimal("0.05")
"""The danger zone (E-20): one mark."""
VERY_NEAR: Final = Decimal("0.02")
SPARK_WIDTH: Final = 14
MADE_SPARE: Final = 50
"""Cells of so many closed positions are kept before they are thrown away."""

_SORTS: Final[dict[str, Callable[[Figures], Any]]] = {
    "stop": Figures.danger,
    "symbol": lambda item: (fmt.symbol(item.position.instrument), item.position.id),
    "pnl": lambda item: (item.pnl is None, item.pnl or Decimal(0), item.position.id),
    "gain": lambda item: (item.gain is None, item.gain or Decimal(0), item.position.id),
    "qty": lambda item: (item.position.qty, item.position.id),
    "held": lambda item: (-item.position.opened_at, item.position.id),
}
SORTS: Final = tuple(_SORTS)


def project(item: Figures, replica: Replica, now: Nanos) -> tuple[Span, ...]:
    """Return the cells of one position, a span per column."""
    position, instrument = item.position, item.instrument
    hue = "stale" if is_stale(item, replica, now) else "text"
    entry = fmt.price(position.entry, instrument)
    return (
        (fmt.symbol(position.instrument), hue),
        *_price_cells(item, now, hue),
        *_stop_cells(item),
        *_profit_cells(item, hue, next(iter(replica.state.accounts), "")),
        (_side(item), "text" if position.side.sign > 0 else "accent"),
        (fmt.quantity(position.qty), "muted"),
        (entry, "muted"),
        (_level(item.nearest, item), "muted"),
        (fmt.rule(item.nearest.rule) if item.nearest else fmt.NOTHING, "muted"),
        (spark(replica, position.instrument), hue if hue == "stale" else "bar"),
        (fmt.span(now - position.opened_at), "muted"),
        (fmt.price(item.peak, instrument), "muted"),
        (fmt.words(position.strategy or "by hand")[:16], "muted"),
    )


def is_stale(item: Figures, replica: Replica, now: Nanos) -> bool:
    """Return whether the price is missing or older than its limit (E-21)."""
    limit = replica.state.limits.price_age_max_s * SECOND
    return item.quote is None or item.quote.age(now) > limit


def _price_cells(item: Figures, now: Nanos, hue: str) -> tuple[Span, Span]:
    if item.quote is None:
        return ("no price", "stale"), (fmt.NOTHING, "stale")
    age = fmt.age(item.quote.age(now))
    mark = f"?{age}" if hue == "stale" else age
    return (fmt.price(item.quote.last, item.instrument), hue), (
        mark,
        "warning" if hue == "stale" else "muted",
    )


def _stop_cells(item: Figures) -> tuple[Span]:
    position = item.position
    if position.close is not None:
        return (("CLOSING", "alert"),)
    if position.rearm_at is not None:
        return (("re-arming", "error"),)
    room = item.room
    if room is None:
        return (("no stop", "warning") if item.quote is not None else (fmt.NOTHING, "stale"),)
    text = fmt.unsigned_percent(room)
    if room <= VERY_NEAR:
        return ((f"{text} !!", "near-stop"),)
    return ((f"{text} ! ", "warning") if room <= NEAR else (f"{text}   ", "text"),)


def _profit_cells(item: Figures, hue: str, home: str) -> tuple[Span, Span]:
    if item.pnl is None or item.gain is None:
        return (fmt.NOTHING, "stale"), (fmt.NOTHING, "stale")
    if hue != "stale":
        hue = "profit" if item.pnl > 0 else "loss" if item.pnl < 0 else "text"
    currency = item.position.currency
    money = fmt.signed_money(item.pnl, currency)
    if currency != home:
        money = f"{money} {for_screen(currency, 6)}"
    return (money, hue), (fmt.percent(item.gain), hue)


def _side(item: Figures) -> str:
    side = fmt.standing(item.position.side)
    instrument = item.instrument
    if instrument is not None and instrument.kind is Kind.OPTION and instrument.right is not None:
        return f"{side} {instrument.right.value}"
    return side


def _level(reading: Reading | None, item: Figures) -> str:
    if reading is None or reading.level is None:
        return fmt.NOTHING
    if reading.unit is Unit.PRICE:
        return fmt.price(reading.level, item.instrument)
    return fmt.quantity(reading.level.quantize(Decimal(1)))


def spark(replica: Replica, name: InstrumentId) -> str:
    """Return the last minute of an instrument's price, without the second that still runs."""
    values = [value for _, value in replica.sparks.get(name, ())][-61:-1]
    step = max(1, len(values) // SPARK_WIDTH)
    return sparkline(values[::-step][::-1], SPARK_WIDTH)


class PositionsPanel(SortedTable):
    """The table of open positions; its cursor is the console's selected position."""

    NAME: ClassVar[str] = "positions"
    TITLE: ClassVar[str] = "Positions"
    CONTEXT: ClassVar[Context] = Context.POSITIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.POSITIONS),
        *bindings_for(Context.TABLE),
        *bindings_for(Context.LIST),
    ]
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS
    SORTS: ClassVar[Sequence[str]] = SORTS
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset(
        {Concern.STATE, Concern.QUOTES, Concern.PULSE, Concern.LINK}
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._made: dict[str, tuple[Figures, Nanos, Sequence[Span]]] = {}
        """Cells by row, with what they were made from: a cursor key makes none anew."""

    @property
    def selected(self) -> PositionId | None:
        """The position under the cursor."""
        return PositionId(self.grid.cursor) if self.grid.cursor is not None else None

    def seen(self) -> list[PositionId]:
        """Return the positions in view; they are brought up to date first."""
        return [PositionId(row) for row in self.grid.seen(self.size.height - 2)]

    def heading(self) -> str:
        if self.desk.replica.is_waiting:
            return "Starting"
        shown, count = len(self.grid.order), len(self.desk.book)
        return f"Positions {shown}" if shown == count else f"Positions {shown} of {count}"

    def notes(self) -> str:
        parts = [f"/{for_screen(self.search, 30)}"] if self.search else []
        if len(self.grid.order) > max(1, self.size.height - 2):
            parts.append(f"{self.grid.index + 1}/{len(self.grid.order)}")
        by = "danger" if self.sort == "stop" else self.sort
        return "  ".join([*parts, f"by {by}{' reversed' if self.is_reverse else ''}"])

    def draw(self, width: int, height: int) -> list[Line]:
        desk = self.desk
        wanted = Filter(self.search)
        chosen = [item for item in desk.book.all() if wanted.accepts(item)]
        chosen.sort(key=_SORTS[self.sort], reverse=self.is_reverse)
        self.grid.arrange([item.position.id for item in chosen], desk.mono)
        if desk.chooser == self.NAME:
            desk.selected = self.selected
        if desk.replica.is_waiting:
            return steps(desk, width)
        if not self.grid.order:
            return [(), ((f"  {self._empty()}", "muted"),)]
        if len(self._made) > len(self.grid.order) + MADE_SPARE:
            self._made.clear()
        return self.grid.draw(
            width,
            height,
            self._cells,
            sorted_by=self.sort,
            is_reverse=self.is_reverse,
            is_focused=self.has_focus,
        )

    def _cells(self, row: str) -> Sequence[Span]:
        item, now = self.desk.book[PositionId(row)], self.desk.now
        known = self._made.get(row)
        if known is None or known[0] is not item or known[1] != now:
            cells = project(item, self.desk.replica, now)
            if known is not None and known[2] == cells:
                cells = known[2]
            known = self._made[row] = (item, now, cells)
        return known[2]

    def _empty(self) -> str:
        if self.search:
            return f"nothing matches {for_screen(self.search, 40)}   Esc shows all"
        return "no open positions"

    def on_click(self, event: events.Click) -> None:
        row = self.grid.row_at(event.y - 2)
        if row is not None and event.y >= 2:
            self.grid.select(row)
            self.show()
