"""How much is measured: at length for the record, or shortly for CI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scale:
    """The short form leaves out peers and judges ratios with ample room only."""

    is_short: bool = False

    @property
    def rounds(self) -> int:
        """Every contender runs once per round."""
        return 3 if self.is_short else 5

    @property
    def has_peers(self) -> bool:
        return not self.is_short

    def pick(self, at_length: T, shortly: T) -> T:
        return shortly if self.is_short else at_length
