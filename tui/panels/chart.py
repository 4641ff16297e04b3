"""The selected position's price over the last minutes, with entry and nearest stop (C-5)."""

from __future__ import annotations

from typing import ClassVar

from engine.domain.stop import Unit
from tui import formatting as fmt
from tui.action import Context
from tui.book import Figures
from tui.panel import Panel
from tui.replica import Concern, Replica
from tui.widgets.chart import Level, chart
from tui.widgets.line import Line


def project(item: Figures, replica: Replica, width: int, height: int) -> list[Line]:
    """Return the chart; a level far outside the moves seen is left out, it would flatten them."""
    values = [value for _, value in replica.sparks.get(item.position.instrument, ())]
    if len(values) < 2 or item.quote is None:
        return [(("  no prices seen yet", "muted"),)]
    reach = max(max(values) - min(values), float(item.quote.last) * 0.002) * 2
    levels = [
        level
        for level in _levels(item)
        if min(values) - reach <= level.value <= max(values) + reach
    ]
    is_gain = item.gain is not None and item.gain >= 0
    return chart(values, levels, width, height, "profit" if is_gain else "loss")


def _levels(item: Figures) -> list[Level]:
    near, instrument = item.nearest, item.instrument
    entry = fmt.price(item.position.entry, instrument)
    levels = [Level(float(item.position.entry), f"entry {entry}", "muted")]
    if near is not None and near.level is not None and near.unit is Unit.PRICE:
        text = f"{fmt.rule(near.rule)} {fmt.price(near.level, instrument)}"
        levels.append(Level(float(near.level), text, "near-stop"))
    if item.quote is not None:
        last = fmt.price(item.quote.last, instrument)
        levels.append(Level(float(item.quote.last), f"LTP {last}", "text!"))
    return levels


class ChartPanel(Panel):
    """Draws the position under the cursor."""

    NAME: ClassVar[str] = "chart"
    TITLE: ClassVar[str] = "Price"
    CONTEXT: ClassVar[Context] = Context.PLAIN
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.STATE, Concern.PULSE, Concern.LINK})

    def heading(self) -> str:
        item = self._item()
        return f"Price  {fmt.symbol(item.position.instrument)}" if item else self.TITLE

    def notes(self) -> str:
        item = self._item()
        ring = self.desk.replica.sparks.get(item.position.instrument) if item else None
        return f"last {fmt.duration((ring[-1][0] - ring[0][0]) * 10**9)}" if ring else ""

    def _item(self) -> Figures | None:
        return self.desk.book.get(self.desk.selected) if self.desk.selected else None

    def draw(self, width: int, height: int) -> list[Line]:
        item = self._item()
        if item is None:
            return [(("  no position selected", "muted"),)]
        return project(item, self.desk.replica, width, height)
