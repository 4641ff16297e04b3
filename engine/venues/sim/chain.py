"""An option chain on a simulated index: what options are worth and how much of them is open."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, sqrt
from random import Random  # noqa: TID251 (the simulated market's edge; always seeded)
from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Right
from engine.venues.sim.catalog import MATURITY_DAYS, Listing, option_id, strikes
from engine.venues.sim.path import Path

_YEARS: Final = MATURITY_DAYS / 365.0
_ROOT: Final = sqrt(_YEARS)
_REACH: Final = 4.0
"""Strikes around spot within which positions are mostly opened and closed."""
_RATE: Final = 0.013
"""Share of open interest that a second of ordinary momentum opens or closes near the money."""
_RETURN: Final = 0.008
"""Share of the distance from its ordinary level that open interest makes good per second."""


@dataclass(slots=True)
class Contract:
    """One option; `shift` is its open interest's distance from the ordinary, as a ratio."""

    id: InstrumentId
    strike: int
    right: Right
    ordinary_oi: float
    shift: float = 0.0

    @property
    def oi(self) -> int:
        return max(0, round(self.ordinary_oi * (1.0 + self.shift)))


class OptionChain:
    """All options on one index. Writers close when the market comes at them and open when it
    leaves: rising spot unwinds calls and builds up puts, falling spot the reverse.
    """

    def __init__(self, listing: Listing, rng: Random, bias: int) -> None:
        """`bias`: the side whose wall of open interest is nearer at the opening (+1: calls)."""
        self._listing = listing
        self._rng = rng
        step = listing.strike_step
        near, far = rng.choice((1, 2)), rng.choice((4, 5))
        middle = round(listing.opening / step) * step
        calls = middle + step * (near if bias > 0 else far)
        puts = middle - step * (far if bias > 0 else near)
        self.contracts = [
            self._contract(strike, right, calls if right is Right.CALL else puts)
            for strike in strikes(listing)
            for right in Right
        ]

    def advance(self, seconds: float, path: Path) -> None:
        """Let open interest react to `seconds` of the underlying's move."""
        push = max(-1.5, min(1.5, path.momentum * 2.0)) * _RATE
        step = self._listing.strike_step
        for contract in self.contracts:
            near = exp(-abs(contract.strike - path.price) / (_REACH * step))
            sign = -1.0 if contract.right is Right.CALL else 1.0
            drive = sign * push * near + 0.002 * self._rng.gauss(0.0, 1.0)
            shift = contract.shift + (drive - _RETURN * contract.shift) * seconds
            contract.shift = max(-0.6, min(0.9, shift))

    def worth(self, contract: Contract, path: Path) -> float:
        """Return what `contract` is worth now (Black-Scholes without interest, smile in the
        volatility).
        """
        spot, strike = path.price, float(contract.strike)
        base = self._listing.volatility * (1.0 + 0.25 * path.stress)
        distance = (strike - spot) / (spot * base * _ROOT)
        # Puts far below are dearer than calls far above: a smile with a skew.
        volatility = base * (1.0 + 0.02 * distance * distance - 0.03 * distance)
        return black_scholes(spot, strike, volatility * _ROOT, contract.right)

    def _contract(self, strike: int, right: Right, wall: int) -> Contract:
        step = self._listing.strike_step
        away = abs(strike - wall) / step
        is_round = strike % (10 * step) == 0
        share = 0.15 + 0.85 * exp(-away / 2.5) + (0.12 if is_round and away else 0.0)
        jitter = 1.0 if not away else 0.85 * self._rng.uniform(0.85, 1.0)
        lots = round(self._listing.peak_oi * share * jitter / self._listing.option_lot)
        oi = float(lots * self._listing.option_lot)
        return Contract(option_id(self._listing.symbol, strike, right), strike, right, oi)


def black_scholes(spot: float, strike: float, deviation: float, right: Right) -> float:
    """Return an option's worth; `deviation` is volatility x root of time. Units of the spot."""
    d1 = log(spot / strike) / deviation + deviation / 2.0
    call = spot * _normal(d1) - strike * _normal(d1 - deviation)
    return max(0.0, call if right is Right.CALL else call - spot + strike)


def _normal(x: float) -> float:
    return 0.5 * (1.0 + erf(x / sqrt(2.0)))
