"""E-15: end of day: exchange-local time reaches T, or the session closes, whichever is first."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from engine.domain import calendar
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument
from engine.domain.records import dataclass
from engine.domain.stop import At, Reading, Trigger, Unit, View


def deadline(at: Nanos, instrument: Instrument, time: str | None) -> Nanos | None:
    """Return the end of the day that `at` belongs to; None: the market never ends a day.

    A position from after that day's end (opened in the evening) belongs to the next day.
    """
    day = calendar.trading_day(at, instrument)
    ends = [t for t in (time, instrument.session_close) if t is not None]
    if not ends:
        return None
    first = min(calendar.instant(day, t, instrument.time_zone) for t in ends)
    if at < first:
        return first
    following = day + timedelta(days=1)
    return min(calendar.instant(following, t, instrument.time_zone) for t in ends)


@dataclass(frozen=True, slots=True)
class EndOfDay:
    """Half-open: the instant T itself already is the end."""

    time: str | None = None
    """Exchange-local HH:MM; None: the session's close alone counts."""

    code: ClassVar[str] = "end_of_day"
    reason: ClassVar[str] = "end_of_day"

    def fires(self, view: View) -> bool:
        ends = deadline(view.position.opened_at, view.instrument, self.time)
        return ends is not None and view.now >= ends

    def reading(self, view: View) -> Reading:
        ends = deadline(view.position.opened_at, view.instrument, self.time)
        if ends is None:
            return Reading(self.code, Unit.INSTANT, None, is_armed=False, why="market never closes")
        local = calendar.local(ends, view.instrument.time_zone)
        why = f"at {local:%H:%M} {view.instrument.time_zone}"
        return Reading(self.code, Unit.INSTANT, Decimal(ends), is_armed=True, why=why)

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        ends = deadline(view.position.opened_at, view.instrument, self.time)
        return () if ends is None else (At(ends),)
