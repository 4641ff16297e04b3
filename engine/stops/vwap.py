"""E-12: VWAP stop: while losing, the price falls a fraction below the instrument's VWAP."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.money import quotient
from engine.domain.records import dataclass
from engine.domain.stop import BelowVwap, Reading, Trigger, Unit, View, price_distance


@dataclass(frozen=True, slots=True)
class VwapStop:
    """Compares price x volume with turnover x (1 - pct): no division, so it is exact."""

    pct: Decimal = Decimal("0.05")

    code: ClassVar[str] = "vwap"
    reason: ClassVar[str] = "vwap_stop_hit"

    def fires(self, view: View) -> bool:
        quote, sign = view.quote, view.sign
        if not quote.volume or not view.position.is_losing(quote.last):
            return False
        return (quote.last * quote.volume - quote.turnover * (1 - sign * self.pct)) * sign <= 0

    def reading(self, view: View) -> Reading:
        quote, sign = view.quote, view.sign
        if not quote.volume:
            return Reading(self.code, Unit.PRICE, None, is_armed=False, why="no volume yet")
        level = quotient(quote.turnover * (1 - sign * self.pct), quote.volume)
        is_losing = view.position.is_losing(quote.last)
        why = f"{self.pct:.2%} from VWAP" if is_losing else "acts only while P&L < 0"
        return Reading(
            self.code,
            Unit.PRICE,
            level,
            is_armed=is_losing,
            why=why,
            distance=price_distance(view, level) if is_losing else None,
        )

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        return (BelowVwap(self.pct),)
