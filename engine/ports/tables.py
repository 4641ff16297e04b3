"""The tables that a person may read, and edit, beside the journal."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from engine.domain.ids import PositionId
from engine.domain.truth import OpenRow


class Tables(Protocol):
    """Both raise JournalError or OSError while the store does not work."""

    async def open_rows(self) -> list[OpenRow]:
        """Return the rows that say a position is open, after everything committed so far."""

    async def mend(self, positions: Collection[PositionId]) -> list[str]:
        """Make the rows of positions say what the journal says; return what was changed, a line
        per row. One of a position that changes meanwhile is left for another time.
        """
