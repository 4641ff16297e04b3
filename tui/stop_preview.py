"""What a stop or target price would mean if it stood now, in words. Pure."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.ids import Nanos
from engine.domain.money import Price, plain, ratio, rounded
from engine.domain.stop import Reading, Unit
from tui import formatting as fmt
from tui.book import TARGET, Figures
from tui.sanitise import for_screen
from tui.widgets.line import Line

OWN: frozenset[str] = frozenset({"initial", TARGET})
"""Rules that an operator's own price stands in for: they are about to change."""


def preview(value: Price | None, item: Figures, *, is_target: bool) -> str:
    """Return money and room of `value` as a person reads them before confirming."""
    what = "target" if is_target else "stop"
    if value is None:
        return f"No {what} price of your own: only the rules below close it."
    instrument, quote, position = item.instrument, item.quote, item.position
    if instrument is None or quote is None:
        return f"{what} {plain(value)}: no price has been heard, so nothing can be said of it."
    currency = position.currency
    booked = position.pnl(value, instrument)
    from_here = booked - position.pnl(quote.last, instrument)
    room = abs(ratio(value - quote.last, quote.last))
    text = (
        f"At {fmt.price(value, instrument)}: P&L {fmt.signed_money(booked, currency)} "
        f"{for_screen(currency, 10)} ({fmt.signed_money(from_here, currency)} from here), "
        f"{fmt.unsigned_percent(room)} away."
    )
    return text if is_target else text + _order(value, item)


def start_of(item: Figures, *, is_target: bool) -> Decimal:
    """Return the price that arrow keys start from when a field is empty."""
    for reading in item.readings:
        if (reading.rule == TARGET) == is_target and _is_price(reading):
            return reading.level or item.position.entry
    return item.quote.last if item.quote is not None else item.position.entry


def rule_lines(item: Figures, zone: str) -> list[Line]:
    """Return every rule with its level, its room, and whether it is armed or why not."""
    out: list[Line] = []
    for reading in item.readings:
        mark, token = ("armed", "ok") if reading.is_armed else ("idle ", "muted")
        room = "" if reading.distance is None else fmt.unsigned_percent(reading.distance)
        out.append(
            (
                (f"{fmt.words(reading.rule):<14.14} ", "text"),
                (f"{mark} ", token),
                (f"{_level(reading, item, zone):>12} ", "text"),
                (f"{room:>8}  ", "text"),
                (for_screen(reading.why, 120), "muted"),
            )
        )
    return out


def _order(value: Price, item: Figures) -> str:
    """Return which rule fires before `value` does, and whether it is looser than before."""
    sign = item.position.side.sign
    closer = [
        reading
        for reading in item.readings
        if _is_price(reading)
        and reading.is_armed
        and reading.rule != TARGET
        and reading.level is not None
        and (reading.level - value) * sign > 0
        and not (reading.rule in OWN and reading.level == item.position.stop_loss)
    ]
    own = item.position.stop_loss
    text = ""
    if own is not None and (own - value) * sign > 0:
        text += f" LOOSER than before ({fmt.price(own, item.instrument)})."
    if closer:
        first = max(closer, key=lambda reading: (reading.level or Decimal(0)) * sign)
        level = fmt.price(first.level or value, item.instrument)
        text += f" The {fmt.words(first.rule)} rule stands closer ({level}) and fires first."
    return text


def _is_price(reading: Reading) -> bool:
    return reading.unit is Unit.PRICE and reading.level is not None


def _level(reading: Reading, item: Figures, zone: str) -> str:
    if reading.level is None:
        return fmt.NOTHING
    if reading.unit is Unit.INSTANT:
        return fmt.clock(Nanos(int(reading.level)), zone)
    if reading.unit is Unit.PRICE:
        return fmt.price(reading.level, item.instrument)
    return fmt.quantity(rounded(reading.level, Decimal(1)))
