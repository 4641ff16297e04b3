"""Keeps the trigger bands true to the state: what is open and not closing is watched, always."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf

from engine.domain.band import Band
from engine.domain.event import (
    CloseRearmed,
    Entry,
    OrderAdopted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequested,
    Peak,
    PeaksRaised,
    ShadowEnded,
    StopChanged,
)
from engine.domain.ids import InstrumentId, Nanos, OrderId, PositionId, ShadowId, order_id
from engine.domain.inputs import GapSeen
from engine.domain.market import Quote
from engine.domain.money import Price
from engine.domain.position import Position
from engine.domain.shadow import shadow_id
from engine.domain.state import State
from engine.domain.stop import View


class Guard:
    """The bands by instrument. Derived: `restart` rebuilds them from a state at any time."""

    def __init__(self) -> None:
        self.bands: dict[InstrumentId, Band] = {}
        self.rearmed = 0
        """At most so many positions wait for their protection after a failed close."""
        self.moved: set[Band] = set()
        """Bands that were given or taken a position; for who keeps a copy of what they say."""
        self._news: dict[InstrumentId, Band] = {}
        self._first_deadline = inf
        """No timed rule is due before it."""
        self._homes: dict[PositionId, Band] = {}
        self._orders: dict[OrderId, PositionId] = {}

    def restart(self, state: State, quotes: Mapping[InstrumentId, Quote]) -> None:
        """Watch everything that is open in `state`, and nothing else."""
        self.bands.clear()
        self._homes.clear()
        self._news.clear()
        self._first_deadline = inf
        self._orders = {id_: w.order.position for id_, w in state.orders.items()}
        self.rearmed = sum(p.rearm_at is not None for p in state.positions.values())
        for id_ in (*state.positions, *state.shadows):
            self.watch(id_, state, quotes)

    def follow(self, entry: Entry, state: State, quotes: Mapping[InstrumentId, Quote]) -> None:
        """Take in an entry and the state that it led to."""
        if state.shadows or type(entry.event) is ShadowEnded:
            self._follow_shadow(entry, state, quotes)
        match entry.event:
            case OrderFilled(fill=fill):
                self.watch(self._orders[fill.order], state, quotes)
                if fill.order not in state.orders:
                    del self._orders[fill.order]
            case OrderRequested(order=order) | OrderAdopted(order=order):
                self._orders[order.id] = order.position
                if order.exit is not None:
                    self.watch(order.position, state, quotes)
            case OrderRejected(order=id_) | OrderCancelled(order=id_):
                self.watch(self._orders.pop(id_), state, quotes)
            case StopChanged(position=position) | CloseRearmed(position=position):
                self.rearmed += isinstance(entry.event, CloseRearmed)
                self.watch(position, state, quotes)
            case PeaksRaised(peaks=peaks):
                for peak in peaks:
                    self.bands[peak.instrument].settle_extremes()
            case _:
                return

    def with_pending(self, given: GapSeen) -> GapSeen:
        """Return `given` with the extremes since that are not journaled yet counted in."""
        return replace(given, peaks=tuple(self._wider(peak) for peak in given.peaks))

    def _wider(self, peak: Peak) -> Peak:
        band = self.bands.get(peak.instrument)
        known = None if band is None else pending(peak.instrument, band)
        highs = [p for p in (peak.high, known.high if known else None) if p is not None]
        lows = [p for p in (peak.low, known.low if known else None) if p is not None]
        return Peak(peak.instrument, max(highs, default=None), min(lows, default=None))

    def _follow_shadow(
        self, entry: Entry, state: State, quotes: Mapping[InstrumentId, Quote]
    ) -> None:
        match entry.event:
            case OrderFilled(fill=fill):  # an exit by hand: what it took is watched on
                self.watch(shadow_id(fill.order), state, quotes)
            case StopChanged() if state.session is not None:
                self.watch(shadow_id(order_id(state.session.id, entry.seq)), state, quotes)
            case ShadowEnded(shadow=id_):
                self._forget(id_)
            case _:
                return

    def watch(self, id_: PositionId, state: State, quotes: Mapping[InstrumentId, Quote]) -> None:
        """Enter what can make a rule of a position or a shadow fire; a closing one has nothing."""
        position = state.positions.get(id_)
        is_entered = position is not None
        if position is None:
            shadow = state.shadows.get(ShadowId(id_))
            position = None if shadow is None or shadow.ending is not None else shadow.position
        if position is None:
            self._forget(id_)
            return
        band = self.bands.get(position.instrument)
        if band is None:
            band = self.band(position.instrument)
        if id_ not in band.held:
            if is_entered:  # a shadow was held all the time: what was seen counts for it, too
                band.forget_extremes()
            band.hold(id_, position.side.sign)
        self._homes[id_] = band
        self.moved.add(band)
        if position.close is not None:
            band.remove(id_)
            return
        view = self.view(position, state, quotes)
        triggers = [t for rule in state.rules for t in rule.triggers(view)]
        entry, peak = float(position.entry), float(view.peak)
        band.add(id_, position.side.sign, entry, peak, triggers)
        self._first_deadline = min(self._first_deadline, band.deadline)

    def band(self, instrument: InstrumentId) -> Band:
        """Return the band of an instrument; an empty one if it had none."""
        band = self.bands.get(instrument)
        if band is None:
            band = self.bands[instrument] = Band(instrument, self._news)
        return band

    def news(self) -> tuple[Peak, ...]:
        """Return the extremes of what is held that are not journaled yet."""
        if not self._news:
            return ()
        told = [self._news[id_] for id_ in sorted(self._news)]
        self._news.clear()
        for band in told:
            if band.has_news and not band.held:
                self._news[band.instrument] = band
        peaks = (pending(band.instrument, band) for band in told if band.held)
        return tuple(peak for peak in peaks if peak is not None)

    @property
    def first_deadline(self) -> float:
        """No timed rule is due before it, in ns."""
        return self._first_deadline

    def timed(self, at: Nanos) -> list[PositionId]:
        """Return (and take) the positions with a timed rule due at `at`."""
        due: list[PositionId] = []
        if self._first_deadline > at:
            return due
        for instrument in sorted(self.bands):
            band = self.bands[instrument]
            if band.deadline <= at and band.held:
                due += band.timed(at)
        self._first_deadline = min((b.deadline for b in self.bands.values() if b.held), default=inf)
        return due

    def view(self, position: Position, state: State, quotes: Mapping[InstrumentId, Quote]) -> View:
        """Return what the rules see of a position, with extremes that are not journaled yet."""
        quote = quotes.get(position.instrument)
        if quote is None:  # nothing ticked yet: levels follow from the entry alone
            quote = Quote(position.instrument, position.entry, position.opened_at)
        peak, band = state.peak(position), self.bands[position.instrument]
        if position.side.sign > 0 and band.high != -inf:
            peak = max(peak, _exact(band.high))
        elif position.side.sign < 0 and band.low != inf:
            peak = min(peak, _exact(band.low))
        terms = state.instruments[position.instrument]
        return View(position, terms, quote, quote.at, peak)

    def _forget(self, id_: PositionId) -> None:
        band = self._homes.pop(id_, None)
        if band is not None:
            band.release(id_)
            self.moved.add(band)


def pending(instrument: InstrumentId, band: Band) -> Peak | None:
    """Return the extremes that are news to somebody and not journaled yet."""
    if not band.has_news:
        return None
    high = _exact(band.high) if band.high > band.best and band.longs else None
    low = _exact(band.low) if band.low < band.worst and band.shorts else None
    return Peak(instrument, high, low)


def _exact(price: float) -> Price:
    """Return the decimal that a price was before it became a float (15 digits survive)."""
    return Price(Decimal(repr(price)))
