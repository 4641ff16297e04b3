"""Several files into one stream of checked ticks and bars in time order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.symbols import described, infer
from engine.venues.refusals import Refusal, Refusals, RowRefused
from engine.venues.replay.order import in_order, in_time_order
from engine.venues.replay.rows import RawBar, RawTick, bar_of, raw_bars, raw_ticks, tick_of
from engine.venues.replay.scan import Scan, scan
from engine.venues.replay.table import open_table
from engine.venues.replay.tape import SUFFIX, TapeReader

Item: TypeAlias = Tick | Bar
_Raw = TypeVar("_Raw", RawTick, RawBar)
_TIME: Final = attrgetter("at")


@dataclass(slots=True)
class Recording:
    """Files that were opened and looked through once; iterate over `items` to read them."""

    instruments: dict[InstrumentId, Instrument]
    """Terms given by the caller, completed by what the symbols say."""
    sources: tuple[Scan | TapeReader, ...]
    inferred: tuple[str, ...]
    """One line per instrument whose terms were inferred, for the log."""

    @property
    def begins(self) -> Nanos | None:
        """Return the time of the first item; None: there is none."""
        return min((s.first for s in self.sources if s.first is not None), default=None)

    @property
    def ends(self) -> Nanos | None:
        """Return the time of the last item; None: there is none."""
        return max((s.last for s in self.sources if s.last is not None), default=None)

    @property
    def count(self) -> int:
        """How many rows and records there are, usable or not."""
        return sum(source.count for source in self.sources)

    @property
    def has_bars(self) -> bool:
        return any(isinstance(source, Scan) and source.table.is_bars for source in self.sources)

    @property
    def tape(self) -> TapeReader | None:
        """Return the tape if the recording is one tape and nothing else."""
        only = self.sources[0] if len(self.sources) == 1 else None
        return only if isinstance(only, TapeReader) else None

    def items(self, refused: Refusals) -> Iterator[Item]:
        """Yield everything in time order; rows that cannot be used are added to `refused`.

        At the same instant the files' order, then the order within a file, decides.
        """
        streams = [self._stream(source, refused) for source in self.sources]
        return streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_TIME)

    def _stream(self, source: Scan | TapeReader, refused: Refusals) -> Iterator[Item]:
        if isinstance(source, TapeReader):
            return source.ticks(refused)
        if source.table.is_bars:
            return map(bar_of, self._checked(source, raw_bars(source.table, refused), refused))
        return map(tick_of, self._checked(source, raw_ticks(source.table, refused), refused))

    def _checked(self, source: Scan, rows: Iterator[_Raw], refused: Refusals) -> Iterator[_Raw]:
        refuse = _refuser(source.table.path, refused)
        arrange = in_order if source.is_sorted else in_time_order
        return arrange(rows, refuse, self.instruments, unique=source.table.is_bars)


def _refuser(path: Path, refused: Refusals) -> Callable[[int, RowRefused], None]:
    def refuse(line: int, why: RowRefused) -> None:
        refused.add(Refusal(why.reason, str(path), line, why.column, why.value, why.allowed))

    return refuse


def open_recording(
    paths: Sequence[Path], given: dict[InstrumentId, Instrument] | None = None
) -> Recording:
    """Open files and complete the instruments; raise FormatError if one cannot be read.

    Each file is looked through once: for its symbols, and for whether its times step back.
    """
    instruments = dict(given or {})
    sources = tuple(TapeReader(p) if p.suffix == SUFFIX else scan(open_table(p)) for p in paths)
    inferred = []
    for source in sources:
        if isinstance(source, TapeReader):
            for instrument in source.instruments:
                instruments.setdefault(instrument.id, instrument)
            continue
        for symbol in source.symbols:
            known = None if symbol in instruments else infer(symbol)
            if known is not None:
                instruments[known.id] = known
                inferred.append(described(known))
    return Recording(instruments, sources, tuple(inferred))


def read(
    paths: Sequence[Path], instruments: dict[InstrumentId, Instrument], refused: Refusals
) -> Iterator[Item]:
    """Yield the ticks and bars of `paths` in time order; `instruments` gains the inferred ones."""
    recording = open_recording(paths, instruments)
    instruments.update(recording.instruments)
    return recording.items(refused)
