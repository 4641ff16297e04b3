"""The simulated market gives the built-in strategy something to do, soon and often.

Nothing in the market knows of the strategy: the claim is about the market's manners, so it is
held over several seeds, both indices and a plain re-telling of the exit rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from engine.domain.ids import InstrumentId, Nanos, PositionId, StrategyName
from engine.domain.market import Bar, Quote, Tick, observe
from engine.domain.money import qty
from engine.domain.order import Side
from engine.domain.strategy import Close, Holding, Moment
from engine.runtime.clock import ManualClock
from engine.strategies.oi_momentum import OiMomentum, OiMomentumSettings
from engine.venues.sim.feed import SimFeed
from tests.builders import SECOND

BAR = 5 * SECOND
START = Nanos(1_800_000_000 * SECOND)


@dataclass(slots=True)
class Watch:
    """One strategy on one index, and when it entered and left (seconds, why)."""

    strategy: OiMomentum
    entries: list[float] = field(default_factory=list)
    exits: list[tuple[float, str]] = field(default_factory=list)
    quotes: dict[InstrumentId, Quote] = field(default_factory=dict)
    bars: dict[InstrumentId, Bar] = field(default_factory=dict)
    wanted: InstrumentId | None = None
    holding: Holding | None = None
    peak: Decimal = Decimal(0)
    oi: Decimal = Decimal(0)
    ends: int = START // BAR * BAR + BAR

    def take(self, tick: Tick) -> None:
        if tick.at >= self.ends:
            self._end_bar(tick.at)
        observe(self.quotes, tick, None)
        bar = self.bars.get(tick.instrument)
        if bar is None:
            price = tick.price
            self.bars[tick.instrument] = Bar(
                tick.instrument, Nanos(self.ends - BAR), price, price, price, price
            )
        self.bars[tick.instrument].close = tick.price
        self.bars[tick.instrument].oi = tick.oi
        if tick.instrument == self.wanted:
            self._enter(tick)
        elif self.holding is not None and tick.instrument == self.holding.instrument:
            self._judge(tick, self.holding)

    def _end_bar(self, at: Nanos) -> None:
        closes = {
            id_: Close(bar, self.quotes[id_].vwap, Nanos(0)) for id_, bar in self.bars.items()
        }
        moment = Moment(Nanos(self.ends - BAR), Nanos(self.ends), closes)
        for signal in self.strategy.on_bars(moment).signals:
            self.wanted = signal.instrument
        self.bars.clear()
        self.ends = at // BAR * BAR + BAR

    def _enter(self, tick: Tick) -> None:
        self.wanted = None
        self.entries.append((tick.at - START) / SECOND)
        self.holding = Holding(
            PositionId("p"), tick.instrument, Side.BUY, qty(75), tick.price, tick.at
        )
        self.peak, self.oi = tick.price, tick.oi or Decimal(0)
        self.strategy.on_opened(self.holding)

    def _judge(self, tick: Tick, held: Holding) -> None:
        self.peak = max(self.peak, tick.price)
        vwap = self.quotes[tick.instrument].vwap or Decimal(0)
        is_losing = tick.price < held.entry
        fired = {
            "stop_loss_hit": tick.price <= held.entry * Decimal("0.75"),
            "trailing_stop_hit": self.peak >= held.entry * Decimal("1.1")
            and tick.price <= self.peak * Decimal("0.9"),
            "vwap_stop_hit": is_losing and tick.price <= vwap * Decimal("0.95"),
            "oi_stop_hit": is_losing and (tick.oi or Decimal(0)) >= self.oi * Decimal("1.1"),
        }
        for why in (name for name, is_hit in fired.items() if is_hit):
            self.exits.append(((tick.at - START) / SECOND, why))
            self.holding = None
            self.strategy.on_closed(held, why, Decimal(0), tick.at)
            return


async def watch(seed: int, seconds: float) -> list[Watch]:
    feed = SimFeed(ManualClock(START), seed=seed, duration_s=seconds)
    terms = await feed.instruments()
    watches = []
    for name in ("NIFTY", "BANKNIFTY"):
        settings = OiMomentumSettings(underlying=InstrumentId(name), bar_seconds=5, cooldown_s=10)
        strategy = OiMomentum(StrategyName(name), settings)
        strategy.on_start(terms, None, START)
        watches.append(Watch(strategy))
    async for batch in feed.items():
        for item in batch:
            assert isinstance(item, Tick)
            for one in watches:
                one.take(item)
    return watches


@pytest.mark.parametrize("seed", [1, 7, 42])
async def test_both_indices_are_entered_within_twenty_seconds(seed: int) -> None:
    for one in await watch(seed, 25.0):
        assert one.entries
        assert one.entries[0] <= 20.0


async def test_stops_of_several_kinds_fire_every_few_minutes() -> None:
    exits = [exit_ for seed in (7, 8) for one in await watch(seed, 480.0) for exit_ in one.exits]
    assert len(exits) >= 8
    assert len({why for _, why in exits}) >= 3
    assert min(at for at, _ in exits) < 90.0
