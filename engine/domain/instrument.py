"""What can be traded, and what a price of it is worth."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.errors import InvalidInstrument
from engine.domain.ids import InstrumentId
from engine.domain.money import Currency, Price, quotient
from engine.domain.records import dataclass


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

    def value(self, price: Decimal, qty: Decimal) -> Decimal:
        """Return price x quantity; for an inverse contract the coins it stands for."""
        if self.kind is Kind.INVERSE:
            return quotient(qty * self.multiplier, price, COIN_UNIT)
        return price * qty

    def notional(self, price: Decimal, qty: Decimal) -> Decimal:
        """Return the worth of `qty` at `price` in `currency`."""
        value = self.value(price, qty)
        return value if self.kind is Kind.INVERSE else value * self.multiplier

    def entry_price(self, value: Decimal, qty: Decimal) -> Price:
        """Return the average price of `qty` that cost `value` (the inverse of `value`)."""
        if self.kind is Kind.INVERSE:
            return Price(quotient(qty * self.multiplier, value))
        return Price(quotient(value, qty))

    def profit(self, sign: int, entry_value: Decimal, exit_: Decimal, qty: Decimal) -> Decimal:
        """Return the gross profit of closing `qty`, entered for `entry_value`, at `exit_`.

        `sign` is +1 for a long. Inverse: size x (1/entry - 1/exit) in the coin (Deribit terms).
        """
        exit_value = self.value(exit_, qty)
        if self.kind is Kind.INVERSE:
            return sign * (entry_value - exit_value)
        return sign * (exit_value - entry_value) * self.multiplier
