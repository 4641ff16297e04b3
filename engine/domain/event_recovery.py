"""Facts about taking up again what a dead engine left."""

from __future__ import annotations

from engine.domain.gap import Gap
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class GapJudged:
    """The rules were run over what the market did while nobody watched a position (E-63)."""

    gap: Gap


@dataclass(frozen=True, slots=True)
class RecoverySettled:
    """Everything found after a crash is judged and decided; prices and signals flow (E-65)."""

    how: str
