"""One moment of a session: the state after an entry, and the prices that the journal knows by then.

Prices are only those that were journaled: marks, fills, and what a fired stop had seen. Between two
of them nothing is known, so a price is shown with its age and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.domain import event as ev
from engine.domain.evolve import evolve
from engine.domain.ids import InstrumentId
from engine.domain.market import Quote
from engine.domain.state import State


@dataclass(frozen=True, slots=True)
class Moment:
    """Nothing in it is ever changed: neighbours share what they have in common."""

    state: State = field(default_factory=State)
    quotes: Mapping[InstrumentId, Quote] = field(default_factory=dict)


def beginning(state: State) -> Moment:
    """Return the moment at which `state` stood; its prices are the journal's marks."""
    return Moment(state, {mark.instrument: _quote(mark) for mark in state.marks.values()})


def after(moment: Moment, entry: ev.Entry) -> Moment:
    """Return the moment after `entry`. Raises IllegalTransition if it cannot follow."""
    seen = tuple(prices(moment, entry))
    state = evolve(moment.state, entry)
    if not seen:
        return Moment(state, moment.quotes)
    return Moment(state, {**moment.quotes, **{quote.instrument: quote for quote in seen}})


def prices(moment: Moment, entry: ev.Entry) -> Iterator[Quote]:
    """Yield the prices that `entry` says, unless a newer one is known already."""
    for quote in _said(moment, entry.event):
        known = moment.quotes.get(quote.instrument)
        if known is None or quote.at >= known.at:
            yield quote


def _said(moment: Moment, event: ev.Event) -> Iterator[Quote]:
    match event:
        case ev.QuotesMarked(marks=marks):
            yield from map(_quote, marks)
        case ev.OrderFilled(fill=fill) if fill.order in moment.state.orders:
            name = moment.state.orders[fill.order].order.instrument
            yield _newer(moment, Quote(name, fill.price, fill.at, "fill"))
        case ev.StopFired(position=id_, price=price, price_at=at) if id_ in moment.state.positions:
            name = moment.state.positions[id_].instrument
            yield _newer(moment, Quote(name, price, at, "stop"))


def _newer(moment: Moment, quote: Quote) -> Quote:
    """Return `quote` with the session's sums of the one before it, which the journal last said."""
    known = moment.quotes.get(quote.instrument)
    if known is None:
        return quote
    return replace(known, last=quote.last, at=quote.at, source=quote.source)


def _quote(mark: ev.Mark) -> Quote:
    return Quote(
        mark.instrument,
        mark.last,
        mark.at,
        "mark",
        mark.oi,
        turnover=mark.turnover,
        volume=mark.volume,
        session_start=mark.session_start,
    )
