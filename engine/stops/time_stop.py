"""E-16: time stop: held longer than a duration."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from engine.domain.ids import MINUTE, Nanos
from engine.domain.records import dataclass
from engine.domain.stop import At, Reading, Trigger, Unit, View


@dataclass(frozen=True, slots=True)
class TimeStop:
    """Fires at the first moment later than `minutes` after the entry fill: held *longer* than."""

    minutes: int

    code: ClassVar[str] = "time_stop"
    reason: ClassVar[str] = "time_stop"

    def ends(self, view: View) -> Nanos:
        """Return the last instant that it lets a position live."""
        return Nanos(view.position.opened_at + self.minutes * MINUTE)

    def fires(self, view: View) -> bool:
        return view.now > self.ends(view)

    def reading(self, view: View) -> Reading:
        why = f"longer than {self.minutes} min after entry"
        ends = Decimal(self.ends(view))
        return Reading(self.code, Unit.INSTANT, ends, is_armed=True, why=why)

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        return (At(Nanos(self.ends(view) + 1)),)
