"""What the filter line of a table means: `nifty`, `!put`, `pnl<0`, `stop<0.5`; spaces mean and."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from tui import formatting as fmt
from tui.book import Figures

_TERM: Final = re.compile(
    r"(?P<name>pnl|gain|stop|qty|ltp)(?P<op><=|>=|<|>|=)(?P<value>-?[\d.]+)%?"
)
_OPERATORS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter as typed; percentages (`stop<0.5`) are in percent."""

    text: str
    _words: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", tuple(self.text.lower().split()))

    def accepts(self, item: Figures) -> bool:
        """Return whether a position is shown."""
        return all(_accepts(word, item) for word in self._words)


def _accepts(word: str, item: Figures) -> bool:
    if word.startswith("!") and len(word) > 1:
        return not _accepts(word[1:], item)
    match = _TERM.fullmatch(word)
    if match is None:
        return word in _searched(item)
    value = _value(match["name"], item)
    try:
        return value is not None and _OPERATORS[match["op"]](value, Decimal(match["value"]))
    except InvalidOperation:
        return False


def _searched(item: Figures) -> str:
    position = item.position
    parts = (fmt.symbol(position.instrument), position.side.standing, position.strategy or "")
    return " ".join(parts).lower()


def _value(name: str, item: Figures) -> Decimal | None:
    if name == "pnl":
        return item.pnl
    if name == "qty":
        return item.position.qty
    if name == "ltp":
        return item.quote.last if item.quote is not None else None
    ratio = item.gain if name == "gain" else item.room
    return ratio * _HUNDRED if ratio is not None else None
