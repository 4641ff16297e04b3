"""The way of one underlying's price: a random walk through changing regimes.

The walk runs in compressed time: at pace 20 a second carries the volatility of twenty seconds of
the real market, so that a morning's ups and downs fit into a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from math import exp, sqrt, tanh
from random import Random  # noqa: TID251 (the simulated market's edge; always seeded)
from typing import Final

from engine.venues.sim.catalog import Listing


@unique
class Regime(Enum):
    """What the market is doing; the value is what a log line says."""

    TREND = "trend"
    CHOP = "chop"
    CALM = "calm"
    SPIKE = "spike"
    FADE = "fade"


@dataclass(frozen=True, slots=True)
class _Manner:
    drift: float
    """Standard deviations of one second, per second, in the regime's direction."""
    noise: float
    """Share of the ordinary volatility."""
    shortest: float
    longest: float
    """Seconds that it lasts."""
    weight: float
    """How often it is chosen next."""


_MANNERS: Final = {
    Regime.TREND: _Manner(0.50, 0.65, 20.0, 45.0, 5.0),
    Regime.CHOP: _Manner(0.0, 0.80, 10.0, 25.0, 2.0),
    Regime.CALM: _Manner(0.0, 0.30, 6.0, 14.0, 1.0),
    Regime.SPIKE: _Manner(2.20, 1.10, 2.5, 4.0, 1.0),
    Regime.FADE: _Manner(-0.80, 0.80, 3.0, 6.0, 0.0),
}
_HOME: Final = 0.006
"""Relative distance from the opening price at which turning back becomes clearly likelier."""
_MEMORY_S: Final = 6.0
"""Seconds over which momentum is felt."""


class Path:
    """Price, regime and momentum of one listing; moved by `advance`, by nothing else."""

    def __init__(self, listing: Listing, rng: Random, pace: float, bias: int) -> None:
        """`bias`: +1 or -1, the direction of the opening drive; the market opens with a trend."""
        self.price = listing.opening
        self.momentum = 0.0
        """Smoothed move in standard deviations per second; positive: rising."""
        self.stress = 0.0
        """0 to 1: how much a spike has shaken the market; implied volatility follows it."""
        self.regime = Regime.TREND
        self._home = listing.opening
        self._sigma = listing.volatility * sqrt(pace / listing.trading_seconds)
        self._rng = rng
        self._direction = bias
        self._left = rng.uniform(28.0, 40.0)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` of the session."""
        self._left -= seconds
        if self._left <= 0:
            self._choose()
        manner = _MANNERS[self.regime]
        noise = manner.noise * self._rng.gauss(0.0, 1.0) / sqrt(seconds)
        speed = self._direction * manner.drift + noise
        self.price *= exp(self._sigma * speed * seconds)
        self.momentum += (speed - self.momentum) * min(1.0, seconds / _MEMORY_S)
        target = 1.0 if self.regime is Regime.SPIKE else 0.0
        self.stress += (target - self.stress) * seconds / (2.0 if target else 20.0)

    def gap(self, ratio: float) -> None:
        """Jump by `ratio` of the price (-0.02 is two percent down) without trading between."""
        self.price *= 1.0 + ratio

    def _choose(self) -> None:
        """Enter the next regime; far from home the way back is likelier."""
        rng = self._rng
        if self.regime is Regime.SPIKE:
            self.regime = Regime.FADE
        else:
            last = self._direction
            names = list(_MANNERS)
            weights = [_MANNERS[name].weight for name in names]
            self.regime = rng.choices(names, weights)[0]
            away = (self.price / self._home - 1.0) / _HOME
            # Trends alternate more often than they repeat: that is what a range is.
            up = 0.5 - 0.35 * last - 0.45 * tanh(away)
            self._direction = 1 if rng.random() < min(0.95, max(0.05, up)) else -1
        manner = _MANNERS[self.regime]
        self._left = rng.uniform(manner.shortest, manner.longest)
