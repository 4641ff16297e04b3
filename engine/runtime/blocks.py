"""Parts of a recording as columns: what the fast lane of a replay scans at once.

Needs numpy, therefore loaded only by a replay that takes the fast lane. Prices in the columns are
floats that say where to look; whatever is booked comes as an exact tick from `tick` or as exact
sums from `sums`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from math import nan
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.domain.ids import InstrumentId
from engine.domain.market import Tick
from engine.domain.money import ZERO

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Sums: TypeAlias = tuple[Decimal, Decimal]
"""(sum of price x volume, sum of volume), exact."""

RECORDS: Final = 1 << 16
"""Records in a block: so many that a block's own cost vanishes, few enough for the cache."""
_DIGITS: Final = 9
"""Decimals up to which whole columns are summed as integers; finer ones go tick by tick."""
_LARGEST: Final = 2**62


class Decoder(Protocol):
    """Makes ticks of a tape's records; it remembers the newest time of each instrument."""

    latest: list[int]

    def tick(self, record: bytes) -> Tick:
        """Return a record that is known to be sound as a tick."""

    def ticks(self, records: bytes, first: int) -> Iterator[Tick]:
        """Yield the sound ones of `records`, the tape's `first` and following; count the others."""


class Tape(Protocol):
    """Fixed-size records in a file."""

    is_wide: bool

    @property
    def layout(self) -> Any:  # noqa: ANN401 (a dtype)
        """A record as numpy describes it: index, at, price, volume, oi, then what is wide."""

    def chunks(self, size: int, first: int) -> Iterator[bytes]:
        """Yield `size` records at a time from `first` on."""


class Block(Protocol):
    """Some records in the order of the recording; the columns are of one length."""

    index: NDArray[np.intp]
    """Which instrument."""
    at: Ints
    price: Floats
    volume: Floats
    """NaN: not said; so in `oi`."""
    oi: Floats
    is_quoted: bool
    """Whether every record has a bid or an ask."""
    is_even: bool
    """Whether either all records have a quote or none has."""

    make: Callable[[Any], Tick]
    """Returns a record as a tick of its own; does not keep the block in memory."""

    def record(self, place: int) -> Any:  # noqa: ANN401 (what `make` understands)
        """Return a record to be kept, small."""

    def ticks(self) -> Iterator[Tick]:
        """Yield the sound records as ticks."""

    def arrange(self, order: NDArray[np.intp]) -> bool:
        """Let `sums` count along `order`; return False if they would not be exact."""

    def sums(self, start: int, end: int) -> Sums:
        """Return the sums of the records `start` to before `end`, counted along the order."""

    def passed(self, index: int, at: int) -> None:
        """Take note that the newest record of an instrument is of `at`."""


class Scales:
    """How many decimals whole columns had so far: the next block needs as many, most likely."""

    def __init__(self) -> None:
        self.price = self.volume = 0


class TapeBlock:
    """Records of a tape."""

    def __init__(
        self, records: bytes, first: int, tape: Tape, decoder: Decoder, scales: Scales
    ) -> None:
        rows = np.frombuffer(records, tape.layout)
        self.index = rows["index"].astype(np.intp)
        self.at, self.price = rows["at"].astype(np.int64), rows["price"].astype(np.float64)
        self.volume, self.oi = rows["volume"].astype(np.float64), rows["oi"].astype(np.float64)
        self._records, self._first, self._size = records, first, tape.layout.itemsize
        self._decoder = decoder
        self.make: Callable[[Any], Tick] = decoder.tick
        self.is_quoted, self.is_even = _quoted(rows) if tape.is_wide else (False, True)
        self._scales = scales
        self._columns: _Columns | None = None

    def record(self, place: int) -> bytes:
        start = place * self._size
        return self._records[start : start + self._size]

    def ticks(self) -> Iterator[Tick]:
        return self._decoder.ticks(self._records, self._first)

    def arrange(self, order: NDArray[np.intp]) -> bool:
        self._columns = _Columns(self.price, self.volume, self._scales)
        return self._columns.arrange(order)

    def sums(self, start: int, end: int) -> Sums:
        return (ZERO, ZERO) if self._columns is None else self._columns.sums(start, end)

    def passed(self, index: int, at: int) -> None:
        self._decoder.latest[index] = at


class _Columns:
    """Exact sums over whole columns: integers of the last decimal."""

    def __init__(self, price: Floats, volume: Floats, scales: Scales) -> None:
        self._is_empty = bool(np.isnan(volume).all())
        self.is_exact = True
        if self._is_empty:
            return
        traded = np.where(np.isnan(volume), 0.0, volume)
        self._price, self._price_digits = _whole(price, scales.price)
        self._volume, self._volume_digits = _whole(traded, scales.volume)
        if self._price_digits < 0 or self._volume_digits < 0:
            self.is_exact = False
            return
        scales.price, scales.volume = self._price_digits, self._volume_digits
        most = int(np.abs(self._price).max()) * int(np.abs(self._volume).max())
        self.is_exact = most * len(price) < _LARGEST

    def arrange(self, order: NDArray[np.intp]) -> bool:
        if self._is_empty or not self.is_exact:
            return self.is_exact
        self._turnovers = np.cumsum((self._price * self._volume)[order])
        self._volumes = np.cumsum(self._volume[order])
        return True

    def sums(self, start: int, end: int) -> Sums:
        if self._is_empty or start >= end:
            return ZERO, ZERO
        turnover, volume = int(self._turnovers[end - 1]), int(self._volumes[end - 1])
        if start:
            turnover -= int(self._turnovers[start - 1])
            volume -= int(self._volumes[start - 1])
        digits = self._volume_digits
        return (
            Decimal(turnover).scaleb(-self._price_digits - digits),
            Decimal(volume).scaleb(-digits),
        )


class TickBlock:
    """Ticks of any source."""

    def __init__(self, ticks: Sequence[Tick], places: dict[InstrumentId, int]) -> None:
        self._ticks = ticks
        self.make: Callable[[Any], Tick] = _copy
        count = len(ticks)
        self.index = np.fromiter((places[t.instrument] for t in ticks), np.intp, count)
        self.at = np.fromiter((t.at for t in ticks), np.int64, count)
        self.price = np.fromiter((t.price for t in ticks), np.float64, count)
        self.volume = np.fromiter((_float(t.volume) for t in ticks), np.float64, count)
        self.oi = np.fromiter((_float(t.oi) for t in ticks), np.float64, count)
        quoted = sum(t.bid is not None or t.ask is not None for t in ticks)
        self.is_quoted = quoted == count
        self.is_even = quoted in {0, count}
        self._order: list[int] = []

    def record(self, place: int) -> Tick:
        return self._ticks[place]

    def ticks(self) -> Iterator[Tick]:
        return iter(self._ticks)

    def arrange(self, order: NDArray[np.intp]) -> bool:
        self._order = order.tolist()
        return True

    def sums(self, start: int, end: int) -> Sums:
        turnover = volume = ZERO
        ticks = self._ticks
        for place in self._order[start:end]:
            tick = ticks[place]
            if tick.volume:
                turnover += tick.price * tick.volume
                volume += tick.volume
        return turnover, volume

    def passed(self, index: int, at: int) -> None:
        """Ticks were judged before."""


def tape_blocks(
    tape: Tape, decoder: Decoder, first: int = 0, size: int | None = None
) -> Iterator[TapeBlock]:
    """Yield the records of `tape` from `first` on."""
    scales, size = Scales(), size or RECORDS
    for records in tape.chunks(size, first):
        yield TapeBlock(records, first, tape, decoder, scales)
        first += size


def tick_blocks(
    ticks: Iterable[Tick], ids: Sequence[InstrumentId], size: int | None = None
) -> Iterator[TickBlock]:
    """Yield `ticks`, whose instruments are all in `ids`."""
    places, size = {id_: place for place, id_ in enumerate(ids)}, size or RECORDS
    source = iter(ticks)
    while part := list(islice(source, size)):
        yield TickBlock(part, places)


def _copy(t: Tick) -> Tick:
    quote = (t.bid, t.ask, t.bid_size, t.ask_size)
    return Tick(t.instrument, t.price, t.at, t.volume, t.oi, *quote, t.source)


def _float(value: Decimal | None) -> float:
    return nan if value is None else float(value)


def _quoted(rows: Any) -> tuple[bool, bool]:  # noqa: ANN401
    """Return whether all records have a bid or an ask, and whether all are alike in that."""
    has = ~(np.isnan(rows["bid"]) & np.isnan(rows["ask"]))
    return bool(has.all()), bool(has.all() or not has.any())


def _whole(column: Floats, likely: int) -> tuple[Ints, int]:
    """Return the numbers as integers of their last decimal, and how many decimals; -1: not so.

    A number of 15 digits is the nearest one to its float, so what divides back is exact.
    """
    for digits in (*range(likely, _DIGITS + 1), *range(likely)):
        scale = 10.0**digits
        whole = np.rint(column * scale)
        if not np.abs(whole).max(initial=0.0) < 1e15:
            continue
        if (whole / scale == column).all():
            return whole.astype(np.int64), digits
    return np.zeros(0, np.int64), -1
