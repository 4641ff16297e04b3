"""What was done by hand, beside what the rules would have done: newest first (E-28)."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.ids import Nanos, PositionId
from engine.domain.shadow import Shadow
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.left_alone import DEEDS, interventions, money, sides, standing, would_exit
from tui.panel import Desk, Panel
from tui.replica import Concern, Replica
from tui.sanitise import for_screen
from tui.widgets.grid import Column, Grid
from tui.widgets.line import Line, Span

COLUMNS: Final = (
    Column("symbol", "INSTRUMENT", 0, is_left=True, width=12),
    Column("deed", "DONE", 4, is_left=True, width=9),
    Column("at", "AT", 6, width=8),
    Column("operator", "OPERATOR", 1, width=9),
    Column("strategy", "ALONE", 2, width=9),
    Column("difference", "DIFF", 3, width=9),
    Column("state", "STATE", 5, is_left=True, width=7),
    Column("exit", "WOULD EXIT", 7, is_left=True, width=10),
    Column("side", "SIDE", 8, is_left=True, width=5),
    Column("qty", "QTY", 9),
    Column("entry", "ENTRY", 10, width=8),
    Column("by", "BY", 11, is_left=True, width=7),
    Column("note", "NOTE", 12, is_left=True, width=8),
)


def project(shadow: Shadow, replica: Replica, now: Nanos) -> tuple[Span, ...]:
    """Return the cells of one intervention."""
    position, told = shadow.position, sides(shadow, replica)
    instrument = replica.instrument(position.instrument)
    return (
        (fmt.symbol(position.instrument), "text"),
        (DEEDS[shadow.deed], "accent"),
        (fmt.clock(shadow.at, replica.zone), "muted"),
        money(told.operator, position.currency),
        money(told.strategy, position.currency),
        money(told.difference, position.currency),
        standing(shadow, replica, now),
        (would_exit(shadow, replica), "muted"),
        (fmt.standing(position.side), "muted"),
        (fmt.quantity(position.qty), "muted"),
        (fmt.price(position.entry, instrument), "muted"),
        (for_screen(shadow.by, 16), "muted"),
        (for_screen(shadow.note, 30) or fmt.NOTHING, "muted"),
    )


class ShadowsPanel(Panel):
    """Interventions and their shadows."""

    NAME: ClassVar[str] = "shadows"
    TITLE: ClassVar[str] = "By hand"
    CONTEXT: ClassVar[Context] = Context.PLAIN
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for(Context.PLAIN)]
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset(
        {Concern.STATE, Concern.QUOTES, Concern.LINK}
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.grid = Grid(COLUMNS)

    def heading(self) -> str:
        return f"By hand {len(interventions(self.desk.replica))}"

    def notes(self) -> str:
        watched = sum(s.ending is None for s in self.desk.replica.state.shadows.values())
        return f"{watched} still followed, before fees" if watched else "before fees"

    def draw(self, width: int, height: int) -> list[Line]:
        known = {str(s.id): s for s in interventions(self.desk.replica)}
        self.grid.arrange(list(known), self.desk.mono)
        if not known:
            return [(("  nothing was done by hand", "muted"),)]
        if self.desk.chooser == self.NAME and self.grid.cursor:
            self.desk.selected = PositionId(known[self.grid.cursor].position.id)
        return self.grid.draw(
            width,
            height,
            lambda row: project(known[row], self.desk.replica, self.desk.now),
            is_focused=self.has_focus,
        )

    def move(self, rows: int) -> None:
        self.grid.move(rows, self.desk.mono)
        self.show()
