"""Rows of text out of a CSV (plain or gzip) or Parquet file, header checked first.

One physical line is one row: a stray quote spoils its own line and never the ones after it.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from engine.venues.refusals import FormatError, Refusal, Refusals, excerpt

Row: TypeAlias = list[str]

TICK_REQUIRED: Final = ("time", "symbol", "price")
TICK_OPTIONAL: Final = ("volume", "oi", "bid", "ask", "bid_size", "ask_size")
BAR_REQUIRED: Final = ("time", "symbol", "open", "high", "low", "close")
BAR_OPTIONAL: Final = ("volume", "oi", "interval")


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header is understood."""

    path: Path
    columns: tuple[str, ...]
    is_bars: bool

    def column(self, name: str) -> int:
        """Return the place of a column in a row; -1: the file has none."""
        return self.columns.index(name) if name in self.columns else -1

    def rows(self, refused: Refusals) -> Iterator[tuple[int, Row]]:
        """Yield (line number, fields) of every whole row; torn ones are counted."""
        if _is_parquet(self.path):
            return _parquet_rows(self.path, self.columns)
        return _csv_rows(self.path, len(self.columns), refused)


def open_table(path: Path) -> Table:
    """Return the table in `path`; raise FormatError if it cannot be read as ticks or bars."""
    if path.exists() and not path.is_file():
        # A pipe could be read once only, and a file is looked through before it is played.
        raise FormatError(f"{path}: is a directory or a pipe, allowed: a file")
    try:
        header = _parquet_header(path) if _is_parquet(path) else _csv_header(path)
    except (OSError, EOFError, zlib.error) as failure:
        raise FormatError(f"{path}: cannot be read: {failure}") from failure
    names = tuple(name.strip().lower() for name in header)
    is_bars = bool({"open", "high", "low", "close"} & set(names)) and "price" not in names
    _check(path, names, is_bars=is_bars)
    return Table(path, names, is_bars)


def _check(path: Path, names: Sequence[str], *, is_bars: bool) -> None:
    required, optional = (BAR_REQUIRED, BAR_OPTIONAL) if is_bars else (TICK_REQUIRED, TICK_OPTIONAL)
    what = "bars" if is_bars else "ticks"
    allowed = f"{what} have the columns {','.join(required)}[,{','.join(optional)}]"
    if not any(names):
        raise FormatError(f"{path}:1: no header; {allowed}")
    for place, name in enumerate(names, start=1):
        if name not in (*required, *optional):
            raise FormatError(f"{path}:1: column {place} is unknown: {excerpt(name)!r}; {allowed}")
        if name in names[: place - 1]:
            raise FormatError(f"{path}:1: column {place} repeats {name!r}; {allowed}")
    for name in required:
        if name not in names:
            was = excerpt(",".join(names))
            raise FormatError(
                f"{path}:1: column {name!r} is missing, header was {was!r}; {allowed}"
            )


def _is_parquet(path: Path) -> bool:
    return path.suffix in {".parquet", ".pq"}


def _text(path: Path) -> io.TextIOWrapper:
    # Bytes that are no UTF-8 become visible escapes and spoil only the field they stand in.
    binary = gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")
    return io.TextIOWrapper(binary, encoding="utf-8-sig", errors="backslashreplace")


def _csv_header(path: Path) -> Row:
    with _text(path) as lines:
        first = lines.readline()
    return _fields(first.rstrip("\r\n")) or []


def _fields(line: str) -> Row | None:
    """Return the fields of a line; None when its quotes do not close."""
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except (csv.Error, StopIteration):
        return None


def _csv_rows(path: Path, width: int, refused: Refusals) -> Iterator[tuple[int, Row]]:
    number = 1
    with _text(path) as lines:
        next(lines, None)
        try:
            for number, line in enumerate(lines, start=2):
                row = line.rstrip("\r\n").split(",") if '"' not in line else _fields(line.rstrip())
                if row is not None and len(row) == width:
                    yield number, row
                elif line.strip():
                    refused.add(_torn(path, number, line, width))
        except (OSError, EOFError, zlib.error) as failure:
            # The rows before the damage are whole and have been delivered.
            allowed = "a whole file"
            end = Refusal("file_damaged", str(path), number + 1, "all", str(failure), allowed)
            refused.add(end)


def _torn(path: Path, number: int, line: str, width: int) -> Refusal:
    value = excerpt(line.rstrip("\r\n"))
    return Refusal("torn_line", str(path), number, "all", value, f"{width} fields")


def _parquet_header(path: Path) -> Row:
    return [str(name) for name in _parquet(path).schema_arrow.names]


def _parquet(path: Path) -> Any:  # noqa: ANN401 (an optional library without types)
    try:
        from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise FormatError(
            f"{path}: Parquet needs pyarrow, which is not installed; "
            "allowed without it: .csv, .csv.gz and recordings (.tape)"
        ) from None
    try:
        return parquet.ParquetFile(path)
    except OSError:
        raise
    except Exception as failure:
        raise FormatError(f"{path}: cannot be read as Parquet: {failure}") from failure


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """Yield rows as text, so that one set of checks judges every format."""
    number = 1
    for batch in _parquet(path).iter_batches():
        texts = [_column_texts(batch.column(place)) for place in range(len(columns))]
        for row in zip(*texts, strict=True):
            number += 1
            yield number, list(row)


def _column_texts(column: Any) -> list[str]:  # noqa: ANN401 (as above)
    import pyarrow as pa  # type: ignore[import-not-found,unused-ignore]

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    return ["" if value is None else str(value) for value in column.to_pylist()]
