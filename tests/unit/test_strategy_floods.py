"""A strategy that wants too much fails by itself; no exit stands in line behind its wishes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

import pytest

from engine.domain.event import SignalAccepted, SignalRefused, StrategyFailed, StrategyNoted
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import Qty
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Moment, Needs
from engine.runtime.flood import SIGNALS_MAX
from tests.builders import SECOND
from tests.strategy_desk import StrategyDesk, spec
from tests.unit.sample_strategies import Counter
from tests.unit.test_strategist import CATALOG, tick


@dataclass(frozen=True)
class FloodSettings:
    how: str = "at once"


class Flooder(Counter):
    """Wants or says a thousand things."""

    Settings: ClassVar[type] = FloodSettings

    def needs(self) -> Needs:
        return Needs(bar_seconds=60, ticks=self.settings.how == "on every tick")

    def on_bars(self, moment: Moment) -> Advice:
        at, symbol = moment.ends, min(moment.closes)
        if self.settings.how == "in words":
            return Advice(notes=tuple(f"note {n}" for n in range(1000)))
        if self.settings.how == "at once":
            return Advice(tuple(self.wish(n, symbol, at) for n in range(1000)))
        return Advice()

    def on_tick(self, tick: Tick) -> Advice:
        many = range(tick.at, tick.at + 50)
        return Advice(tuple(self.wish(n, tick.instrument, tick.at) for n in many))

    def wish(self, n: int, symbol: InstrumentId, at: Nanos) -> Signal:
        return Signal(f"f{n}", symbol, Side.BUY, at, Qty(Decimal(75)), strategy=self.name)


@pytest.mark.parametrize("how", ["at once", "in words", "on every tick"])
def test_a_strategy_that_floods_fails_and_the_others_go_on(how: str) -> None:
    kinds = (f"{__file__}:Flooder", "flooder"), (f"{__file__}:Counter", "counter")
    flooder = spec(*kinds[0], how=how)
    desk = StrategyDesk((flooder, spec(*kinds[1])), CATALOG).begin()
    for minute in range(3):
        for n in range(20):
            at = Nanos(tick(minute + 0.5).at + n * SECOND // 100)
            desk.tick(replace(tick(minute + 0.5), at=at))
    (failed,) = desk.of(StrategyFailed)
    assert failed.strategy == "flooder"
    assert f"{SIGNALS_MAX}" in failed.why
    wishes = len(desk.of(SignalAccepted)) + len(desk.of(SignalRefused))
    assert wishes <= SIGNALS_MAX
    assert len(desk.of(StrategyNoted)) < 10
    assert desk.notes()[-1] == "bar 2"
