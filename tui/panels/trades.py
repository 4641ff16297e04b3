"""Closed positions of this session, newest first (C-11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from textual.binding import BindingType

from engine.domain.ids import PositionId
from engine.domain.order import ExitKind
from engine.domain.position import Trade
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.sorted_table import SortedTable
from tui.widgets.grid import Column
from tui.widgets.line import Line, Span

COLUMNS: Final = (
    Column("symbol", "INSTRUMENT", 0, is_left=True, width=12),
    Column("exit_at", "CLOSED", 2, width=8),
    Column("pnl", "P&L", 1, width=10),
    Column("gain", "P&L%", 4, width=7),
    Column("reason", "REASON", 3, is_left=True, width=12),
    Column("side", "SIDE", 5, is_left=True, width=5),
    Column("qty", "QTY", 6),
    Column("entry", "ENTRY", 7, width=8),
    Column("exit", "EXIT", 8, width=8),
    Column("held", "HELD", 9, width=6),
    Column("fees", "FEES", 10, width=6),
    Column("strategy", "STRATEGY", 11, is_left=True, width=10),
    Column("note", "NOTE", 12, is_left=True, width=8),
)
_SORTS: Final[dict[str, Callable[[Trade], Any]]] = {
    "exit_at": lambda trade: -trade.seq,
    "symbol": lambda trade: (fmt.symbol(trade.instrument), trade.seq),
    "pnl": lambda trade: (trade.pnl, trade.seq),
    "gain": lambda trade: (trade.pnl_pct, trade.seq),
    "reason": lambda trade: (trade.reason.code, trade.seq),
}


def project(trade: Trade, replica: Replica) -> tuple[Span, ...]:
    """Return the cells of one closed trade."""
    instrument = replica.instrument(trade.instrument)
    hue = "profit" if trade.pnl > 0 else "loss" if trade.pnl < 0 else "text"
    by_hand = trade.reason.kind is ExitKind.MANUAL
    return (
        (fmt.symbol(trade.instrument), "text"),
        (fmt.clock(trade.exit_at, replica.zone), "muted"),
        (fmt.signed_money(trade.pnl, trade.currency), hue),
        (fmt.percent(trade.pnl_pct), hue),
        (fmt.words(trade.reason.code), "accent" if by_hand else "text"),
        (fmt.standing(trade.side), "muted"),
        (fmt.quantity(trade.qty), "muted"),
        (fmt.price(trade.entry, instrument), "muted"),
        (fmt.price(trade.exit, instrument), "muted"),
        (fmt.duration(trade.exit_at - trade.entry_at), "muted"),
        (fmt.money(trade.fees, trade.currency), "muted"),
        (fmt.words(trade.strategy or "by hand")[:16], "muted"),
        (for_screen(trade.reason.note, 30) or fmt.NOTHING, "muted"),
    )


class TradesPanel(SortedTable):
    """The newest closed trades."""

    NAME: ClassVar[str] = "trades"
    TITLE: ClassVar[str] = "Closed"
    CONTEXT: ClassVar[Context] = Context.TABLE
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.TABLE),
        *bindings_for(Context.LIST),
    ]
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS
    SORTS: ClassVar[Sequence[str]] = tuple(_SORTS)
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.STATE, Concern.LINK})

    def heading(self) -> str:
        return f"Closed {len(self.desk.replica.state.closed)}"

    def notes(self) -> str:
        parts = [f"/{for_screen(self.search, 30)}"] if self.search else []
        by = "newest" if self.sort == "exit_at" else self.sort
        return "  ".join([*parts, f"by {by}{' reversed' if self.is_reverse else ''}"])

    @property
    def selected(self) -> PositionId | None:
        """The trade under the cursor."""
        return PositionId(self.grid.cursor) if self.grid.cursor else None

    def draw(self, width: int, height: int) -> list[Line]:
        trades = {t.id: t for t in self.desk.replica.state.closed if self._accepts(t)}
        ordered = sorted(trades.values(), key=_SORTS[self.sort], reverse=self.is_reverse)
        self.grid.arrange([t.id for t in ordered], self.desk.mono)
        if self.desk.chooser == self.NAME:
            self.desk.selected = self.selected
        if not self.grid.order:
            return [(("  nothing closed yet" if not self.search else "  no match", "muted"),)]
        return self.grid.draw(
            width,
            height,
            lambda row: project(trades[PositionId(row)], self.desk.replica),
            sorted_by=self.sort,
            is_reverse=self.is_reverse,
            is_focused=self.has_focus,
        )

    def _accepts(self, trade: Trade) -> bool:
        text = f"{fmt.symbol(trade.instrument)} {fmt.words(trade.reason.code)}".lower()
        return self.search.lower() in text
