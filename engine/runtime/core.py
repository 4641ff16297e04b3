"""The core in motion: state, market and bands, moved by one input at a time. No I/O, no clock.

Live engine and replayer are two drivers of this one class; so are the simulations in the tests.
Every method returns the journal entries that the input led to; the state has evolved already,
and the driver must make them durable before anybody outside hears of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import Final, TypeAlias

from engine.domain import calendar
from engine.domain.band import Band
from engine.domain.command import SubmitSignal
from engine.domain.decide import decide
from engine.domain.event import (
    CloseRearmed,
    Entry,
    Mark,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequested,
    Peak,
    PeaksRaised,
    Resumed,
    SessionStarted,
    StopChanged,
)
from engine.domain.evolve import evolve
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId, Seq
from engine.domain.inputs import BarSeen, Crossing, Input, Listing, Reported, TimePassed
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Quote, Tick, observe
from engine.domain.money import Price
from engine.domain.position import Position
from engine.domain.state import State
from engine.domain.stop import View

MARK_EVERY: Final = 15 * SECOND
"""How often last prices and VWAP sums of held instruments are journaled."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The timer's turn; the core makes the `TimePassed` input from what it has conflated."""


Given: TypeAlias = Tick | Elapsed | Reported | SubmitSignal | Input


class Core:
    """`step` is the only way the state changes; ticks reach it when they leave their band."""

    def __init__(
        self, catalog: Mapping[InstrumentId, Instrument], state: State | None = None
    ) -> None:
        self.catalog = dict(catalog)
        self.state = state or State()
        self.quotes: dict[InstrumentId, Quote] = {}
        self.bands: dict[InstrumentId, Band] = {}
        self.ticks = 0
        self.is_risk_limited = False
        self._orders: dict[OrderId, PositionId] = {}
        self._homes: dict[PositionId, Band] = {}
        self._sessions: dict[InstrumentId, tuple[Nanos, Nanos | None]] = {}
        self._rearmed = 0
        self.marks_due = Nanos(0)
        """When last prices are journaled next."""
        if state is not None:
            self._restore()

    def take(self, given: Given, now: Nanos) -> list[Entry]:
        """Take in anything: the one door of both drivers."""
        match given:
            case Tick():
                return self.tick(given, now)
            case SubmitSignal():
                return self.signal(given, now)
            case Reported():
                return self.report(given, now)
            case Elapsed():
                return self.time(now)
            case _:
                return self.step(given, now)

    def step(self, given: Input, now: Nanos) -> list[Entry]:
        """Decide on `given`, evolve, and return the new entries."""
        events = decide(self.state, self.quotes, given, now)
        entries: list[Entry] = []
        for event in events:
            entry = Entry(Seq(self.state.seq + 1), now, event)
            self.state = evolve(self.state, entry)
            self._follow(entry)
            entries.append(entry)
        return entries

    def see(self, tick: Tick) -> Quote:
        """Enter a tick into its quote, without judging anything."""
        return observe(self.quotes, tick, self.session_start(tick.instrument, tick.at))

    def tick(self, tick: Tick, now: Nanos) -> list[Entry]:
        """Take in a tick; quiet ones cost two comparisons and lead to nothing."""
        self.ticks += 1
        instrument = tick.instrument
        quote = self.see(tick)
        band = self.bands.get(instrument)
        if band is None or not band.held:
            return []
        price = float(tick.price)
        band.high = max(band.high, price)
        band.low = min(band.low, price)
        due: list[PositionId] = []
        if not (band.lo < price < band.hi and tick.at < band.deadline):
            due += band.wake(price, tick.at)
        if band.needs_vwap and quote.volume:
            due += band.vwap_due(price, float(quote.turnover), float(quote.volume))
        if tick.oi is not None and tick.oi >= band.oi_from:
            due += band.oi_due(float(tick.oi))
        if not due and not self.is_risk_limited:
            return []
        return self.judge(tick, due, now)

    def judge(self, tick: Tick, due: Sequence[PositionId], now: Nanos) -> list[Entry]:
        """Ask the rules of the positions that a tick woke; it is in its quote already."""
        band = self.bands[tick.instrument]
        entries: list[Entry] = []
        limit = self.state.limits.price_age_max_s * SECOND
        if now - tick.at <= limit:  # a stale price is not a price
            peak = self._pending(tick.instrument, band)
            entries = self.step(Crossing(tick, tuple(due), peak), now)
        for id_ in due:
            self._watch(id_)
        return entries

    def bar(self, bar: Bar, path: str, now: Nanos) -> list[Entry]:
        """Walk the positions on the bar's instrument from its open (ticked already) on."""
        band = self.bands.get(bar.instrument)
        if band is None:
            return []
        given = BarSeen(bar, path, self._pending(bar.instrument, band))
        entries = self.step(given, now)
        band.high = max(band.high, float(bar.high))
        band.low = min(band.low, float(bar.low))
        for position in tuple(self.state.positions.values()):
            if position.instrument == bar.instrument:
                self._watch(position.id)
        return entries

    def report(self, given: Reported, now: Nanos) -> list[Entry]:
        """Take in a venue's report; extremes from before a fill are journaled before it."""
        report = given.report
        id_ = report.fill.order if isinstance(report, OrderFilled) else report.order
        working = self.state.orders.get(id_)
        if working is not None:
            instrument = working.order.instrument
            band = self.bands.get(instrument)
            given.peak = None if band is None else self._pending(instrument, band)
        return self.step(given, now)

    def signal(self, command: SubmitSignal, now: Nanos) -> list[Entry]:
        """List the signal's instrument if need be, then admit or refuse it."""
        entries: list[Entry] = []
        instrument = self.catalog.get(command.signal.instrument)
        if instrument is not None and instrument.id not in self.state.instruments:
            entries = self.step(Listing(instrument), now)
        return entries + self.step(command, now)

    def time(self, now: Nanos) -> list[Entry]:
        """Let time pass: conflated values become durable, timed rules of silent markets fire."""
        grace = self.state.limits.price_age_max_s * SECOND
        peaks: list[Peak] = []
        due: list[PositionId] = []
        for instrument, band in self.bands.items():
            if band.held:
                peak = self._pending(instrument, band)
                if peak is not None:
                    peaks.append(peak)
                if band.deadline + grace <= now:
                    due += band.timed(now - grace)
        if self._rearmed:
            due += self._back_under_guard(now)
        given = TimePassed(tuple(peaks), self._marks(now), tuple(due))
        entries = self.step(given, now)
        for id_ in due:
            self._watch(id_)
        return entries

    def session_start(self, instrument: InstrumentId, at: Nanos) -> Nanos | None:
        """Return the opening of the session of `at` (cached per day); None: never closes."""
        known = self._sessions.get(instrument)
        if known is not None and at < known[0]:
            return known[1]
        terms = self.catalog.get(instrument)
        if terms is None:
            return None
        start = calendar.session_open(at, terms)
        self._sessions[instrument] = (calendar.next_midnight(at, terms), start)
        return start

    def _back_under_guard(self, now: Nanos) -> list[PositionId]:
        """Return the positions whose protection came back after a failed close."""
        waiting = [p for p in self.state.positions.values() if p.rearm_at is not None]
        self._rearmed = len(waiting)
        return [p.id for p in waiting if p.is_guarded(now)]

    def reads_quotes(self, now: Nanos) -> bool:
        """Return whether `time(now)` is going to look at last prices."""
        state = self.state
        return bool(now >= self.marks_due or state.orders or state.latch or self._rearmed)

    def _marks(self, now: Nanos) -> tuple[Mark, ...]:
        if now < self.marks_due:
            return ()
        self.marks_due = Nanos(now + MARK_EVERY)
        held = {p.instrument for p in self.state.positions.values()}
        marks = [_mark(self.quotes[i]) for i in sorted(held) if i in self.quotes]
        return tuple(m for m in marks if self.state.marks.get(m.instrument) != m)

    def _pending(self, instrument: InstrumentId, band: Band) -> Peak | None:
        if not band.has_news:
            return None
        return Peak(instrument, _exact(band.high), _exact(band.low))

    def _restore(self) -> None:
        limits = self.state.limits
        self.is_risk_limited = limits.daily_loss is not None or limits.drawdown_max is not None
        for mark in self.state.marks.values():
            self.quotes[mark.instrument] = Quote(
                mark.instrument,
                mark.last,
                mark.at,
                source="journal",
                oi=mark.oi,
                turnover=mark.turnover,
                volume=mark.volume,
                session_start=mark.session_start,
            )
        self.catalog.update(self.state.instruments)
        self._orders = {id_: w.order.position for id_, w in self.state.orders.items()}
        for id_ in self.state.positions:
            self._watch(id_)

    def _follow(self, entry: Entry) -> None:
        """Keep the bands true to the state."""
        match entry.event:
            case OrderFilled(fill=fill):
                self._watch(self._orders[fill.order])
                if fill.order not in self.state.orders:
                    del self._orders[fill.order]
            case OrderRequested(order=order):
                self._orders[order.id] = order.position
                if order.exit is not None:
                    self._watch(order.position)
            case OrderRejected(order=id_) | OrderCancelled(order=id_):
                self._watch(self._orders.pop(id_))
            case StopChanged(position=position) | CloseRearmed(position=position):
                self._rearmed += isinstance(entry.event, CloseRearmed)
                self._watch(position)
            case PeaksRaised(peaks=peaks):
                for peak in peaks:
                    self.bands[peak.instrument].settle_extremes()
            case SessionStarted() | Resumed():
                self._restart()
            case _:
                return

    def _restart(self) -> None:
        self.bands.clear()
        self._homes.clear()
        self.quotes.clear()
        self._restore()

    def _watch(self, id_: PositionId) -> None:
        """Enter what can make a rule of a position fire; a position that is closing has nothing."""
        position = self.state.positions.get(id_)
        if position is None:
            self._forget(id_)
            return
        band = self.bands.get(position.instrument)
        if band is None:
            band = self.bands[position.instrument] = Band()
        if id_ not in band.held:
            band.forget_extremes()
            band.held.add(id_)
        self._homes[id_] = band
        if position.close is not None:
            band.remove(id_)
            return
        view = self._view(position, band)
        triggers = [t for rule in self.state.rules for t in rule.triggers(view)]
        entry, peak = float(position.entry), float(view.peak)
        band.add(id_, position.side.sign, entry, peak, triggers)

    def _view(self, position: Position, band: Band) -> View:
        quote = self.quotes.get(position.instrument)
        if quote is None:  # nothing ticked yet: levels follow from the entry alone
            quote = Quote(position.instrument, position.entry, position.opened_at)
        peak = self.state.peak(position)
        if position.side.sign > 0 and band.high != -inf:
            peak = max(peak, _exact(band.high))
        elif position.side.sign < 0 and band.low != inf:
            peak = min(peak, _exact(band.low))
        terms = self.state.instruments[position.instrument]
        return View(position, terms, quote, quote.at, peak)

    def _forget(self, id_: PositionId) -> None:
        band = self._homes.pop(id_, None)
        if band is not None:
            band.remove(id_)
            band.held.discard(id_)


def _exact(price: float) -> Price:
    """Return the decimal that a price was before it became a float (15 digits survive)."""
    return Price(Decimal(repr(price)))


def _mark(quote: Quote) -> Mark:
    return Mark(
        quote.instrument,
        quote.last,
        quote.at,
        quote.turnover,
        quote.volume,
        quote.session_start,
        quote.oi,
    )
