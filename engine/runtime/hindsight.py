"""What the rules would have done while nobody watched (E-63): the same core, over what is past.

A second core takes the state of the crash and what the market did since, with a paper venue of its
own and the gap's time. Whatever follows is looked at and thrown away: nothing of it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.domain.bar_path import SOURCE as BAR_SOURCE
from engine.domain.event import Entry, OrderFilled, OrderRequested, Peak, ShadowEnded
from engine.domain.gap import Gap, GapFinding
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId, Seq
from engine.domain.inputs import TimePassed
from engine.domain.instrument import Instrument
from engine.domain.market import Tick, Traded, offered
from engine.domain.money import Price
from engine.domain.order import Order
from engine.domain.quality_book import QualityBook
from engine.domain.shadow import watched as watched_of
from engine.domain.state import State
from engine.ports.journal import START
from engine.ports.venue import FeedItem, MatchingVenue
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.replayer import Replayer

BAR_PATH: Final = "pessimistic"
STILL: Final = 3
"""So many seconds after the last price what follows from it has happened."""
_TURN: Final = 32
"""Records, or seconds, that are judged in one go: the engine's loop must not wait for the past."""


class _Nowhere:
    """A journal that keeps nothing: what it is told never happened."""

    is_persisted = True
    error = ""

    async def append(self, entries: Sequence[Entry], after: State) -> None:
        """Forget `entries`."""

    async def read(self, after: Seq = START) -> list[Entry]:
        return []


@dataclass(frozen=True, slots=True)
class Seen:
    """What looking back at a gap came to."""

    gaps: tuple[Gap, ...]
    """One for each position."""
    peaks: tuple[Peak, ...]
    """Extremes of each held instrument in the gap: peaks go on from them."""
    traded: tuple[Traded, ...] = ()
    """What was traded of each held instrument and is not journaled."""
    shadows: tuple[ShadowEnded, ...] = ()
    """What would have ended of what was taken from its rules by hand."""


class Hindsight:
    """Give it everything of the gap in time order, then ask for what was `seen`."""

    def __init__(
        self,
        catalog: Mapping[InstrumentId, Instrument],
        state: State,
        venue: MatchingVenue,
        clock: ManualClock,
        since: Nanos,
    ) -> None:
        """`state`: as of the crash, or of a later one in its recovery: what was seen from then on
        is seen again, so none of it counts before its time. `venue` and `clock` are the gap's own;
        the venue knows what is held. `since`: from when nobody watched.
        """
        self._journaled = state.marks
        """Sums that the engine goes on from."""
        state = state.as_witnessed()
        self._state, self._since, self._clock = state, since, clock
        self._replayer = Replayer(Core(catalog, state), venue, clock, _Nowhere(), bar_path=BAR_PATH)
        self._replayer.watch(self._on_entry)
        self._door = QualityBook(catalog)
        watched = (*state.positions.values(), *(s.position for s in watched_of(state.shadows)))
        self._held = {position.instrument for position in watched}
        began = state.session.started_at if state.session is not None else since
        self._known = {id_: min(began, since) for id_ in self._held}
        """From when on the sums of an instrument are not journaled."""
        self._known |= {id_: state.marks[id_].at for id_ in self._held if id_ in state.marks}
        self._opened: dict[InstrumentId, Nanos] = {}
        for position in watched:
            newest = self._opened.get(position.instrument, position.opened_at)
            self._opened[position.instrument] = max(newest, position.opened_at)
        self._ticks: dict[InstrumentId, Tick] = {}
        self._samples = dict.fromkeys(self._held, 0)
        self._peaks: dict[InstrumentId, Peak] = {}
        self._exits: dict[OrderId, Order] = {}
        self._found: dict[PositionId, GapFinding] = {}
        self._shadows: list[ShadowEnded] = []
        self._is_begun = False
        self._still = 0
        """Seconds in a row in which nothing came."""
        clock.set(since)

    @property
    def begins(self) -> Nanos:
        """From when on it wants to know everything: VWAP sums are journaled now and then only."""
        return min(self._known.values(), default=self._since)

    @property
    def instruments(self) -> frozenset[InstrumentId]:
        """What it wants to know about."""
        return frozenset(self._held)

    async def take(self, items: Iterable[FeedItem]) -> None:
        """Take in what the market did, in time order; whoever watches has his turn meanwhile."""
        for number, item in enumerate(items, start=1):
            if item.instrument in self._held and self._is_fit(item):
                await self._take(item)
            if not number % _TURN:
                await asyncio.sleep(0)

    async def seen(self, until: Nanos) -> Seen:
        """Let the time until `until` pass, and return what was found."""
        self._begin()
        await self._pass_until(until)
        await self._replayer.finish()
        gaps = tuple(
            Gap(
                position.id,
                position.instrument,
                self._since,
                until,
                self._samples[position.instrument],
                self._found.get(position.id),
            )
            for position in self._state.positions.values()
        )
        peaks = tuple(self._peaks[id_] for id_ in sorted(self._peaks))
        return Seen(gaps, peaks, tuple(self._traded_unseen()), tuple(self._shadows))

    def _traded_unseen(self) -> Iterator[Traded]:
        for id_ in sorted(self._held):
            quote, mark = self._replayer.core.quotes.get(id_), self._journaled.get(id_)
            if quote is None or not quote.volume:
                continue
            if mark is not None and mark.session_start == quote.session_start:
                turnover, volume = quote.turnover - mark.turnover, quote.volume - mark.volume
            else:
                turnover, volume = quote.turnover, quote.volume
            if volume:
                yield Traded(id_, turnover, volume, quote.session_start)

    def _is_fit(self, item: FeedItem) -> bool:
        """Pass the door that live prices pass: what is no price moves nothing."""
        if isinstance(item, Tick):
            return self._door.accept(item, item.at) is None
        return self._door.accept_bar(item, Nanos(item.at + item.seconds * SECOND)) is None

    async def _take(self, item: FeedItem) -> None:
        if isinstance(item, Tick):
            self._ticks[item.instrument] = item
        if not self._is_unseen(item):
            self._see(item)
            return
        self._begin()
        await self._pass_until(item.at)
        self._still = 0
        self._samples[item.instrument] += 1
        self._note(item)
        self._replayer.take(item)

    def _see(self, item: FeedItem) -> None:
        """Count in what was judged when it came: its sums, and perhaps its extremes, were not
        journaled.
        """
        if isinstance(item, Tick) and item.at > self._known[item.instrument]:
            self._replayer.see(item)
            if item.at > self._opened[item.instrument]:
                self._note(item)

    def _begin(self) -> None:
        """Let peaks go on from the extremes that were seen and not journaled."""
        if self._is_begun:
            return
        self._is_begun = True
        core, now = self._replayer.core, self._clock.now()
        core.step(TimePassed(tuple(self._peaks.values())), now)
        for id_ in (*self._state.positions, *self._state.shadows):
            core.guard.watch(id_, core.state, core.quotes)

    def _is_unseen(self, item: FeedItem) -> bool:
        """Return whether nobody judged `item` when it came.

        A bar that began before the gap tells of the gap, too: what it touched before would have
        closed a position then, unless the position is younger than the bar.
        """
        if item.at > self._since or isinstance(item, Tick):
            return item.at > self._since
        return (
            self._opened[item.instrument] <= item.at
            and item.at + item.seconds * SECOND > self._since
        )

    async def _pass_until(self, at: Nanos) -> None:
        """Let every second pass that ended before `at`: a silent market has timed rules, too."""
        while self._clock.now() // SECOND < at // SECOND:
            if not self._clock.now() // SECOND % _TURN:
                await asyncio.sleep(0)
            self._replayer.pass_until(self._clock.now())
            self._clock.set(Nanos(self._next_second(at) * SECOND))
            self._replayer.pass_until(self._clock.now())
            self._still += 1

    def _next_second(self, at: Nanos) -> int:
        """Return the next second that something can happen in: a night has too many to try each."""
        core, after = self._replayer.core, self._clock.now() // SECOND + 1
        state = core.state
        if self._still < STILL or state.orders or state.latch or state.decisions:
            return after
        if core.guard.rearmed:
            return after
        due = min(core.guard.first_deadline, float(at)) // SECOND
        return max(after, min(at // SECOND, int(due) + state.limits.price_age_max_s))

    def _note(self, item: FeedItem) -> None:
        high, low = (item.price,) * 2 if isinstance(item, Tick) else (item.high, item.low)
        known = self._peaks.get(item.instrument)
        if known is not None and known.high is not None and known.low is not None:
            high, low = max(high, known.high), min(low, known.low)
        self._peaks[item.instrument] = Peak(item.instrument, high, low)

    def _on_entry(self, entry: Entry, state: State) -> None:
        match entry.event:
            case OrderRequested(order=order) if order.exit is not None:
                self._fired(order, entry.at)
            case ShadowEnded():
                self._shadows.append(replace(entry.event, fired_at=entry.at))
            case OrderFilled(fill=fill) if fill.order in self._exits:
                self._traded(self._exits.pop(fill.order), fill.at)
            case _:
                return

    def _fired(self, order: Order, at: Nanos) -> None:
        reason = order.exit
        if reason is None or order.position in self._found:
            return
        self._exits[order.id] = order
        self._found[order.position] = GapFinding(
            order.position, reason, at, order.reference, None, None, order.reference_source or ""
        )

    def _traded(self, order: Order, at: Nanos) -> None:
        """Note what an exit got first, before slippage."""
        tick = self._ticks.get(order.instrument)
        price: Price | None = order.reference
        if order.reference_source != BAR_SOURCE and tick is not None:
            price = offered(order.side.sign, tick)
        found = self._found[order.position]
        self._found[order.position] = replace(found, first_tradable=price, first_tradable_at=at)
