"""The whole simulated market, step by step. No clock: a step is a step, whatever time it is.

Two streams of chance: one moves prices and open interest and is drawn from at every step, the
other only decorates ticks (who paid the spread, how much traded). So a market that is wound
forward without anybody listening arrives at the same prices.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from random import Random  # noqa: TID251 (the simulated market's edge; always seeded)
from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Kind
from engine.venues.sim.catalog import LISTINGS, Listing
from engine.venues.sim.chain import Contract, OptionChain
from engine.venues.sim.disturbance import BAD_TICKS, Disturbance, Trouble
from engine.venues.sim.path import Path

_NEAR: Final = 4
"""Strikes on either side of spot whose options tick at every step."""
_SLOW: Final = 6
"""Other options tick every so many steps."""


@dataclass(slots=True)
class RawQuote:
    """What the market would send, before anybody has checked it."""

    instrument: InstrumentId
    price: float
    spread: float
    """Half the distance of bid and ask; 0: there are none."""
    volume: float
    oi: int | None = None
    late_s: float = 0.0
    """Seconds that its time is behind."""


@dataclass(slots=True)
class _Market:
    listing: Listing
    path: Path
    chain: OptionChain | None
    halted_until: float = -1.0


class SimMarket:
    """Prices of everything listed; the same seed and steps give the same prices."""

    def __init__(
        self,
        seed: int,
        *,
        pace: float = 20.0,
        step_s: float = 0.25,
        disturbances: Sequence[Disturbance] = (),
    ) -> None:
        self.step_s = step_s
        self.steps = 0
        self._moves = Random(f"moves-{seed}")  # noqa: S311 (a game, not a secret)
        self._noise = Random(f"noise-{seed}")  # noqa: S311 (as above)
        self._due = sorted(disturbances, key=lambda item: item.at, reverse=True)
        self._spoiled: dict[InstrumentId, list[Disturbance]] = {}
        bias = self._moves.choice((1, -1))
        self._markets: list[_Market] = []
        for listing in LISTINGS:
            path = Path(listing, self._moves, pace, bias)
            chain = OptionChain(listing, self._moves, bias) if listing.strike_step else None
            self._markets.append(_Market(listing, path, chain))
            # The next market opens the other way, so that there is always something of both.
            bias = -bias

    @property
    def elapsed_s(self) -> float:
        return self.steps * self.step_s

    def advance(self) -> None:
        """Move every price and open interest one step on."""
        self.steps += 1
        self._disturb()
        # Open interest moves once a second: it is published no faster by any exchange.
        every = max(1, round(1.0 / self.step_s))
        for market in self._markets:
            if self.elapsed_s < market.halted_until:
                continue
            market.path.advance(self.step_s)
            if market.chain is not None and self.steps % every == 0:
                market.chain.advance(every * self.step_s, market.path)

    def quotes(
        self, *, everything: bool = False, of: Container[InstrumentId] | None = None
    ) -> list[RawQuote]:
        """Return the ticks of this step; `everything`: also of options that tick seldom; `of`: of
        these instruments only.
        """
        found: list[RawQuote] = []
        for market in self._markets:
            if self.elapsed_s < market.halted_until:
                continue
            if of is None or market.listing.symbol in of:
                found.append(self._own(market))
            found += self._options(market, everything=everything, of=of)
        return [self._spoil(quote) for quote in found] if self._spoiled else found

    def _own(self, market: _Market) -> RawQuote:
        listing, price = market.listing, market.path.price
        if listing.kind is Kind.INDEX:
            return RawQuote(listing.symbol, price, 0.0, 0.0)
        half = max(float(listing.tick_size), price * 0.00004)
        return self._traded(listing.symbol, price, half, self._volume(market, listing.volume))

    def _options(
        self, market: _Market, *, everything: bool, of: Container[InstrumentId] | None
    ) -> Iterator[RawQuote]:
        chain, path = market.chain, market.path
        if chain is None:
            return
        reach = _NEAR * market.listing.strike_step
        for place, contract in enumerate(chain.contracts):
            if of is not None and contract.id not in of:
                continue
            is_near = abs(contract.strike - path.price) <= reach
            if is_near or everything or (place + self.steps) % _SLOW == 0:
                yield self._option(market, chain, contract, is_near=is_near)

    def _option(
        self, market: _Market, chain: OptionChain, contract: Contract, *, is_near: bool
    ) -> RawQuote:
        worth = max(0.05, chain.worth(contract, market.path))
        lot = market.listing.option_lot
        lots = self._volume(market, 12.0 if is_near else 2.0)
        half = max(0.05, worth * 0.0015)
        quote = self._traded(contract.id, worth, half, round(lots) * lot)
        quote.oi = contract.oi // lot * lot
        return quote

    def _traded(self, symbol: InstrumentId, middle: float, half: float, volume: float) -> RawQuote:
        """Return a trade at the bid, between, or at the ask."""
        price = middle + half * self._noise.choice((-0.5, 0.0, 0.5))
        return RawQuote(symbol, price, half, volume)

    def _volume(self, market: _Market, average: float) -> float:
        """Return what a tick trades: more of it when the market moves."""
        busy = 1.0 + min(3.0, abs(market.path.momentum)) + market.path.stress
        return 1.0 + average * busy * self._noise.expovariate(1.0)

    def _disturb(self) -> None:
        while self._due and self._due[-1].at <= self.elapsed_s:
            item = self._due.pop()
            if item.trouble in BAD_TICKS:
                self._spoiled.setdefault(item.symbol, []).append(item)
                continue
            for market in self._markets:
                if market.listing.symbol != item.symbol:
                    continue
                if item.trouble is Trouble.GAP:
                    market.path.gap(item.size)
                else:
                    market.halted_until = self.elapsed_s + item.seconds

    def _spoil(self, quote: RawQuote) -> RawQuote:
        """Apply the next bad tick of an instrument, if one is due, to its next quote."""
        items = self._spoiled.get(quote.instrument)
        if not items:
            return quote
        item = items.pop(0)
        if item.trouble is Trouble.LATE:
            quote.late_s = item.seconds
        elif item.trouble is Trouble.JUMP:
            quote.price *= 1.0 + item.size
        else:
            quote.price = _BAD_PRICES.get(item.trouble, -quote.price)
        return quote


_BAD_PRICES: Final = {Trouble.NOT_A_NUMBER: float("nan"), Trouble.ZERO: 0.0}
