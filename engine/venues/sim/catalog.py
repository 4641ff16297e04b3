"""What the simulated market lists. Everything in it trades around the clock."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.money import Currency

STRIKES_EACH_SIDE: Final = 10
MATURITY_DAYS: Final = 3.0
"""Simulated options always have so long to live: no expiry, no decay, no gap over night."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An underlying (or a market of its own) and how it behaves."""

    symbol: InstrumentId
    kind: Kind
    currency: Currency
    opening: float
    """Price that the simulation begins at and that the market keeps coming back to."""
    volatility: float
    """Annual, as a ratio."""
    trading_seconds: float
    """Seconds of trading in a year."""
    tick_size: Decimal
    lot_size: Decimal
    volume: float
    """Units traded in a tick, on average; an index trades none."""
    strike_step: int = 0
    """Distance of the strikes of its option chain; 0: it has none."""
    option_lot: int = 1
    peak_oi: float = 0.0
    """Open interest at the strike that has most of it."""


_NSE_YEAR: Final = 252 * 375 * 60.0
_NYSE_YEAR: Final = 252 * 390 * 60.0
_CRYPTO_YEAR: Final = 365 * 86400.0
_INR, _USD, _USDC = Currency("INR"), Currency("USD"), Currency("USDC")


def _index(
    symbol: str, opening: float, volatility: float, step: int, lot: int, oi: float
) -> Listing:
    return Listing(
        InstrumentId(symbol),
        Kind.INDEX,
        _INR,
        opening,
        volatility,
        _NSE_YEAR,
        Decimal("0.05"),
        Decimal(1),
        0.0,
        step,
        lot,
        oi,
    )


def _equity(symbol: str, opening: float, volatility: float) -> Listing:
    cent, share = Decimal("0.01"), Decimal(1)
    return Listing(
        InstrumentId(symbol),
        Kind.EQUITY,
        _USD,
        opening,
        volatility,
        _NYSE_YEAR,
        cent,
        share,
        180.0,
    )


LISTINGS: Final = (
    _index("NIFTY", 25_000.0, 0.13, 50, 75, 9_000_000.0),
    _index("BANKNIFTY", 56_000.0, 0.15, 100, 35, 2_500_000.0),
    Listing(
        InstrumentId("BTC_USDC-PERPETUAL"),
        Kind.LINEAR,
        _USDC,
        95_000.0,
        0.45,
        _CRYPTO_YEAR,
        Decimal("0.5"),
        Decimal("0.001"),
        0.4,
    ),
    _equity("AAPL", 232.0, 0.28),
    _equity("MSFT", 478.0, 0.25),
    _equity("TSLA", 341.0, 0.55),
)


def option_id(underlying: InstrumentId, strike: int, right: Right) -> InstrumentId:
    """Return the simulated market's own symbol of an option, e.g. NIFTY-25050-CALL."""
    return InstrumentId(f"{underlying}-{strike}-{right.value}")


def strikes(listing: Listing) -> range:
    """Return the strikes of a listing's chain, ascending; empty: it has none."""
    step = listing.strike_step
    if not step:
        return range(0)
    middle = round(listing.opening / step) * step
    span = STRIKES_EACH_SIDE * step
    return range(middle - span, middle + span + 1, step)


def sim_instruments() -> dict[InstrumentId, Instrument]:
    """Return the terms of everything that the simulated market prices."""
    listed = [instrument for listing in LISTINGS for instrument in _of(listing)]
    return {instrument.id: instrument for instrument in listed}


def _of(listing: Listing) -> list[Instrument]:
    own = Instrument(
        listing.symbol,
        listing.kind,
        listing.currency,
        tick_size=listing.tick_size,
        lot_size=listing.lot_size,
    )
    options = [
        Instrument(
            option_id(listing.symbol, strike, right),
            Kind.OPTION,
            listing.currency,
            tick_size=Decimal("0.05"),
            lot_size=Decimal(listing.option_lot),
            underlying=listing.symbol,
            strike=Decimal(strike),
            right=right,
        )
        for strike in strikes(listing)
        for right in Right
    ]
    return [own, *options]
