"""E-14, E-18: take profit at a fraction above entry, and the absolute target of a position."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.records import dataclass
from engine.domain.stop import Favourable, Reading, Trigger, Unit, View, price_distance


@dataclass(frozen=True, slots=True)
class TakeProfit:
    """The nearer of entry x (1 + pct) and the position's own `take_profit` counts."""

    pct: Decimal | None = None
    """0.2 is 20 % of entry; None: only an absolute target."""

    code: ClassVar[str] = "take_profit"
    reason: ClassVar[str] = "take_profit_hit"

    def level(self, view: View) -> Decimal | None:
        """Return the price it fires at; None without any target."""
        position, sign = view.position, view.sign
        own = position.take_profit
        if self.pct is None:
            return own
        level = position.entry * (1 + sign * self.pct)
        return level if own is None or (level - own) * sign <= 0 else own

    def fires(self, view: View) -> bool:
        level = self.level(view)
        return level is not None and (view.quote.last - level) * view.sign >= 0

    def reading(self, view: View) -> Reading:
        level = self.level(view)
        if level is None:
            return Reading(self.code, Unit.PRICE, None, is_armed=False, why="no target set")
        return Reading(
            self.code,
            Unit.PRICE,
            level,
            is_armed=True,
            why="operator's target" if level == view.position.take_profit else f"{self.pct:+.2%}",
            distance=-price_distance(view, level),
        )

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        level = self.level(view)
        return () if level is None else (Favourable(level),)
