"""Trades and portfolio snapshots as CSV (E-59): one file per session and one cumulative.

The database is the truth and a file only a copy of it: `sync` brings one to exactly the rows that
the store has. What is missing at its end is appended with one synced write; a file that is torn,
edited or of other columns is written anew beside it, synced, and renamed over it. So a crash
at any point leaves a file that the next `sync` makes complete, without a torn or doubled row.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from engine.store.migrations import sync as synced
from engine.store.reader import Record, StoreReader

TRADE_COLUMNS: Final = (
    "id",
    "session_id",
    "symbol",
    "strategy",
    "direction",
    "side",
    "option_right",
    "qty",
    "entry_time",
    "entry_price",
    "exit_time",
    "exit_price",
    "exit_reason",
    "exit_rule",
    "exit_level",
    "also_fired",
    "exit_note",
    "gross_pnl",
    "fees",
    "pnl",
    "pnl_pct",
    "currency",
    "duration_minutes",
)
PORTFOLIO_COLUMNS: Final = (
    "time",
    "session_id",
    "currency",
    "initial",
    "cash",
    "realised",
    "fees",
    "equity",
    "trades",
    "open_positions",
)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """Return the text of a cell: one line, and nothing that a spreadsheet would run.

    Control characters become spaces; what starts like a formula gets a quote before it.
    """
    text = "" if value is None else str(value)
    if _NUMBER.fullmatch(text):
        return text
    text = "".join(c if c.isprintable() else " " for c in text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def lines(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> list[bytes]:
    """Return one CSV line per record, without the header."""
    made = []
    for record in records:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, lineterminator="\n").writerow([cell(record[name]) for name in columns])
        made.append(buffer.getvalue().encode())
    return made


def sync(path: Path, columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> int:
    """Make `path` hold a header and exactly `records`; return how many rows were added to it.

    Raises OSError.
    """
    header = (",".join(columns) + "\n").encode()
    body = lines(columns, records)
    wanted = header + b"".join(body)
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        present = b""
    if present == wanted:
        return 0
    if not present or not wanted.startswith(present) or not present.endswith(b"\n"):
        _replace(path, wanted)
        return len(body)
    missing = wanted[len(present) :]
    _append(path, missing)
    return missing.count(b"\n")


def _append(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        _write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        _write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    unfinished.replace(path)
    synced(path.parent)


def _write_all(fd: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(fd, rest) :]


@dataclass(frozen=True, slots=True)
class Exported:
    """What the files of a directory hold."""

    trade: int
    """`closed_seq` of the last trade."""
    checkpoint: int
    """Id of the last portfolio snapshot."""
    added: dict[str, int]
    """Rows added, by file name."""


def export_all(database: Path, directory: Path) -> Exported:
    """Bring all files in `directory` to what the store has.

    Safe beside a running engine. Raises JournalRefused or OSError.
    """
    with StoreReader.open(database) as reader:
        trades, checkpoints = reader.trades(), reader.portfolio()
    added = {
        name: sync(directory / name, columns, rows)
        for name, columns, rows in _files(trades, checkpoints)
    }
    return Exported(_last(trades, "closed_seq"), _last(checkpoints, "id"), added)


class CsvExports:
    """Keeps the files of one store up to date; costs what is new, not what is there."""

    def __init__(self, database: Path, directory: Path) -> None:
        self._database, self._directory = database, directory
        self._have: Exported | None = None

    def update(self) -> None:
        """Add what is new since the last call; the first call, and one after an error, checks
        everything. Raises JournalRefused or OSError.
        """
        have, self._have = self._have, None
        if have is None:
            self._have = export_all(self._database, self._directory)
            return
        with StoreReader.open(self._database) as reader:
            trades = reader.trades(after=have.trade)
            checkpoints = reader.portfolio(after=have.checkpoint)
        files = [f for f in _files(trades, checkpoints) if f[2]]
        if not all((self._directory / name).exists() for name, _, _ in files):
            self._have = export_all(self._database, self._directory)
            return
        for name, columns, rows in files:
            _append(self._directory / name, b"".join(lines(columns, rows)))
        self._have = Exported(
            max(have.trade, _last(trades, "closed_seq")),
            max(have.checkpoint, _last(checkpoints, "id")),
            {},
        )


def _files(
    trades: Sequence[Record], checkpoints: Sequence[Record]
) -> Iterator[tuple[str, Sequence[str], list[Record]]]:
    yield "trades.csv", TRADE_COLUMNS, list(trades)
    for session, rows in groupby(trades, key=lambda trade: trade["session_id"]):
        yield f"trades-{_file_name(str(session))}.csv", TRADE_COLUMNS, list(rows)
    snapshots = _portfolio(checkpoints)
    yield "portfolio.csv", PORTFOLIO_COLUMNS, snapshots
    for session, rows in groupby(snapshots, key=lambda snapshot: snapshot["session_id"]):
        yield f"portfolio-{_file_name(str(session))}.csv", PORTFOLIO_COLUMNS, list(rows)


def _last(records: Sequence[Record], column: str) -> int:
    return int(records[-1][column] or 0) if records else 0


def _file_name(session: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in session)


def _portfolio(checkpoints: Iterable[Record]) -> list[Record]:
    rows: list[Record] = []
    for checkpoint in checkpoints:
        snapshot = json.loads(str(checkpoint["account_snapshot"]))
        rows.extend(
            {
                "time": checkpoint["checkpoint_time"],
                "session_id": checkpoint["session_id"],
                "equity": snapshot["equity"][account["currency"]],
                "open_positions": checkpoint["active_positions_count"],
                **{k: account[k] for k in ("currency", "initial", "cash", "realised", "fees")},
                "trades": account["trades"],
            }
            for account in snapshot["accounts"]
        )
    return rows
