"""The selected position's exits on a price ladder: exactly what the engine compares (C-10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from textual.binding import BindingType

from engine.domain.ids import Nanos
from engine.domain.stop import Reading, Unit
from tui import formatting as fmt
from tui.action import Context
from tui.actions import bindings_for
from tui.book import Figures, nearest
from tui.panel import Panel
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.widgets.gauges import track
from tui.widgets.line import BLANK, Line, cut

_NAME_WIDTH: Final = 10


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of the ladder."""

    name: str
    level: Decimal | None
    text: str
    """The level as text."""
    distance: str
    note: str
    hue: str
    weight: int
    """The highest are left out first when lines are short."""
    mark: str = " "


def project(item: Figures, now: Nanos, width: int, height: int = 99) -> list[Line]:
    """Return the bar to the nearest stop and the ladder, the least important left out."""
    lines = [_gauge(item, width)] if height > 3 and item.quote is not None else []
    rungs = _rungs(item, now)
    room = height - len(lines)
    while len(rungs) > room:
        rungs.remove(max(rungs, key=lambda rung: rung.weight))
    size = max((fmt.cells(rung.text) for rung in rungs), default=0)
    return [*lines, *(_line(rung, max(size, 9), width) for rung in rungs)]


def _rungs(item: Figures, now: Nanos) -> list[Rung]:
    prices = [*_marks(item), *(_rule(r, item) for r in item.readings if _has_price(r))]
    prices.sort(key=lambda rung: rung.level or Decimal(0), reverse=True)
    others = [_rule(r, item, now) for r in item.readings if not _has_price(r)]
    others.sort(key=lambda rung: rung.weight)
    return [*prices, *_losing(item), *others]


def _has_price(reading: Reading) -> bool:
    return reading.unit is Unit.PRICE and reading.level is not None


def _marks(item: Figures) -> list[Rung]:
    position, instrument = item.position, item.instrument

    def rung(name: str, value: Decimal, note: str, hue: str, weight: int) -> Rung:
        return Rung(name, value, fmt.price(value, instrument), "", note, hue, weight)

    qty = fmt.quantity(position.qty)
    marks = [rung("entry", position.entry, f"{qty} {fmt.standing(position.side)}", "title", 2)]
    word = "highest" if position.side.sign > 0 else "lowest"
    marks.append(rung("peak", item.peak, f"{word} since entry", "muted", 3))
    if item.quote is not None and item.gain is not None and item.pnl is not None:
        hue = "profit" if item.gain > 0 else "loss" if item.gain < 0 else "text"
        money = f"{fmt.signed_money(item.pnl, position.currency)} {position.currency}"
        last = fmt.price(item.quote.last, instrument)
        gain = fmt.percent(item.gain)
        arrow = "▲" if item.gain > 0 else "▼" if item.gain < 0 else " "
        marks.append(
            Rung("LTP", item.quote.last, last, gain, f"{arrow} {money}", f"{hue}!", 0, "▶")
        )
    return marks


def _rule(reading: Reading, item: Figures, now: Nanos = Nanos(0)) -> Rung:
    name = fmt.rule(reading.rule)
    is_nearest = reading is item.nearest
    distance = fmt.unsigned_percent(reading.distance) if reading.distance is not None else ""
    state = "armed" if reading.is_armed else "idle"
    hue = "text" if reading.is_armed else "muted"
    if is_nearest:
        hue = "near-stop" if (item.room or Decimal(1)) <= Decimal("0.05") else "accent!"
    weight = 1 if is_nearest else 4 if reading.is_armed else 9
    note = f"{state:<5} {for_screen(reading.why, 80)}"
    return Rung(
        name, reading.level, _text(reading, item, now), distance, note, hue, weight,
        "▸" if is_nearest else " ",
    )  # fmt: skip


def _text(reading: Reading, item: Figures, now: Nanos) -> str:
    if reading.level is None:
        return fmt.NOTHING
    if reading.unit is Unit.PRICE:
        return fmt.price(reading.level, item.instrument)
    if reading.unit is Unit.CONTRACTS:
        return fmt.quantity(reading.level.quantize(Decimal(1)))
    left = int(reading.level) - now
    return f"in {fmt.duration(left)}" if left > 0 else "now"


def _losing(item: Figures) -> list[Rung]:
    """Return VWAP and open-interest change: they matter while the position loses."""
    quote, position = item.quote, item.position
    if quote is None or not position.is_losing(quote.last):
        return []
    out: list[Rung] = []
    if quote.vwap is not None:
        away = fmt.percent(quote.last / quote.vwap - 1)
        text = fmt.price(quote.vwap, item.instrument)
        out.append(
            Rung("VWAP now", quote.vwap, text, away, "LTP against the session's VWAP", "muted", 5)
        )
    if quote.oi is not None and position.oi_at_entry:
        change = fmt.percent(quote.oi / position.oi_at_entry - 1)
        out.append(
            Rung("OI now", quote.oi, fmt.quantity(quote.oi), change, "since entry", "muted", 6)
        )
    return out


def _line(rung: Rung, size: int, width: int) -> Line:
    return cut(
        (
            (f"{rung.mark} ", "accent"),
            (fmt.fit(rung.name, _NAME_WIDTH), rung.hue),
            (fmt.fit(rung.text, size, right=True), rung.hue),
            (fmt.fit(rung.distance, 10, right=True), rung.hue),
            (f"  {rung.note}", "muted" if rung.mark != "▶" else rung.hue),
        ),
        width,
    )


def _gauge(item: Figures, width: int) -> Line:
    """Return a scale from the nearest stop to the best price, with entry and LTP on it."""
    quote = item.quote
    near = nearest(reading for reading in item.readings if reading.unit is Unit.PRICE)
    if quote is None or near is None or near.level is None:
        return (("  no armed stop at a price", "warning"),)
    far = max if item.position.side.sign > 0 else min
    end = far(item.peak, item.position.entry)
    stop_text = f"  {fmt.rule(near.rule)} {fmt.price(near.level, item.instrument)} "
    end_text = f" {fmt.price(end, item.instrument)} {'peak' if end == item.peak else 'entry'}"
    room = max(8, min(60, width - fmt.cells(stop_text) - fmt.cells(end_text) - 2))
    sign = item.position.side.sign
    marks = [
        (float(item.position.entry) * sign, "┼", "title"),
        (float(quote.last) * sign, "●", "accent!"),
    ]
    low, high = float(near.level) * sign, float(end) * sign
    scale = track(marks, low, high, room, "rule")
    line = ((stop_text, "near-stop"), ("├", "rule"), *scale, ("┤", "rule"), (end_text, "muted"))
    return cut(line, width)


class StopsPanel(Panel):
    """Draws the ladder of the position under the cursor."""

    NAME: ClassVar[str] = "stops"
    TITLE: ClassVar[str] = "Stops"
    CONTEXT: ClassVar[Context] = Context.POSITIONS
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for(Context.POSITIONS),
        *bindings_for(Context.TABLE),
        *bindings_for(Context.LIST),
    ]
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset(
        {Concern.STATE, Concern.QUOTES, Concern.PULSE, Concern.LINK}
    )

    def heading(self) -> str:
        item = self._item()
        if item is None:
            return self.TITLE
        return f"Stops  {fmt.symbol(item.position.instrument)}"

    def notes(self) -> str:
        item = self._item()
        if item is None or item.quote is None:
            return ""
        position = item.position
        if position.close is not None:
            return f"closing: {position.close.phase.value}"
        held = fmt.duration(self.desk.now - position.opened_at)
        return f"price {fmt.age(item.quote.age(self.desk.now))}  held {held}"

    def _item(self) -> Figures | None:
        return self.desk.book.get(self.desk.selected) if self.desk.selected else None

    def draw(self, width: int, height: int) -> list[Line]:
        item = self._item()
        if item is None:
            return [BLANK, (("  no position selected", "muted"),)]
        return project(item, self.desk.now, width, height)
