"""Time order of rows: each instrument's own rows must not step back."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, Final, TypeAlias, TypeVar

from engine.domain.ids import MINUTE, SECOND
from engine.domain.symbols import FORMS
from engine.venues.refusals import RowRefused, excerpt

Refuse: TypeAlias = Callable[[int, RowRefused], None]
RowT = TypeVar("RowT", bound=tuple[Any, ...])
"""A checked row: time first, symbol second, line last."""

AHEAD: Final = 60 * MINUTE
"""A row further ahead than this of the two that follow it is the wrong one, not they."""


def in_order(
    rows: Iterable[RowT], refuse: Refuse, known: Container[str], *, unique: bool = False
) -> Iterator[RowT]:
    """Yield the rows of `known` symbols that do not step back in their symbol's own time.

    `unique`: a time that repeats is refused, too.
    """
    latest: dict[str, int] = {}
    for row in rows:
        at, symbol = row[0], row[1]
        last = latest.get(symbol, -1)
        if last < 0 and symbol not in known:
            refuse(row[-1], _unknown(symbol))
        elif at > last or (at == last and not unique):
            latest[symbol] = at
            yield row
        else:
            refuse(row[-1], _out_of_order(at, last))


def in_time_order(
    rows: Iterable[RowT], refuse: Refuse, known: Container[str], *, unique: bool = False
) -> Iterator[RowT]:
    """Yield the rows sorted by time, having judged each instrument's rows in the file's order.

    For files whose times step back, e.g. one instrument after the other; read into memory.
    """
    of_symbol: dict[str, list[RowT]] = {}
    for row in rows:
        of_symbol.setdefault(row[1], []).append(row)
    kept: list[RowT] = []
    for mine in of_symbol.values():
        kept += in_order(_without_leaps(mine, refuse), refuse, known, unique=unique)
    # Sorting by line first keeps the file's order among rows of one instant.
    kept.sort(key=itemgetter(-1))
    kept.sort(key=itemgetter(0))
    return iter(kept)


def _without_leaps(rows: list[RowT], refuse: Refuse) -> Iterator[RowT]:
    """Drop single rows that leap ahead: kept, they would refuse everything after them."""
    for place, row in enumerate(rows):
        following = rows[place + 1 : place + 3]
        if len(following) == 2 and all(row[0] - other[0] > AHEAD for other in following):
            allowed = f"not later than the next rows, from {_instant(following[0][0])}"
            refuse(row[-1], RowRefused("time_ahead", "time", _instant(row[0]), allowed))
        else:
            yield row


def _unknown(symbol: str) -> RowRefused:
    allowed = f"a symbol of the instruments file or like {FORMS}"
    return RowRefused("instrument_unknown", "symbol", excerpt(symbol), allowed)


def _out_of_order(at: int, last: int) -> RowRefused:
    if at == last:
        return RowRefused("duplicate_bar", "time", _instant(at), "one bar per start")
    allowed = f"not before the instrument's last row, {_instant(last)}"
    return RowRefused("out_of_order", "time", _instant(at), allowed)


def _instant(at: int) -> str:
    seconds, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
