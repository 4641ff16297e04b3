"""How a position lives through a bar: the price walks from point to point, continuously.

interfaces.md, Bars: a level crossed between two points fills at the level; one jumped over at
the open fills at the open (the open is given as a tick before this). `pessimistic` goes to the
adverse extreme first, so a bar that touches both stop and target exits at the stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from engine.domain.draft import Draft
from engine.domain.exits import Verdict, fire, judge, peak_with
from engine.domain.ids import Nanos
from engine.domain.inputs import BarSeen
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Market, Quote
from engine.domain.money import LEAST, Price, quotient, rounded
from engine.domain.shadow_watch import end_shadow
from engine.domain.stop import (
    Adverse,
    BelowVwap,
    ExitRule,
    Favourable,
    OpenInterest,
    Trail,
    Trigger,
    View,
    view_of,
)

SOURCE = "bar"
"""Source of a price inside a bar; the paper venue fills such an exit at the order's reference."""


def points(bar: Bar, path: str, sign: int) -> tuple[Price, Price, Price]:
    """Return where the price goes after the open, for a position of `sign`."""
    up_first = path == "ohlc" or (path == "pessimistic" and sign < 0)
    first, second = (bar.high, bar.low) if up_first else (bar.low, bar.high)
    return first, second, bar.close


def walk(draft: Draft, market: Market, given: BarSeen, now: Nanos) -> None:
    """Judge positions and shadows on the bar's instrument along its path; draft what ends."""
    state, bar = draft.state, given.bar
    quote = market.get(bar.instrument)
    if quote is None:
        return
    instrument = state.instruments.get(bar.instrument)
    for position in state.positions.values():
        if position.instrument != bar.instrument or instrument is None:
            continue
        if position.is_guarded(now):
            view = view_of(position, instrument, quote, now, peak_with(state, position, given.peak))
            found = _walked(state.rules, view, given)
            if found is not None:
                fire(draft, position, found[0], found[1], now)
    for shadow in state.shadows.values():
        position = shadow.position
        if position.instrument != bar.instrument or instrument is None or shadow.ending is not None:
            continue
        view = view_of(position, instrument, quote, now, peak_with(state, position, given.peak))
        found = _walked(state.rules, view, given)
        if found is not None:
            end_shadow(draft, shadow, found[0], found[1].reason, now)


def _walked(
    rules: tuple[ExitRule, ...], view: View, given: BarSeen
) -> tuple[Quote, Verdict] | None:
    """Return where on the way through the bar a rule fires first; None: nowhere."""
    for target in points(given.bar, given.path, view.sign):
        for price in (*_between(rules, view, target), target):
            view = _moved(view, price)
            verdict = judge(rules, view)
            if verdict is not None:
                return view.quote, verdict
    return None


def _moved(view: View, price: Price) -> View:
    quote: Quote = replace(view.quote, last=price, source=SOURCE)
    return view_of(view.position, view.instrument, quote, view.now, view.peak)


def _between(rules: Iterable[ExitRule], view: View, target: Price) -> list[Price]:
    """Return the prices strictly between here and `target` where a rule may fire, in order."""
    start = view.quote.last
    low, high = min(start, target), max(start, target)
    found = {
        level
        for rule in rules
        for trigger in rule.triggers(view)
        for level in _levels(trigger, view)
        if low < level < high
    }
    return [Price(level) for level in sorted(found, reverse=target < start)]


def _levels(trigger: Trigger, view: View) -> Iterator[Decimal]:
    match trigger:
        case Adverse(level) | Favourable(level):
            yield level
        case Trail(fraction, activation):
            if (view.peak - activation) * view.sign >= 0:
                yield view.peak * (1 - view.sign * fraction)
        case BelowVwap(fraction):
            yield from _vwap_levels(fraction, view)
        case OpenInterest():
            yield _worse(view.position.entry, view.instrument, view.sign)
        case _:
            return


def _vwap_levels(fraction: Decimal, view: View) -> Iterator[Decimal]:
    quote, sign = view.quote, view.sign
    if quote.volume:
        least = quote.turnover * (1 - sign * fraction)
        level = quotient(least, quote.volume)
        is_short_of_it = (level * quote.volume - least) * sign > 0  # the division was rounded
        yield level - sign * LEAST if is_short_of_it else level
        yield _worse(view.position.entry, view.instrument, sign)


def _worse(level: Decimal, instrument: Instrument, sign: int) -> Decimal:
    """Return the first tradable price beyond `level` against the position."""
    step = instrument.tick_size
    at = rounded(level, step)
    return at if (at - level) * sign < 0 else at - sign * step
