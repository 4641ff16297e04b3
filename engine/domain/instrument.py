"""What can be traded, and what a price of it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.errors import InvalidInstrument
from engine.domain.ids import InstrumentId
from engine.domain.money import Currency, quotient


@unique
class Kind(Enum):
    """The sort of contract; decides how profit is computed."""

    INDEX = "index"
    EQUITY = "equity"
    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"
    OPTION = "option"


@unique
class Right(Enum):
    """What an option gives its holder. CE and PE exist at the Kite boundary and nowhere else."""

    CALL = "CALL"
    PUT = "PUT"


COIN_UNIT: Final = Decimal("0.00000001")
"""Inverse contracts settle in coins; amounts are rounded half-even to one satoshi."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One tradable contract (or an index, which is only watched)."""

    id: InstrumentId
    kind: Kind
    currency: Currency
    """Currency that profit is paid in (for an inverse contract: the coin)."""
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    """Units of the underlying per contract; for an inverse contract its face value in quote."""
    underlying: InstrumentId | None = None
    strike: Decimal | None = None
    right: Right | None = None
    expiry: str | None = None
    """ISO date of the last trading day."""
    calendar: str = "24/7"
    """Exchange calendar code (NSE, NYSE …); 24/7 never closes."""
    time_zone: str = "UTC"
    session_open: str | None = None
    """Exchange-local HH:MM; None: never closes."""
    session_close: str | None = None

    def __post_init__(self) -> None:
        if self.tick_size <= 0 or self.lot_size <= 0 or self.multiplier <= 0:
            raise InvalidInstrument(f"{self.id}: tick size, lot size and multiplier are above 0")
        if self.kind is Kind.OPTION and (self.strike is None or self.right is None):
            raise InvalidInstrument(f"{self.id}: an option has a strike and a right (CALL or PUT)")

    @property
    def is_tradable(self) -> bool:
        return self.kind is not Kind.INDEX

    @property
    def is_leveraged(self) -> bool:
        """Whether a position ties up margin (notional / leverage) in place of its cost."""
        return self.kind in {Kind.LINEAR, Kind.INVERSE}

    def notional(self, price: Decimal, qty: Decimal) -> Decimal:
        """Return the exact worth of `qty` at `price` in `currency`."""
        if self.kind is Kind.INVERSE:
            return quotient(qty * self.multiplier, price, COIN_UNIT)
        return price * qty * self.multiplier

    def profit(self, sign: int, entry: Decimal, exit_: Decimal, qty: Decimal) -> Decimal:
        """Return the gross profit of `qty` from `entry` to `exit_`; `sign` is +1 for a long.

        Inverse: size x (1/entry - 1/exit) in the coin (Deribit and BitMEX contract terms).
        """
        if self.kind is Kind.INVERSE:
            size = qty * self.multiplier
            return sign * (quotient(size, entry, COIN_UNIT) - quotient(size, exit_, COIN_UNIT))
        return sign * (exit_ - entry) * qty * self.multiplier
