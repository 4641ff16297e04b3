"""A first look through a file: its symbols, its span, and whether it is in time order."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.ids import Nanos
from engine.venues.refusals import Refusals, RowRefused
from engine.venues.replay.table import Table
from engine.venues.replay.values import Times


@dataclass(frozen=True, slots=True)
class Scan:
    """What is known of a file before it is read."""

    table: Table
    symbols: tuple[str, ...]
    """In the order of their first row."""
    first: Nanos | None
    """Earliest readable time; None: no row has one."""
    last: Nanos | None
    count: int
    """Rows, usable or not."""
    is_sorted: bool
    """No time steps back; then the file is read as a stream, else it is sorted in memory."""


def scan(table: Table) -> Scan:
    """Return what a look through `table` finds; unusable rows are judged later, by the reader."""
    times = Times()
    at_time, at_symbol = table.column("time"), table.column("symbol")
    symbols: dict[str, None] = {}
    seen = ""
    first = last = None
    is_sorted, count = True, 0
    for _, row in table.rows(Refusals()):
        count += 1
        text = row[at_time]
        symbols[row[at_symbol]] = None
        # Two texts of one form and offset compare as their instants do; most rows need no more.
        if text >= seen and len(text) == len(seen) and (text[-6:] == seen[-6:] or text.isdigit()):
            seen = text
            continue
        at = _instant(times, text)
        if at is None:
            continue
        before = _instant(times, seen)
        last = before if last is None or (before is not None and before > last) else last
        is_sorted = is_sorted and (last is None or at >= last)
        first = at if first is None or at < first else first
        seen = text
    end = _instant(times, seen)
    last = end if last is None or (end is not None and end > last) else last
    return Scan(table, tuple(symbols), first, last, count, is_sorted)


def _instant(times: Times, text: str) -> Nanos | None:
    try:
        return times.read(text)
    except RowRefused:
        return None
