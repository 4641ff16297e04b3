"""What the market said. Observations: never journaled, except inside the event they caused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, TypeAlias

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.money import ZERO, Price, quotient
from engine.domain.records import dataclass

AHEAD: Final = 5 * SECOND
"""How far a venue's clock may be ahead of ours; a price from later than that is not from now."""


@dataclass(slots=True)
class Tick:
    """What a feed says of an instrument at one instant. Treat as immutable (not frozen: speed)."""

    instrument: InstrumentId
    price: Price
    """Last traded price (LTP)."""
    at: Nanos
    """When the venue says so, not when we received it."""
    volume: Decimal | None = None
    """Units traded in this tick; None: the feed does not say."""
    oi: Decimal | None = None
    """Open interest in contracts; None: unchanged or unknown."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    source: str = "feed"
    """Which feed: recorded with every exit that this price causes."""


@dataclass(slots=True)
class Bar:
    """Open, high, low and close of an interval; `at` is its start."""

    instrument: InstrumentId
    at: Nanos
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Decimal | None = None
    oi: Decimal | None = None
    seconds: int = 60
    source: str = "feed"


@dataclass(slots=True)
class Quote:
    """All that is known of an instrument now; updated in place by `observe`."""

    instrument: InstrumentId
    last: Price
    at: Nanos
    source: str = "feed"
    oi: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    turnover: Decimal = ZERO
    """Sum of price x volume since the session opened; exact."""
    volume: Decimal = ZERO
    """Sum of volume since the session opened; VWAP is turnover / volume."""
    session_start: Nanos = Nanos(0)
    """Opening of the session that `turnover` and `volume` belong to."""

    @property
    def vwap(self) -> Decimal | None:
        """Volume-weighted average price since session open, rounded for display."""
        return quotient(self.turnover, self.volume) if self.volume else None

    def age(self, now: Nanos) -> Nanos:
        """Return how old the last price is by the venue's own time.

        One from further ahead than clocks differ is as far from now as an old one: our clock
        stepped back since.
        """
        age = now - self.at
        return Nanos(age if age >= 0 else 0 if -age <= AHEAD else -age)


@dataclass(frozen=True, slots=True)
class Traded:
    """What was traded of an instrument in a session while nobody counted."""

    instrument: InstrumentId
    turnover: Decimal
    volume: Decimal
    session_start: Nanos


def catch_up(quotes: Mapping[InstrumentId, Quote], missed: Iterable[Traded]) -> None:
    """Count what was missed into the sums of the session that it belongs to."""
    for traded in missed:
        quote = quotes.get(traded.instrument)
        if quote is not None and quote.session_start == traded.session_start:
            quote.turnover += traded.turnover
            quote.volume += traded.volume


Market: TypeAlias = Mapping[InstrumentId, Quote]
"""The newest quote of each instrument."""


def offered(sign: int, tick: Tick) -> Price:
    """Return what a market order pays now: the opposite quote, else the last trade.

    `sign`: 1 for a buyer, -1 for a seller. A crossed quote (bid above ask) is nobody's price, and
    0 means that nobody quotes; then the last trade stands in.
    """
    quote = tick.ask if sign > 0 else tick.bid
    is_crossed = bool(tick.bid and tick.ask and tick.bid > tick.ask)
    return tick.price if not quote or quote < 0 or is_crossed else Price(quote)


def observe(
    quotes: dict[InstrumentId, Quote],
    tick: Tick,
    session_start: Nanos | None,
    *,
    is_summing: bool = True,
) -> Quote:
    """Enter `tick` into `quotes` and return the quote; `is_summing`: with its volume.

    `session_start` is the opening of the session that the tick belongs to: sums restart when it
    changes; a tick from before it (pre-market) does not count. None: no session, sums run on.
    """
    quote = quotes.get(tick.instrument)
    if quote is None:
        quote = quotes[tick.instrument] = Quote(tick.instrument, tick.price, tick.at)
    quote.last, quote.at, quote.source = tick.price, tick.at, tick.source
    if tick.oi is not None:
        quote.oi = tick.oi
    if tick.bid is not None or tick.ask is not None:
        quote.bid, quote.ask = tick.bid, tick.ask
        quote.bid_size, quote.ask_size = tick.bid_size, tick.ask_size
    if session_start is not None and session_start != quote.session_start:
        quote.turnover, quote.volume, quote.session_start = ZERO, ZERO, session_start
    if is_summing and tick.volume and (session_start is None or tick.at >= session_start):
        quote.turnover += tick.price * tick.volume
        quote.volume += tick.volume
    return quote
