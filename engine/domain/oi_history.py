"""Open interest per option since the session opened: what `unwinding` is judged from (S-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from engine.domain.ids import InstrumentId

MILLION: Final = Decimal(1_000_000)


@dataclass(slots=True)
class OiHistory:
    """Value at session open and the newest values, one per bar in which the option ticked."""

    kept: int
    """How many of the newest values are kept per option."""
    at_open: dict[InstrumentId, Decimal] = field(default_factory=dict)
    recent: dict[InstrumentId, list[Decimal]] = field(default_factory=dict)
    """Oldest first. A bar without a tick adds nothing: a carried value is not a new one."""

    def add(self, option: InstrumentId, oi: Decimal) -> None:
        """Enter the open interest at the end of a bar; the first of a session is its opening."""
        self.at_open.setdefault(option, oi)
        values = self.recent.setdefault(option, [])
        values.append(oi)
        del values[: -self.kept]

    def last(self) -> dict[InstrumentId, Decimal]:
        """Return the newest value of each option, however long ago it was."""
        return {option: values[-1] for option, values in self.recent.items()}

    def is_below_open(self, option: InstrumentId) -> bool:
        """Return whether contracts were closed since the session opened."""
        return option in self.recent and self.recent[option][-1] < self.at_open[option]

    def is_falling(self, option: InstrumentId, bars: int) -> bool:
        """Return whether each of the last `bars` values is below the one before it."""
        values = self.recent.get(option, [])[-(bars + 1) :]
        if len(values) <= bars:
            return False
        return all(after < before for before, after in pairwise(values))

    def clear(self) -> None:
        """Forget everything: a new session opens."""
        self.at_open.clear()
        self.recent.clear()

    def memory(self) -> dict[str, Any]:
        """Return the content as JSON data."""
        return {
            option: [str(self.at_open[option]), *map(str, values)]
            for option, values in self.recent.items()
        }

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` returned."""
        self.clear()
        for name, texts in memory.items():
            first, *values = map(Decimal, texts)
            self.at_open[InstrumentId(name)] = first
            self.recent[InstrumentId(name)] = values


def compared(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Return two counts as short as they can still be told apart: 17.6M and 17.2M."""
    if one >= MILLION and other >= MILLION:
        short = (f"{one / MILLION:.1f}M", f"{other / MILLION:.1f}M")
        if short[0] != short[1]:
            return short
    return f"{one:,f}", f"{other:,f}"
