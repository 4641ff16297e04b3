"""What a person saw when deciding to close, and whether it is still so (C-2). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.ids import SECOND, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.money import Price, Qty, plain, quotient, ratio, rounded, rounded_down
from engine.domain.position import Position
from tui import formatting as fmt
from tui.book import Figures, figures
from tui.replica import SILENT_AFTER, Replica
from tui.typed import typed_number

SLACK: Final = Decimal("0.02")
"""A price further than this ratio from the one on screen ends a confirmation."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Quantity and price that were on screen."""

    position: PositionId
    qty: Qty
    price: Price | None


class AmountError(Exception):
    """A quantity cannot be closed; the message says what was typed and what is allowed."""


def seen(item: Figures) -> Seen:
    """Return what a person who looks at `item` sees."""
    return Seen(item.position.id, item.position.qty, item.quote.last if item.quote else None)


def figures_now(replica: Replica, position: PositionId, mono: Nanos) -> Figures | None:
    """Return the newest figures of a position, whatever the display shows; None if not open."""
    held = replica.state.positions.get(position)
    return None if held is None else figures(held, replica.state, replica, replica.now(mono))


def doubt(item: Figures, replica: Replica, mono: Nanos) -> str:
    """Return why the price cannot be trusted, or nothing: then no second line is needed."""
    if item.quote is None:
        return "NO PRICE has been heard for it"
    age = item.quote.age(replica.now(mono))
    if age > replica.state.limits.price_age_max_s * SECOND:
        return f"the price is STALE: {fmt.duration(age)} old"
    silence = replica.silence(mono)
    if silence > SILENT_AFTER:
        return f"the engine has been SILENT for {fmt.duration(silence)}"
    return ""


def what_changed(before: Seen, item: Figures | None, slack: Decimal = SLACK) -> str:
    """Return how `item` differs from what was seen beyond the limit, or nothing."""
    if item is None:
        return "it is closed already"
    if item.position.close is not None:
        return f"a close is in flight already ({item.position.close.phase.value})"
    if item.position.qty != before.qty:
        return (
            f"QUANTITY CHANGED {fmt.quantity(before.qty)} → {fmt.quantity(item.position.qty)} "
            "since you looked"
        )
    last = item.quote.last if item.quote else None
    if last is None or before.price is None:
        return "" if last is before.price else "a price has come in since you looked"
    moved = ratio(last - before.price, before.price)
    if abs(moved) <= slack:
        return ""
    old, new = fmt.price(before.price, item.instrument), fmt.price(last, item.instrument)
    return f"PRICE MOVED {old} → {new} ({fmt.percent(moved)}) since you looked"


def part_of(text: str, position: Position, instrument: Instrument | None) -> Qty:
    """Return the quantity that `text` (75 or 50%) means, in whole lots, rounded down."""
    held, lot = position.qty, instrument.lot_size if instrument else Decimal(1)
    typed = typed_number(text.strip().removesuffix("%"))
    if typed is None:
        raise AmountError(f"was {text[:20]!r}; a quantity such as {plain(lot)}, or 50%")
    if text.strip().endswith("%"):
        if typed > 100:
            raise AmountError(f"{plain(typed)}% is more than all of it")
        wanted = held if typed == 100 else quotient(held * typed, Decimal(100))
    else:
        wanted = typed
    if wanted > held:
        raise AmountError(f"{plain(wanted)} is more than the {plain(held)} that are open")
    if wanted == held:
        return held
    whole = rounded_down(wanted, lot)
    if whole <= 0:
        raise AmountError(f"{plain(wanted)} is less than one lot of {plain(lot)}")
    return Qty(whole)


def estimate(item: Figures, amount: Qty) -> Decimal | None:
    """Return the gross profit of closing `amount` at the last price; None without a price."""
    if item.quote is None or item.instrument is None:
        return None
    position = item.position
    value = quotient(position.entry_value * amount, position.qty)
    return item.instrument.profit(position.side.sign, value, item.quote.last, amount)


def stop_objection(price: Price, item: Figures, *, is_target: bool) -> str:
    """Return why `price` cannot be the stop (or target) of a position, or nothing."""
    instrument, quote, sign = item.instrument, item.quote, item.position.side.sign
    what = "target" if is_target else "stop"
    if instrument is not None and rounded(price, instrument.tick_size) != price:
        return f"{plain(price)} is no multiple of the tick size {plain(instrument.tick_size)}"
    if quote is None:
        return f"no price has been heard, so a {what} cannot be judged"
    room = (quote.last - price) * sign * (-1 if is_target else 1)
    if room > 0:
        return ""
    side = item.position.side.standing
    needed = "above" if (sign > 0) == is_target else "below"
    shown, last = fmt.price(price, instrument), fmt.price(quote.last, instrument)
    return (
        f"{what} {shown} is on the wrong side: the {what} of a {side} stands {needed} "
        f"the price {last}; there it would fire at once"
    )
