"""Sessions of this store, newest first: how each ended, what it made, whether it adds up (C-15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import BindingType

from engine.domain.ids import Nanos, SessionId
from engine.domain.session import SessionStatus
from engine.link.protocol_past import PastSession
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.past.sessions import Sessions
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.sorted_table import SortedTable
from tui.widgets.grid import Column
from tui.widgets.line import Line, Span

COLUMNS: Final = (
    Column("started", "STARTED", 0, is_left=True, width=16),
    Column("status", "STATUS", 1, is_left=True, width=9),
    Column("pnl", "P&L", 2, width=11),
    Column("gain", "P&L%", 7, width=7),
    Column("trades", "TRADES", 4, width=6),
    Column("open", "OPEN", 5, width=4),
    Column("balance", "BALANCE", 3, is_left=True, width=8),
    Column("crashes", "CRASHES", 6, width=7),
    Column("length", "LENGTH", 8, width=7),
    Column("closing", "CLOSING", 9, width=11),
    Column("feed", "FEED", 10, is_left=True, width=6),
    Column("id", "SESSION", 11, is_left=True, width=16),
)
NEVER: Final = Nanos(0)
_SORTS: Final[dict[str, Callable[[PastSession], Any]]] = {
    "started": lambda row: -row.started_at,
    "status": lambda row: (row.status.value, -row.started_at),
    "pnl": lambda row: (row.pnl is None, row.pnl or Decimal(0)),
    "gain": lambda row: (row.pnl_pct is None, row.pnl_pct or Decimal(0)),
    "trades": lambda row: row.trades,
}
_WAITING: Final = "…"


def status_of(row: PastSession, crashes: int) -> Span:
    """Return how a session stands, as a word that needs no colour."""
    if row.status is SessionStatus.CRASHED:
        return ("CRASHED", "error")
    if row.status is SessionStatus.ACTIVE:
        return ("running", "accent")
    return ("recovered", "warning") if crashes else ("ended", "muted")


def project(row: PastSession, known: Sessions, zone: str, now: Nanos) -> tuple[Span, ...]:
    """Return the cells of one session."""
    record = known.records.get(row.id)
    crashes = len(known.crashes(row.id))
    currency = row.currency or ""
    hue = "profit" if row.pnl and row.pnl > 0 else "loss" if row.pnl and row.pnl < 0 else "text"
    day, at = fmt.day(row.started_at, zone), fmt.clock(row.started_at, zone)
    end = row.ended_at if row.ended_at is not None else now
    return (
        (f"{day} {at[:5]}", "text"),
        status_of(row, crashes),
        (fmt.NOTHING if row.pnl is None else fmt.signed_money(row.pnl, currency), hue),
        (fmt.NOTHING if row.pnl_pct is None else fmt.signed(row.pnl_pct) + "%", hue),
        (f"{row.trades:,}", "muted"),
        (_WAITING if record is None else str(record.open), "text"),
        balance(known, row.id),
        (
            _WAITING if record is None else str(crashes or fmt.NOTHING),
            "error" if crashes else "muted",
        ),
        (fmt.span(end - row.started_at), "muted"),
        (fmt.NOTHING if row.closing is None else fmt.money(row.closing, currency), "muted"),
        (for_screen(row.feed, 12), "muted"),
        (for_screen(row.id, 40), "muted"),
    )


def balance(known: Sessions, session: SessionId) -> Span:
    """Return whether a session's money adds up."""
    word = known.balance(session)
    hues = {"OK": "ok", "BROKEN": "live", "unchecked": "warning"}
    return (word or _WAITING, hues.get(word, "muted"))


class SessionsPanel(SortedTable):
    """The table of sessions; its cursor says which one the panel beside it is about."""

    NAME: ClassVar[str] = "sessions"
    TITLE: ClassVar[str] = "Sessions"
    CONTEXT: ClassVar[Context] = Context.TABLE
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.TABLE),
        *bindings_for(Context.LIST),
    ]
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS
    SORTS: ClassVar[Sequence[str]] = tuple(_SORTS)
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.LINK})

    def heading(self) -> str:
        known, shown = self.desk.sessions, len(self.grid.order)
        return f"Sessions {shown}" if shown == known.total else f"Sessions {shown} of {known.total}"

    def notes(self) -> str:
        known = self.desk.sessions
        parts = [f"/{for_screen(self.search, 30)}"] if self.search else []
        if known.is_asking:
            parts.append(f"asking {len(known.records)} of {len(known.rows)}")
        by = "newest" if self.sort == "started" else self.sort
        return "  ".join([*parts, f"by {by}{' reversed' if self.is_reverse else ''}"])

    def draw(self, width: int, height: int) -> list[Line]:
        known = self.desk.sessions
        chosen = [row for row in known.rows.values() if self._accepts(row)]
        chosen.sort(key=_SORTS[self.sort], reverse=self.is_reverse)
        self.grid.arrange([row.id for row in chosen], self.desk.mono)
        known.selected = self._selected
        if not self.grid.order:
            return [(), ((f"  {self._empty()}", "muted"),)]
        return self.grid.draw(
            width,
            height,
            self._cells,
            sorted_by=self.sort,
            is_reverse=self.is_reverse,
            is_focused=self.has_focus,
        )

    def _cells(self, row: str) -> tuple[Span, ...]:
        desk = self.desk
        known = desk.sessions
        return project(known.rows[SessionId(row)], known, desk.replica.zone, desk.now)

    def _empty(self) -> str:
        known = self.desk.sessions
        if known.why:
            return f"no past: {for_screen(known.why, 120)}"
        if self.search:
            return f"nothing matches {for_screen(self.search, 40)}   Esc shows all"
        return "asking the engine" if known.is_asking else "no session yet"

    @property
    def _selected(self) -> SessionId | None:
        return SessionId(self.grid.cursor) if self.grid.cursor else None

    def _accepts(self, row: PastSession) -> bool:
        known = self.desk.sessions
        zone = self.desk.replica.zone
        word = status_of(row, len(known.crashes(row.id)))[0]
        parts = (row.id, word, row.feed, fmt.day(row.started_at, zone), known.balance(row.id))
        text = " ".join(parts).lower()
        return all(
            (word[1:] not in text) if word.startswith("!") and word[1:] else word in text
            for word in self.search.lower().split()
        )

    def on_click(self, event: events.Click) -> None:
        row = self.grid.row_at(event.y - 2)
        if row is not None and event.y >= 2:
            self.grid.select(row)
            self.show()
