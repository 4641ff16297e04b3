"""The product's own recording: fixed-size binary records after a header that lists the terms.

Layout: 8 bytes magic, u32 length of the header, the header as JSON, then records, little-endian:
u32 instrument index, i64 UTC nanoseconds, f64 price, f64 volume, f64 open interest and, on a
"wide" tape, f64 bid, ask, bid size, ask size; NaN stands for "not said". Numbers of up to 15
significant digits survive the way through f64 and back exactly; the writer refuses others.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import chain
from math import inf, isnan, nan
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.venues.refusals import FormatError, Refusal, Refusals
from engine.venues.terms import instrument_data, instrument_from

SUFFIX: Final = ".tape"
MAGIC: Final = b"HFTAPE1\n"
_VERSION: Final = 1
_LENGTH: Final = struct.Struct("<I")
_NARROW: Final = struct.Struct("<Iqddd")
_WIDE: Final = struct.Struct("<Iqddddddd")
_NARROW_OF_WIDE: Final = struct.Struct("<Iqddd32x")
_FIELDS: Final = ("index", "at", "price", "volume", "oi", "bid", "ask", "bid_size", "ask_size")
_CHUNK: Final = 1 << 14
"""Records per read: large enough to vanish against the loop, small enough to stay in cache."""
_BUFFER: Final = 1 << 12


class TapeWriter:
    """Appends ticks to a new tape. Use as a context manager, or call `close`."""

    def __init__(
        self, path: Path, instruments: Iterable[Instrument], *, is_wide: bool = False
    ) -> None:
        """Create `path`; raise FileExistsError rather than write over a recording."""
        listed = list(instruments)
        header = {
            "version": _VERSION,
            "wide": is_wide,
            "instruments": [instrument_data(instrument) for instrument in listed],
        }
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        self.is_wide = is_wide
        self._index = {instrument.id: place for place, instrument in enumerate(listed)}
        self._pending: list[bytes] = []
        self._file: BinaryIO = path.open("xb")
        self._file.write(MAGIC + _LENGTH.pack(len(text)) + text)

    def __enter__(self) -> TapeWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, tick: Tick) -> None:
        """Append `tick`; raise FormatError if a number would not read back exactly."""
        index = self._index.get(tick.instrument)
        if index is None:
            raise FormatError(f"{self._file.name}: {tick.instrument} is not listed on this tape")
        head = (index, tick.at, _exact(tick.price), _exact(tick.volume), _exact(tick.oi))
        if self.is_wide:
            quote = (tick.bid, tick.ask, tick.bid_size, tick.ask_size)
            self._append(_WIDE.pack(*head, *map(_exact, quote)))
        else:
            self._append(_NARROW.pack(*head))

    def write_raw(
        self, index: int, at: int, price: float, volume: float = nan, oi: float = nan
    ) -> None:
        """Append a narrow record whose numbers are known to have 15 digits at most."""
        self._append(_NARROW.pack(index, at, price, volume, oi))

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        self._file.write(b"".join(self._pending))
        self._pending.clear()
        self._file.flush()

    def close(self) -> None:
        if not self._file.closed:
            self.flush()
            self._file.close()

    def _append(self, record: bytes) -> None:
        self._pending.append(record)
        if len(self._pending) >= _BUFFER:
            self._file.write(b"".join(self._pending))
            self._pending.clear()


class TapeReader:
    """A tape that was opened: its terms, and its records as often as they are wanted."""

    def __init__(self, path: Path) -> None:
        """Read the header of `path`; raise FormatError if it is no tape or a newer one."""
        self.path = path
        try:
            with path.open("rb") as file:
                magic = file.read(len(MAGIC))
                (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
                header = json.loads(file.read(length))
            if magic != MAGIC or header["version"] != _VERSION:
                raise FormatError(f"{path}: was no recording of version {_VERSION}")
            entries = header["instruments"]
            self.is_wide = bool(header["wide"])
        except (OSError, ValueError, struct.error, KeyError, TypeError) as failure:
            raise FormatError(f"{path}: cannot be read as a recording: {failure}") from failure
        self.instruments: tuple[Instrument, ...] = tuple(
            instrument_from(entry, f"{path}: instrument {place}")
            for place, entry in enumerate(entries)
        )
        self._start = len(MAGIC) + _LENGTH.size + length
        self._record = _WIDE if self.is_wide else _NARROW
        # A recorder that was killed leaves half a record at the end: it does not count.
        self.count = max(0, path.stat().st_size - self._start) // self._record.size

    @property
    def first(self) -> Nanos | None:
        """Return the time of the first record."""
        return self._time(0) if self.count else None

    @property
    def last(self) -> Nanos | None:
        """Return the time of the last record."""
        return self._time(self.count - 1) if self.count else None

    @property
    def layout(self) -> Any:  # noqa: ANN401 (numpy is loaded by who asks for it only)
        """A record as numpy describes it, field by field."""
        import numpy as np

        names = _FIELDS if self.is_wide else _FIELDS[:5]
        return np.dtype(
            [
                (name, "<u4" if name == "index" else "<i8" if name == "at" else "<f8")
                for name in names
            ]
        )

    def raw(self) -> Iterator[tuple[int, int, float, float, float]]:
        """Return (instrument index, nanoseconds, price, volume, oi) of all records; NaN: not said.

        The iterator runs in C but for one step per 16 k records: made for the replay's hot loop.
        """
        layout = _NARROW_OF_WIDE if self.is_wide else _NARROW
        return chain.from_iterable(map(layout.iter_unpack, self.chunks()))

    def ticks(self, refused: Refusals | None = None) -> Iterator[Tick]:
        """Yield every record as a tick with exact decimals; damaged ones are counted."""
        decoder, first = self.decoder(refused), 0
        for records in self.chunks():
            yield from decoder.ticks(records, first)
            first += _CHUNK

    def decoder(self, refused: Refusals | None = None) -> TapeDecoder:
        """Return what makes ticks of this tape's records; damaged ones are added to `refused`."""
        return TapeDecoder(self, refused)

    def chunks(self, size: int = _CHUNK, first: int = 0) -> Iterator[bytes]:
        """Yield `size` records at a time from `first` on, the last time what is left."""
        left = self.count - first
        with self.path.open("rb") as file:
            file.seek(self._start + first * self._record.size)
            while left > 0:
                take = min(left, size)
                yield file.read(take * self._record.size)
                left -= take

    def _time(self, place: int) -> Nanos:
        with self.path.open("rb") as file:
            file.seek(self._start + place * self._record.size)
            return Nanos(self._record.unpack(file.read(self._record.size))[1])


class TapeDecoder:
    """Makes ticks with exact decimals of a tape's records."""

    def __init__(self, tape: TapeReader, refused: Refusals | None) -> None:
        self._ids = [InstrumentId(instrument.id) for instrument in tape.instruments]
        self._path, self._refused = str(tape.path), refused
        self._layout = _WIDE if tape.is_wide else _NARROW
        self._numbers = _Decimals()
        self.latest = [0] * len(self._ids)
        """Newest time of each instrument."""

    def tick(self, record: bytes) -> Tick:
        """Return a record that is known to be sound as a tick."""
        return self._tick(*self._layout.unpack(record))

    def ticks(self, records: bytes, first: int) -> Iterator[Tick]:
        """Yield the sound ones of `records`, the tape's `first` and following."""
        latest, count = self.latest, len(self._ids)
        for place, (index, at, price, *values) in enumerate(self._layout.iter_unpack(records)):
            if index >= count or not 0 < price < inf or at < latest[index]:
                self._refuse(first + place, f"{index},{at},{price}")
                continue
            latest[index] = at
            yield self._tick(index, at, price, *values)

    def _tick(self, index: int, at: int, price: float, *values: float) -> Tick:
        numbers = self._numbers
        volume, oi, *quote = [None if isnan(value) else numbers[value] for value in values]
        tick = Tick(self._ids[index], Price(numbers[price]), Nanos(at), volume, oi)
        if quote:
            tick.bid, tick.ask, tick.bid_size, tick.ask_size = quote
        return tick

    def _refuse(self, place: int, value: str) -> None:
        if self._refused is not None:
            allowed = "a listed instrument, a price above 0, a time that does not step back"
            why = Refusal("record_damaged", self._path, place + 1, "all", value, allowed)
            self._refused.add(why)


def exact_decimal(value: float) -> Decimal:
    """Return the number of at most 15 digits that was packed as `value`."""
    return Decimal(repr(value))


class _Decimals(dict[float, Decimal]):
    """Numbers read before: prices repeat all day."""

    def __missing__(self, value: float) -> Decimal:
        if len(self) > 1 << 16:
            self.clear()
        number = self[value] = exact_decimal(value)
        return number


def _exact(value: Decimal | None) -> float:
    if value is None:
        return nan
    packed = float(value)
    if exact_decimal(packed) != value:
        raise FormatError(f"{value} has more than 15 digits and would not read back exactly")
    return packed
