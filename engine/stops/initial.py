"""E-10, E-18: initial stop at a fraction of entry, and the absolute stop price of a position."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.records import dataclass
from engine.domain.stop import Adverse, Reading, Trigger, Unit, View, price_distance
from engine.domain.wording import legible


@dataclass(frozen=True, slots=True)
class InitialStop:
    """Stands at entry x (1 - pct) for a long and never moves by itself.

    A position's own `stop_loss` stands beside it; the tighter of the two counts.
    """

    pct: Decimal | None = Decimal("0.25")
    """0.25 is 25 % of entry; None: only an absolute stop."""

    code: ClassVar[str] = "initial"
    reason: ClassVar[str] = "stop_loss_hit"

    def level(self, view: View) -> Decimal | None:
        """Return the price it fires at, exact and unrounded; None without any stop."""
        position, sign = view.position, view.sign
        own = position.stop_loss
        if self.pct is None:
            return own
        level = position.entry * (1 - sign * self.pct)
        return level if own is None or (level - own) * sign >= 0 else own

    def fires(self, view: View) -> bool:
        level = self.level(view)
        return level is not None and view.is_at_or_beyond(level)

    def reading(self, view: View) -> Reading:
        level = self.level(view)
        if level is None:
            return Reading(self.code, Unit.PRICE, None, is_armed=False, why="no stop price set")
        is_own = level == view.position.stop_loss
        entry = legible(view.position.entry, view.instrument.tick_size)
        why = "operator's stop" if is_own else f"{self.pct:.2%} of entry {entry}"
        return Reading(
            self.code,
            Unit.PRICE,
            level,
            is_armed=True,
            why=why,
            distance=price_distance(view, level),
        )

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        level = self.level(view)
        return () if level is None else (Adverse(level),)
