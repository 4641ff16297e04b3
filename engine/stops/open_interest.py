"""E-13: OI stop: while losing, open interest has grown by a fraction since entry."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.money import ratio
from engine.domain.records import dataclass
from engine.domain.stop import Adverse, OpenInterest, Reading, Trigger, Unit, View


@dataclass(frozen=True, slots=True)
class OpenInterestStop:
    """Fires at OI at entry x (1 + pct) or more, for longs and shorts alike."""

    pct: Decimal = Decimal("0.10")

    code: ClassVar[str] = "oi"
    reason: ClassVar[str] = "oi_stop_hit"

    def level(self, view: View) -> Decimal | None:
        """Return the open interest it fires at, in contracts; None when it was not known."""
        at_entry = view.position.oi_at_entry
        return at_entry * (1 + self.pct) if at_entry else None

    def _is_reached(self, view: View) -> bool:
        level, oi = self.level(view), view.quote.oi
        return level is not None and oi is not None and oi >= level

    def fires(self, view: View) -> bool:
        return self._is_reached(view) and view.position.is_losing(view.quote.last)

    def reading(self, view: View) -> Reading:
        level, oi = self.level(view), view.quote.oi
        if level is None or oi is None:
            return Reading(self.code, Unit.CONTRACTS, None, is_armed=False, why="no open interest")
        is_losing = view.position.is_losing(view.quote.last)
        why = f"{self.pct:+.2%} since entry" if is_losing else "acts only while P&L < 0"
        distance = ratio(level - oi, level)
        return Reading(self.code, Unit.CONTRACTS, level, is_losing, why, distance)

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        level = self.level(view)
        if level is None:
            return ()
        if self._is_reached(view):  # now only a losing price is missing
            return (OpenInterest(level), Adverse(view.position.entry))
        return (OpenInterest(level),)
