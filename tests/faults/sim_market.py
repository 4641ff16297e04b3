"""The market of a simulation, and the feed that tells of it badly."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from engine.domain.calendar import is_open
from engine.domain.command import ControlFeed
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.market import Tick
from engine.domain.money import Currency, Price
from engine.domain.session import Mode
from engine.ports.venue import FeedItem, GapUnknown, History
from tests.faults.sim_venue import SimVenue
from tests.faults.virtual import VirtualClock

BTC: Final = InstrumentId("BTC_USDC-PERPETUAL")
GOLD: Final = InstrumentId("GOLD")
PUT: Final = InstrumentId("NIFTY26JAN25900PE")
USDC, INR = Currency("USDC"), Currency("INR")
CATALOG: Final = {
    i.id: i
    for i in (
        Instrument(BTC, Kind.LINEAR, USDC, Decimal("0.5"), Decimal("0.001")),
        Instrument(GOLD, Kind.SPOT, USDC, Decimal("0.01"), Decimal("0.1")),
        Instrument(
            PUT,
            Kind.OPTION,
            INR,
            Decimal("0.05"),
            Decimal(75),
            underlying=InstrumentId("NIFTY"),
            strike=Decimal(25900),
            right=Right.PUT,
            expiry="2026-01-27",
            calendar="NSE",
            time_zone="Asia/Kolkata",
            session_open="09:15",
            session_close="15:30",
        ),
    )
}
BEGINS: Final = {BTC: 180_000, GOLD: 240_000, PUT: 2_000}
"""First prices, in ticks."""
STEPS: Final = {BTC: 90, GOLD: 120, PUT: 3}
"""How far a second moves them, in ticks: about a standard deviation."""
TAPE: Final = 10_000
"""Ticks kept: an hour of three markets."""
FEED_FAULTS: Final = ("gap", "bad", "doubled", "old", "spike", "broken")


class SimTape:
    """The newest prices of the market, for whoever was away."""

    def __init__(self) -> None:
        self.ticks: deque[Tick] = deque(maxlen=TAPE)

    async def between(
        self, since: Nanos, until: Nanos, instruments: Collection[InstrumentId]
    ) -> AsyncIterator[list[FeedItem]]:
        """Yield what was traded, tick by tick; raise GapUnknown if that is not known any more."""
        if not self.ticks or (len(self.ticks) == TAPE and self.ticks[0].at > since):
            raise GapUnknown("that is too long ago")
        for tick in tuple(self.ticks):
            if since < tick.at <= until and tick.instrument in instruments:
                yield [replace(tick)]


class SimSource:
    """The feed as one process hears it."""

    mode = Mode.PAPER

    def __init__(self, clock: VirtualClock, history: History | None) -> None:
        self.clock = clock
        self.history = history
        self._queue: asyncio.Queue[list[Tick] | Exception] = asyncio.Queue()

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return dict(CATALOG)

    async def ticks(self) -> AsyncIterator[list[Tick]]:
        while True:
            said = await self._queue.get()
            if isinstance(said, Exception):
                raise said
            yield said

    def control(self, command: ControlFeed) -> None:
        """Nothing can be controlled here."""

    def say(self, said: list[Tick] | Exception) -> None:
        self._queue.put_nowait(said)


@dataclass(slots=True)
class SimMarket:
    """Prices that walk, a second at a time; `fault` says how badly the feed tells them."""

    venue: SimVenue
    clock: VirtualClock
    rng: random.Random
    source: SimSource | None = None
    fault: str = ""
    at: dict[InstrumentId, int] = field(default_factory=lambda: dict(BEGINS))
    tape: SimTape = field(default_factory=SimTape)
    _said: list[Tick] = field(default_factory=list)

    async def run(self) -> None:
        """Trade for ever."""
        while True:
            await asyncio.sleep(self.rng.uniform(0.8, 1.2))
            self.trade()

    def trade(self) -> None:
        """Let every open market trade once, and tell."""
        now, said = self.clock.true_now, []
        for id_, terms in CATALOG.items():
            if not is_open(now, terms) or id_ in self.venue.halted:
                continue
            moved = self.at[id_] + round(self.rng.gauss(0, STEPS[id_]))
            if self.rng.random() < 0.002:  # a gap, through whatever stands in its way
                moved += self.rng.choice((-15, 15)) * STEPS[id_]
            low, high = BEGINS[id_] * 3 // 4, BEGINS[id_] * 4 // 3
            self.at[id_] = min(high, max(low, moved))
            price = Price(self.at[id_] * terms.tick_size)
            self.venue.trade(id_, price)
            said.append(Tick(id_, price, now, volume=Decimal(self.rng.randint(1, 9))))
        self.tape.ticks.extend(said)
        if self.source is not None and said:
            self._tell(self.source, said, now)

    def _tell(self, source: SimSource, said: list[Tick], now: Nanos) -> None:
        match self.fault:
            case "gap":
                return
            case "bad":
                bad = self.rng.choice((Decimal("NaN"), Decimal(0), Decimal(-5), Decimal("1e30")))
                said = [replace(tick, price=Price(bad)) for tick in said]
            case "doubled":
                said = said + [replace(tick) for tick in said]
            case "old":
                said = [replace(tick) for tick in self._said] + said
            case "spike" if self.rng.random() < 0.1:
                wild = self.rng.choice((Decimal("0.5"), Decimal(2)))
                said = [replace(t, price=Price(t.price * wild), at=Nanos(now - 1)) for t in said]
            case "broken" if self.rng.random() < 0.2:
                source.say(ConnectionError("the feed was cut"))
                return
            case _:
                self._said = said
        source.say(said)
