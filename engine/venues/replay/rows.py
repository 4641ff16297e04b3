"""One row of a tick or bar file into a checked record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final, TypeAlias

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.market import Bar, Tick
from engine.domain.money import Price
from engine.venues.refusals import Refusal, Refusals, RowRefused, excerpt
from engine.venues.replay.table import Row, Table
from engine.venues.replay.values import Numbers, Times

Rest: TypeAlias = tuple[
    Decimal | None, Decimal | None, Decimal | None, Decimal | None, Decimal | None
]
RawTick: TypeAlias = tuple[Nanos, str, Decimal, Decimal | None, Rest | None, int]
"""(time, symbol, price, volume, (oi, bid, ask, bid_size, ask_size) or None, line)."""
RawBar: TypeAlias = tuple[
    Nanos, str, tuple[Decimal, ...], tuple[Decimal | None, Decimal | None], int, int
]
"""(time, symbol, (open, high, low, close), (volume, oi), seconds, line)."""

_UNITS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_INTERVAL = re.compile(r"(\d{1,6})(s|m|min|h|d)?", re.ASCII)


def raw_ticks(table: Table, refused: Refusals) -> Iterator[RawTick]:
    """Yield the usable rows of a tick file in the file's order."""
    times, price, volume = Times(), Numbers("price", zero=False), Numbers("volume", zero=True)
    read_time, prices, volumes = times.read, price.known, volume.known
    at_time, at_symbol, at_price = (table.column(name) for name in ("time", "symbol", "price"))
    at_volume = table.column("volume")
    rest = _rest(table)
    for line, row in table.rows(refused):
        try:
            at = read_time(row[at_time])
            paid = prices.get(row[at_price]) or price.read(row[at_price])
            traded = None
            if at_volume >= 0 and (text := row[at_volume]):
                traded = volumes.get(text)
                if traded is None:
                    traded = volume.read(text)
            yield at, row[at_symbol], paid, traded, rest(row) if rest else None, line
        except RowRefused as why:
            refused.add(_refusal(table, line, why))


def tick_of(raw: RawTick, source: str = "feed") -> Tick:
    """Return the tick that a checked row is."""
    at, symbol, paid, traded, rest, _ = raw
    if rest is None:
        return Tick(InstrumentId(symbol), Price(paid), at, traded, source=source)
    return Tick(InstrumentId(symbol), Price(paid), at, traded, *rest, source)


def _rest(table: Table) -> Callable[[Row], Rest] | None:
    """Return a reader of OI, bid, ask and their sizes; None when the file has none of them."""
    names = ("oi", "bid", "ask", "bid_size", "ask_size")
    places = [(table.column(name), Numbers(name, zero=True)) for name in names]
    if all(place < 0 for place, _ in places):
        return None

    def read(row: Row) -> Rest:
        oi, bid, ask, bid_size, ask_size = (
            numbers.read(row[place]) if place >= 0 and row[place] else None
            for place, numbers in places
        )
        # Venues write 0 for "nobody bids": that is no price.
        return oi, bid or None, ask or None, bid_size, ask_size

    return read


def raw_bars(table: Table, refused: Refusals) -> Iterator[RawBar]:
    """Yield the usable rows of a bar file in the file's order."""
    times = Times()
    prices = [(table.column(name), Numbers(name, zero=False)) for name in _OHLC]
    sums = [(table.column(name), Numbers(name, zero=True)) for name in ("volume", "oi")]
    at_time, at_symbol = table.column("time"), table.column("symbol")
    at_interval = table.column("interval")
    for line, row in table.rows(refused):
        try:
            at = times.read(row[at_time])
            paid = tuple(numbers.read(row[place]) for place, numbers in prices)
            _check_range(row, prices, paid)
            volume, oi = (
                numbers.read(row[place]) if place >= 0 and row[place] else None
                for place, numbers in sums
            )
            seconds = _seconds(row[at_interval]) if at_interval >= 0 else 60
            yield at, row[at_symbol], paid, (volume, oi), seconds, line
        except RowRefused as why:
            refused.add(_refusal(table, line, why))


_OHLC: Final = ("open", "high", "low", "close")


def bar_of(raw: RawBar, source: str = "feed") -> Bar:
    """Return the bar that a checked row is."""
    at, symbol, paid, (volume, oi), seconds, _ = raw
    opened, high, low, close = (Price(value) for value in paid)
    return Bar(InstrumentId(symbol), at, opened, high, low, close, volume, oi, seconds, source)


def _check_range(row: Row, prices: list[tuple[int, Numbers]], paid: tuple[Decimal, ...]) -> None:
    opened, high, low, close = paid
    if not low <= min(opened, close) <= max(opened, close) <= high:
        was = ",".join(row[place] for place, _ in prices)
        raise RowRefused("bar_inconsistent", ",".join(_OHLC), was, "low <= open, close <= high")


def _seconds(text: str) -> int:
    """Return the length of a bar; empty means one minute."""
    if not text:
        return 60
    found = _INTERVAL.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2] or "s"] if found else 0
    if seconds <= 0:
        allowed = "seconds, or a number with s, m, h or d: 60, 1m, 5m, 1h, 1d"
        raise RowRefused("interval_unreadable", "interval", excerpt(text), allowed)
    return seconds


def _refusal(table: Table, line: int, why: RowRefused) -> Refusal:
    return Refusal(why.reason, str(table.path), line, why.column, why.value, why.allowed)
