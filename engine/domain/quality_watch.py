"""Checks of one instrument's samples (S-20), cheap enough for every tick of a live feed.

Prices are compared exactly; a float is made only of a price that moved, for the jump's z-score.
Nothing is written down per tick: a counter moves, and the last example is kept as it came.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from engine.domain import calendar
from engine.domain.ids import SECOND, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Bar, Tick
from engine.domain.money import DIGITS_MAX, LEAST, ZERO
from engine.domain.quality import WINDOW_S, InstrumentQuality
from engine.domain.quality_window import Window

LARGEST: Final = Decimal("1e15")
SKEW: Final = SECOND // 4
"""A sample from further ahead of our clock counts against clock skew."""
JUMP_Z: Final = 20.0
"""Robust z-score (0.6745 x move / median move) from which a move is a jump."""
JUMP_LEAST: Final = 0.002
"""A move below 0.2 % is never a jump, however calm it was before."""
JUMP_TICKS: Final = 5
JUMP_WARMUP: Final = 30
"""Moves seen before any is judged."""
JUMP_GAP: Final = 900 * SECOND
"""After a longer silence (a pause, a night) a move is not judged."""
_FEW: Final = Context(prec=DIGITS_MAX, traps=[InvalidOperation, Inexact])
_SURE: Final = Context(prec=15)
"""Any decimal of so many digits survives becoming a float."""
_LEARN: Final = 1.05
"""Step of the running median of moves: up when a move was larger, down when smaller."""
FROZEN_AFTER: Final = WINDOW_S * SECOND
FROZEN_TICKS: Final = 20
"""So many samples that say something happens (trades; of an index: any) and no new price."""
FROZEN_EVERY: Final = 60 * SECOND


class Watch:
    """What is remembered of one instrument."""

    __slots__ = (
        "at",
        "bar_at",
        "examples",
        "frozen_due",
        "instrument",
        "is_index",
        "least",
        "median",
        "moves",
        "newest",
        "oi",
        "price",
        "price_float",
        "reported",
        "still",
        "volume",
        "window",
    )

    def __init__(self, instrument: Instrument, now: Nanos) -> None:
        self.instrument = instrument
        self.is_index = instrument.kind is Kind.INDEX
        self.window = Window(now)
        self.examples: dict[str, tuple[Nanos, Tick | Bar | str]] = {}
        self.newest = ""
        """Check that objected last."""
        self.at = self.bar_at = self.frozen_due = 0
        self.price: Decimal = ZERO
        self.volume: Decimal | None = None
        self.oi: Decimal | None = None
        self.price_float = self.median = 0.0
        self.least = float(instrument.tick_size) * JUMP_TICKS
        self.moves = self.still = 0
        self.reported: tuple[tuple[int, int], InstrumentQuality] | None = None
        """The newest report, and what the window stood at: it changes with every sample."""

    def look(self, tick: Tick, now: int, ahead: int) -> str | None:
        """Count `tick`; return why it must not become a tick, or None."""
        volume = tick.volume
        reason = self._unusable(tick, now + ahead)
        if reason is not None:
            return reason
        if now >= self.window.turns_at:
            self.window.turn(now)
        self.window.samples += 1
        if tick.price != self.price:
            self._move(tick, now)
        else:
            self._stay(tick, now)
        if volume is not None and not volume and not self.is_index:
            self.count("zero_volume", tick, now)
        if tick.at > now + SKEW:
            self.count("clock_skew", tick, now)
        bid, ask = tick.bid, tick.ask
        if bid is not None and ask is not None and bid > ask > ZERO:
            self.count("crossed_book", tick, now)
        self.at, self.volume, self.oi = tick.at, volume, tick.oi
        return None

    def _unusable(self, tick: Tick, latest: int) -> str | None:
        price = tick.price
        try:
            if type(price) is not Decimal or not LEAST <= price < LARGEST:
                return "price_invalid"
            if price != self.price and not _is_held(price):
                return "price_invalid"
            if not _is_amount(tick.volume):
                return "volume_invalid"
            if not _is_amount(tick.oi):
                return "oi_invalid"
            if not (_is_amount(tick.bid) and _is_amount(tick.ask)):
                return "book_invalid"
        except (InvalidOperation, Inexact, TypeError):
            return "price_invalid" if _is_odd(price) else "unreadable"
        if tick.at < self.at <= latest:  # later than that: our clock stepped back since
            return "out_of_order"
        return "future" if tick.at > latest else None

    def look_at_bar(self, bar: Bar, now: int, ahead: int) -> str | None:
        """Count `bar`; return why it must not be used, or None."""
        try:
            if not _are_decimal(bar) or bar.low < LEAST or not bar.high < LARGEST:
                return "price_invalid"
            if not (bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high):
                return "ohlc"
            if not (_is_amount(bar.volume) and _is_amount(bar.oi)):
                return "volume_invalid"
        except (InvalidOperation, Inexact, TypeError):
            return "price_invalid"
        if bar.at < self.bar_at:
            return "out_of_order"
        if bar.at > now + ahead:
            return "future"
        self.window.turn(now)
        self.window.samples += 1
        if bar.at == self.bar_at:
            self.count("duplicate", bar, now)
        elif self.bar_at:
            self._gap(bar, now)
        if bar.volume is not None and not bar.volume and not self.is_index:
            self.count("zero_volume", bar, now)
        self.bar_at = bar.at
        return None

    def count(self, check: str, sample: Tick | Bar | str, now: int, times: int = 1) -> None:
        """Count an objection and keep `sample` as its last example."""
        self.window.count(check, times)
        self.examples[check] = (Nanos(now), sample)
        self.newest = check

    def _move(self, tick: Tick, now: int) -> None:
        price, at = float(tick.price), tick.at
        last = self.price_float
        if last and at - self.at <= JUMP_GAP:
            change = abs(price - last)
            move = change / last
            median = self.median
            if (
                move >= JUMP_LEAST
                and self.moves >= JUMP_WARMUP
                and change > self.least
                and 0.6745 * move > JUMP_Z * median
            ):
                self.count("price_jump", tick, now)
            self.moves += 1
            self.median = (median * _LEARN if move > median else median / _LEARN) or move
        self.price, self.price_float = tick.price, price
        self.still, self.frozen_due = 0, at + FROZEN_AFTER

    def _stay(self, tick: Tick, now: int) -> None:
        if tick.volume or self.is_index:
            self.still += 1
            if (
                self.still >= FROZEN_TICKS
                and tick.at >= self.frozen_due
                and self.price_float > 4 * self.least  # a worthless option rightly stays there
            ):
                self.frozen_due = tick.at + FROZEN_EVERY
                self.count("frozen_price", tick, now)
        if tick.at == self.at and tick.volume == self.volume and tick.oi == self.oi:
            self.count("duplicate", tick, now)

    def _gap(self, bar: Bar, now: int) -> None:
        """Count the bars that are missing since the last one of the same session."""
        step = bar.seconds * SECOND
        missing = (bar.at - self.bar_at) // step - 1
        terms = self.instrument
        if missing <= 0 or calendar.trading_day(bar.at, terms) != calendar.trading_day(
            Nanos(self.bar_at), terms
        ):
            return
        opens = calendar.session_open(bar.at, terms)
        if opens is not None and self.bar_at < opens:
            missing = min(missing, max(0, bar.at - opens) // step)
        if missing > 0:
            self.count("missing_bars", bar, now, missing)


def _is_amount(value: Decimal | None) -> bool:
    """Return whether `value` is nothing or a Decimal from 0 to LARGEST; raises on a NaN, and on
    more digits than products stay exact with.
    """
    if value is None:
        return True
    return type(value) is Decimal and ZERO <= _FEW.plus(value) <= LARGEST


def _is_held(price: Decimal) -> bool:
    """Return whether a float holds `price`: the band compares, and keeps extremes, as floats."""
    return _SURE.plus(price) == price or Decimal(repr(float(price))) == price


def _are_decimal(bar: Bar) -> bool:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return all(type(price) is Decimal and _is_held(price) for price in prices)


def _is_odd(price: object) -> bool:
    return not isinstance(price, Decimal) or not price.is_finite()
