"""E-11: trailing stop, a fixed fraction behind the best price since entry, once in profit."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.records import dataclass
from engine.domain.stop import Reading, Trail, Trigger, Unit, View, price_distance
from engine.domain.wording import legible


@dataclass(frozen=True, slots=True)
class TrailingStop:
    """Armed once the best P&L reached `activation_pct`; never loosens, since the peak does not."""

    activation_pct: Decimal = Decimal("0.10")
    """Favourable move that arms it; 0.10 is 10 % of entry."""
    pct: Decimal = Decimal("0.10")
    """Distance kept from the peak; 0.10 is 10 % of it."""

    code: ClassVar[str] = "trailing"
    reason: ClassVar[str] = "trailing_stop_hit"

    def activation(self, view: View) -> Decimal:
        """Return the price that arms it."""
        return view.position.entry * (1 + view.sign * self.activation_pct)

    def is_armed(self, view: View) -> bool:
        return (view.peak - self.activation(view)) * view.sign >= 0

    def level(self, view: View) -> Decimal:
        """Return peak x (1 - pct) for a long, exact and unrounded."""
        return view.peak * (1 - view.sign * self.pct)

    def fires(self, view: View) -> bool:
        return self.is_armed(view) and view.is_at_or_beyond(self.level(view))

    def reading(self, view: View) -> Reading:
        tick = view.instrument.tick_size
        if not self.is_armed(view):
            why = f"arms at {legible(self.activation(view), tick)} ({self.activation_pct:+.2%})"
            return Reading(self.code, Unit.PRICE, None, is_armed=False, why=why)
        level = self.level(view)
        return Reading(
            self.code,
            Unit.PRICE,
            level,
            is_armed=True,
            why=f"{self.pct:.2%} from peak {legible(view.peak, tick)}",
            distance=price_distance(view, level),
        )

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        return (Trail(self.pct, self.activation(view)),)
