"""The core in motion: state, market and bands, moved by one input at a time. No I/O, no clock.

Live engine and replayer are two drivers of this one class; so are the simulations in the tests.
Every method returns the journal entries that the input led to; the state has evolved already,
and the driver must make them durable before anybody outside hears of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final, TypeAlias

from engine.domain import calendar
from engine.domain.band import vwap_due
from engine.domain.carryover import mark_of
from engine.domain.command import SubmitSignal
from engine.domain.decide import decide
from engine.domain.event import Entry, Mark, OrderFilled, Resumed, SessionStarted
from engine.domain.evolve import evolve
from engine.domain.exits import equity
from engine.domain.ids import SECOND, InstrumentId, Nanos, PositionId, Seq
from engine.domain.inputs import (
    BarSeen,
    Crossing,
    GapSeen,
    Input,
    Listing,
    Reported,
    TimePassed,
    VenueReport,
)
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Market, Quote, Tick, catch_up, observe
from engine.domain.money import EXACT, ZERO, Currency, Money
from engine.domain.order import WorkingOrder
from engine.domain.shadow import shadow_id
from engine.domain.state import State
from engine.runtime.guard import Guard, pending

MARK_EVERY: Final = 30 * SECOND
"""How often last prices and VWAP sums of held instruments are journaled."""


_RESTARTS: Final = frozenset({SessionStarted, Resumed})


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
        self.guard = Guard()
        self.bands = self.guard.bands
        self.ticks = 0
        self.is_risk_limited = False
        self.is_summing = True  # volume and turnover of quotes: some replays need neither
        self._highs: dict[Currency, Decimal] = {}
        """Highest equities that are not journaled yet; kept where a drawdown is limited."""
        self._sessions: dict[InstrumentId, tuple[Nanos, Nanos | None]] = {}
        self.marks_due = Nanos(0)
        """When last prices are journaled next."""
        if state is not None:
            self._restart()

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
            case GapSeen():
                return self._look_back(given, now)
            case _:
                return self.step(given, now)

    def step(self, given: Input, now: Nanos) -> list[Entry]:
        """Decide on `given`, evolve, and return the new entries."""
        events = decide(self.state, self.quotes, given, now)
        entries: list[Entry] = []
        for event in events:
            entry = Entry(Seq(self.state.seq + 1), now, event)
            self.state = evolve(self.state, entry)
            if type(event) in _RESTARTS:
                self._restart()
            else:
                self.guard.follow(entry, self.state, self.quotes)
            entries.append(entry)
        return entries

    def rewind(self, state: State) -> None:
        """Go back to `state`, from before an input that raised."""
        self.state = state
        self.guard.restart(state, self.quotes)

    def see(self, tick: Tick) -> Quote:
        """Enter a tick into its quote, without judging anything."""
        start = self.session_start(tick.instrument, tick.at)
        return observe(self.quotes, tick, start, is_summing=self.is_summing)

    def tick(self, tick: Tick, now: Nanos) -> list[Entry]:
        """Take in a tick; quiet ones cost two comparisons and lead to nothing."""
        self.ticks += 1
        instrument = tick.instrument
        quote = self.see(tick)
        band = self.bands.get(instrument)
        if band is None or not band.held:
            return []
        if now - tick.at > self.state.limits.price_age_max_s * SECOND:
            return []  # a stale price is not a price: it moves no peak, either
        price = float(tick.price)
        band.note(price)
        due: list[PositionId] = []
        if not (band.lo < price < band.hi and tick.at < band.deadline):
            due += band.wake(price, tick.at)
        if band.vwap_rules and quote.volume:
            due += vwap_due(band, price, float(quote.turnover), float(quote.volume))
        if tick.oi is not None and tick.oi >= band.oi_from:
            due += band.oi_due(float(tick.oi))
        if not due and not self.is_risk_limited:
            return []
        return self.judge(tick, due, now)

    def judge(self, tick: Tick, due: Sequence[PositionId], now: Nanos) -> list[Entry]:
        """Ask the rules of the positions that a tick woke; it is in its quote already."""
        peak = pending(tick.instrument, self.bands[tick.instrument])
        entries = self.step(Crossing(tick, tuple(due), peak, self._highest()), now)
        for id_ in due:
            self.guard.watch(id_, self.state, self.quotes)
        return entries

    def bar(self, bar: Bar, path: str, now: Nanos) -> list[Entry]:
        """Walk the positions on the bar's instrument from its open (ticked already) on."""
        band = self.bands.get(bar.instrument)
        if band is None:
            return []
        given = BarSeen(bar, path, pending(bar.instrument, band))
        entries = self.step(given, now)
        band.note(float(bar.high))
        band.note(float(bar.low))
        for id_ in tuple(band.held):
            self.guard.watch(id_, self.state, self.quotes)
        return entries

    def report(self, given: Reported, now: Nanos) -> list[Entry]:
        """Take in a venue's report; extremes from before a fill are journaled before it."""
        report = given.report
        order = report.fill.order if isinstance(report, OrderFilled) else report.order
        working = self.state.orders.get(order)
        if working is not None:
            instrument = working.order.instrument
            band = self.bands.get(instrument)
            given.peak = None if band is None else pending(instrument, band)
        entries = self.step(given, now)
        if working is not None:
            due = _left_open(self.state, self.quotes, report, working, now)
            if due:
                entries += self.step(TimePassed(due=due), now)
            for id_ in due:
                self.guard.watch(id_, self.state, self.quotes)
        return entries

    def signal(self, command: SubmitSignal, now: Nanos) -> list[Entry]:
        """List the signal's instrument if need be, then admit or refuse it."""
        entries: list[Entry] = []
        instrument = self.catalog.get(command.signal.instrument)
        if instrument is not None and instrument.id not in self.state.instruments:
            entries = self.step(Listing(instrument), now)
        return entries + self.step(command, now)

    def time(self, now: Nanos) -> list[Entry]:
        """Let time pass: conflated values become durable, timed rules of silent markets fire."""
        silent = now - self.state.limits.price_age_max_s * SECOND
        peaks = self.guard.news()
        due = self.guard.timed(Nanos(silent))
        if self.guard.rearmed:
            due = list(dict.fromkeys(due + _back_under_guard(self.guard, self.state, now)))
        given = TimePassed(peaks, self._marks(now), tuple(due), self._highest())
        entries = self.step(given, now)
        self._highs.clear()
        for id_ in due:
            self.guard.watch(id_, self.state, self.quotes)
        return entries

    def _look_back(self, given: GapSeen, now: Nanos) -> list[Entry]:
        """Take in what was found of a gap; what is open is watched from its peak there on."""
        catch_up(self.quotes, given.traded)
        entries = self.step(self.guard.with_pending(given), now)
        for id_ in (*(gap.position for gap in given.gaps), *self.state.shadows):
            self.guard.watch(id_, self.state, self.quotes)
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

    def reads_quotes(self, now: Nanos) -> bool:
        """Return whether `time(now)` is going to look at last prices."""
        state = self.state
        return bool(now >= self.marks_due or state.orders or state.latch or self.guard.rearmed)

    def _highest(self) -> tuple[Money, ...]:
        """Return the equities that are higher than what the journal knows."""
        if self.state.limits.drawdown_max is None:
            return ()
        with localcontext(EXACT):
            for currency, account in self.state.accounts.items():
                worth = equity(self.state, self.quotes, account)
                if worth > max(account.high_water, self._highs.get(currency, ZERO)):
                    self._highs[currency] = worth
        return tuple(Money(high, currency) for currency, high in self._highs.items())

    def _marks(self, now: Nanos) -> tuple[Mark, ...]:
        if self.marks_due - MARK_EVERY <= now < self.marks_due:  # else the clock stepped back
            return ()
        self.marks_due = Nanos(now + MARK_EVERY)
        held = [instrument for instrument, band in self.bands.items() if band.held]
        marks = [mark_of(self.quotes[i]) for i in sorted(held) if i in self.quotes]
        return tuple(m for m in marks if self.state.marks.get(m.instrument) != m)

    def _restart(self) -> None:
        """Forget the market; know again what the journal knows of it, and watch what is open."""
        limits = self.state.limits
        self.is_risk_limited = limits.daily_loss is not None or limits.drawdown_max is not None
        self.quotes.clear()
        self._highs.clear()
        for mark in self.state.marks.values():
            self.quotes[mark.instrument] = _quote(mark)
        self.catalog.update(self.state.instruments)
        self.guard.restart(self.state, self.quotes)


def _back_under_guard(guard: Guard, state: State, now: Nanos) -> list[PositionId]:
    """Return the positions whose protection came back after a failed close."""
    waiting = [p for p in state.positions.values() if p.rearm_at is not None]
    guard.rearmed = len(waiting)
    return [p.id for p in waiting if p.is_guarded(now)]


def _left_open(
    state: State, market: Market, report: VenueReport, was: WorkingOrder, now: Nanos
) -> tuple[PositionId, ...]:
    """Return what is left to be judged after an execution of an exit, position and shadow: a level
    that was passed while the exit was in flight still counts.
    """
    order = was.order
    if order.exit is None or not isinstance(report, OrderFilled):
        return ()
    quote = market.get(order.instrument)
    if quote is None or quote.age(now) > state.limits.price_age_max_s * SECOND:
        return ()
    position = state.positions.get(order.position)
    due = (order.position,) if position is not None and position.is_guarded(now) else ()
    shadow = state.shadows.get(shadow_id(order.id))
    if shadow is None or shadow.ending is not None or state.latch is not None:
        return due
    return (*due, shadow.id)


def _quote(mark: Mark) -> Quote:
    return Quote(
        mark.instrument,
        mark.last,
        mark.at,
        source="journal",
        oi=mark.oi,
        turnover=mark.turnover,
        volume=mark.volume,
        session_start=mark.session_start,
    )
