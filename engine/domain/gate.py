"""Which instruments may be entered as far as data quality goes (S-21, E-21). Exits never ask."""

from __future__ import annotations

from typing import Final

from engine.domain.ids import InstrumentId
from engine.domain.quality import QualityReport
from engine.domain.records import dataclass

REOPEN: Final = 5.0
"""A gate opens again so many points above the score at which it shut."""
ALL: Final = InstrumentId("*")
"""The gate of the whole feed, by its overall score."""


@dataclass(frozen=True, slots=True)
class Gate:
    """An instrument's gate as it stands after it turned."""

    instrument: InstrumentId
    """ALL: every instrument."""
    is_open: bool
    reason: str


class Gates:
    """Remembers which gates are shut, so that only a change is told."""

    def __init__(self) -> None:
        self.shut: dict[InstrumentId, Gate] = {}

    def turn(self, report: QualityReport) -> tuple[Gate, ...]:
        """Return the gates that turned by `report`."""
        scores = {quality.instrument: quality.score for quality in report.instruments}
        scores[ALL] = report.score
        turned: list[Gate] = []
        for instrument, score in scores.items():
            is_shut = instrument in self.shut
            if not is_shut and score < report.gate:
                why = f"data quality {score:.0f} is below the gate {report.gate:g}"
                gate = self.shut[instrument] = Gate(instrument, False, why)
                turned.append(gate)
            elif is_shut and score >= min(100.0, report.gate + REOPEN):
                del self.shut[instrument]
                turned.append(Gate(instrument, True, f"data quality {score:.0f}"))
        return tuple(turned)
