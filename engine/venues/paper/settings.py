"""Terms of a paper account, and the two profiles that come with the product."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.domain.money import ZERO, Currency


@dataclass(frozen=True, slots=True)
class Fees:
    """Fee schedule of a venue; rates are ratios of notional (0.0005 is 5 bps)."""

    maker: Decimal = ZERO
    """Of limit orders that rested."""
    taker: Decimal = ZERO
    """Of everything that takes the price it finds."""
    cap: Decimal | None = None
    """At most so much per order, in the instrument's currency."""

    def __post_init__(self) -> None:
        # A negative maker rate is a rebate; some venues pay one.
        if self.taker < 0 or not -1 < self.maker < 1 or self.taker >= 1:
            raise ValueError(f"fee rates are ratios below 1, were {self.maker} and {self.taker}")
        if self.cap is not None and self.cap < 0:
            raise ValueError(f"a fee cap is 0 or more, was {self.cap}")


@dataclass(frozen=True, slots=True)
class PaperSettings:
    """How the paper venue behaves. The defaults are frictionless."""

    cash: Mapping[Currency, Decimal] = field(default_factory=dict)
    """Opening balance per currency."""
    leverage: Decimal = Decimal(1)
    """Of perpetuals; everything else is paid in full."""
    slippage_bps: Decimal = ZERO
    """How much worse than the price it found an order fills, in 1/10 000; limits excepted."""
    fees: Fees = Fees()
    price_age_max_s: int = 60
    """An older price fills nothing: the order waits for the next tick."""
    is_partial: bool = False
    """Fill no more per tick than the size that the feed shows."""
    orders_per_second: int = 0
    """More are rejected as rate_limited; 0: no limit."""
    default_qty: Decimal | None = None
    """Quantity of a signal that names none."""
    capital_per_position: Decimal | None = None
    """Money put into a position whose signal names no quantity."""

    def __post_init__(self) -> None:
        if self.leverage < 1:
            raise ValueError(f"leverage is 1 or more, was {self.leverage}")
        if not 0 <= self.slippage_bps < 10_000:
            raise ValueError(f"slippage is 0 to 9999 bps, was {self.slippage_bps}")


PROFILES: Final[Mapping[str, PaperSettings]] = {
    "nifty-paper": PaperSettings(cash={Currency("INR"): Decimal(100_000)}, default_qty=Decimal(75)),
    "perp-paper": PaperSettings(
        cash={Currency(code): Decimal(10_000) for code in ("USDC", "USDT", "USD")},
        leverage=Decimal(10),
        capital_per_position=Decimal(200),
    ),
}
"""By name; `dataclasses.replace` changes one setting."""
