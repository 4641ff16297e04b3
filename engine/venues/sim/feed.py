"""The simulated market as a feed: a few batches a second, checked like any other feed's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from decimal import Decimal
from functools import partial
from math import isfinite
from typing import Final

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.ports.clock import Clock
from engine.ports.venue import FeedItem, GapUnknown
from engine.venues.refusals import Refusal, Refusals
from engine.venues.sim.catalog import sim_instruments
from engine.venues.sim.disturbance import Disturbance
from engine.venues.sim.market import RawQuote, SimMarket

DEFAULT_SEED: Final = 7
_LATE_MAX: Final = SECOND
"""A process that slept (suspended, stopped) goes on from now, not from where it fell asleep."""
_WIND_MAX_S: Final = 6 * 3600
"""A market that began longer ago begins anew: winding it forward would delay the start."""
_STEPS_A_TURN: Final = 20
"""Steps of the past between two turns of whoever watches the present."""
_PRICE_ALLOWED: Final = "a finite number above 0"


class SimFeed:
    """Implements engine.ports.venue.Feed. Prices depend on seed and step alone, never on the
    clock; the clock says when a step is due and what time its ticks carry.
    """

    name = "sim"

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = DEFAULT_SEED,
        speed: float | None = 1.0,
        pace: float = 20.0,
        steps_per_second: int = 5,
        began: Nanos | None = None,
        duration_s: float | None = None,
        disturbances: Sequence[Disturbance] = (),
        refused: Refusals | None = None,
    ) -> None:
        """`speed`: simulated seconds per second of `clock`; None: as fast as it is read.
        `pace`: how much more a price moves in a second than in the real market.
        `began`: when this market opened, for a session that goes on after a restart: it is wound
        forward to now. `duration_s`: the feed ends after so long; None: never.
        """
        if speed is not None and not 0 < speed < float("inf"):
            raise ValueError(f"speed was {speed}, allowed: above 0, or max")
        if not 1 <= steps_per_second <= 100:
            raise ValueError(f"steps_per_second was {steps_per_second}, allowed: 1 to 100")
        self.refused = refused if refused is not None else Refusals()
        self._clock = clock
        self._speed = speed
        self._duration = duration_s
        self._began = began
        self._again = partial(
            SimMarket, seed, pace=pace, step_s=1.0 / steps_per_second, disturbances=disturbances
        )
        self._reached = began
        """Up to when this market has moved; None: it has not begun."""
        self._instruments = sim_instruments()
        self._ticks = {key: float(item.tick_size) for key, item in self._instruments.items()}
        self._market = self._again()
        self._step: Final = SECOND // steps_per_second
        self._newest: dict[InstrumentId, Nanos] = {}

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return dict(self._instruments)

    async def items(self) -> AsyncIterator[list[FeedItem]]:
        """Yield the whole market once, then what ticks at each step."""
        await self._wind()
        market = self._market
        at = start = self._clock.now()
        due = self._clock.monotonic()
        first = market.steps
        yield self._checked(market.quotes(everything=True), at)
        while self._duration is None or market.elapsed_s < self._duration:
            market.advance()
            due = await self._wait(due)
            at = Nanos(start + (market.steps - first) * self._step)
            if self._speed == 1.0 and self._clock.now() - at > _LATE_MAX:
                start = Nanos(start + self._clock.now() - at)
                at = self._clock.now()
            self._reached = at
            yield self._checked(market.quotes(), at)

    async def between(
        self, since: Nanos, until: Nanos, instruments: Collection[InstrumentId]
    ) -> AsyncIterator[list[FeedItem]]:
        """Yield what this market did while nobody listened; see engine.ports.venue.History.

        The same market is wound from its beginning once more, so what listens now is left alone.
        """
        if self._began is None or not since - self._began >= 0:
            raise GapUnknown("the simulated market had not begun")
        if until - self._began > _WIND_MAX_S * SECOND:
            raise GapUnknown("the simulated market is wound forward for six hours only")
        market = self._again()
        for step in range(1, (until - self._began) // self._step + 1):
            market.advance()
            if step % _STEPS_A_TURN == 0:
                await asyncio.sleep(0)
            at = Nanos(self._began + step * self._step)
            if at > since:
                yield self._past(market.quotes(of=instruments), at)

    def _past(self, quotes: list[RawQuote], at: Nanos) -> list[FeedItem]:
        """Turn quotes of long ago into ticks; whoever judges them has a door of his own."""
        told = [(quote, Nanos(at - int(quote.late_s * SECOND))) for quote in quotes]
        return [self._tick(q, then) for q, then in told if isfinite(q.price) and q.price > 0]

    async def _wind(self) -> None:
        """Bring a market that moved on unseen to the present, letting others run meanwhile."""
        if self._reached is None:
            return
        elapsed = self._clock.now() - self._reached
        self._reached = self._clock.now()
        if not 0 < elapsed <= _WIND_MAX_S * SECOND:
            return
        for step in range(elapsed // self._step):
            self._market.advance()
            if step % 200 == 0:
                await asyncio.sleep(0)

    async def _wait(self, due: Nanos) -> Nanos:
        """Wait for the step after `due` and return when it was due."""
        if self._speed is None:
            await asyncio.sleep(0)
            return due
        due = Nanos(due + int(self._step / self._speed))
        late = self._clock.monotonic() - due
        if late > _LATE_MAX:
            due = self._clock.monotonic()
        await self._clock.sleep(max(0.0, -late / SECOND))
        return due

    def _checked(self, quotes: list[RawQuote], at: Nanos) -> list[FeedItem]:
        """Turn quotes into ticks; what cannot be one is counted by reason."""
        batch: list[FeedItem] = []
        for quote in quotes:
            told = Nanos(at - int(quote.late_s * SECOND))
            problem = self._problem(quote, told)
            if problem is None:
                self._newest[quote.instrument] = told
                batch.append(self._tick(quote, told))
            else:
                reason, column, value, allowed = problem
                place = self._market.steps
                self.refused.add(Refusal(reason, "sim", place, column, value, allowed))
        return batch

    def _problem(self, quote: RawQuote, at: Nanos) -> tuple[str, str, str, str] | None:
        if not isfinite(quote.price):
            return "price_not_finite", "price", str(quote.price), _PRICE_ALLOWED
        if quote.price <= 0:
            reason = "price_zero" if quote.price == 0 else "price_negative"
            return reason, "price", str(quote.price), _PRICE_ALLOWED
        newest = self._newest.get(quote.instrument, at)
        if at < newest:
            return "out_of_order", "time", str(at), f"not before {newest}"
        return None

    def _tick(self, quote: RawQuote, at: Nanos) -> Tick:
        instrument = self._instruments[quote.instrument]
        size = self._ticks[quote.instrument]
        step, lot = instrument.tick_size, instrument.lot_size
        price = step * max(1, round(quote.price / size))
        oi = Decimal(quote.oi) if quote.oi is not None else None
        if not quote.spread:
            return Tick(quote.instrument, Price(price), at, oi=oi, source=self.name)
        width = max(1, round(quote.spread / size))
        middle = max(1 + width, round(quote.price / size))
        depth = lot * (1 + middle % 9) * 10
        return Tick(
            quote.instrument,
            Price(price),
            at,
            lot * max(1, round(quote.volume / float(lot))),
            oi,
            step * (middle - width),
            step * (middle + width),
            depth,
            depth,
            self.name,
        )
