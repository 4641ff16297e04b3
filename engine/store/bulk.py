"""Many rows in few statements.

`executemany` gives the interpreter's lock away and takes it back once per row; beside a busy event
loop each of those can cost a whole switching interval. A statement of 256 rows does so once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

_SIZES: Final = (256, 64, 16, 4)
"""Rows per statement, largest first; so few forms that all of them stay prepared."""


class Bulk:
    """An INSERT of any number of rows of one width."""

    def __init__(self, table: str, columns: Sequence[str], conflict: str = "") -> None:
        # Names are constants of the schema. An upsert, not REPLACE: that would delete a parent.
        start = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
        row = f"({', '.join('?' * len(columns))})"
        self._one = f"{start}{row} {conflict}"
        self._many = {n: f"{start}{', '.join([row] * n)} {conflict}" for n in _SIZES}

    def write(self, db: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert all `rows`, in order; the caller holds the transaction. Raises sqlite3.Error."""
        done = 0
        for size, statement in self._many.items():
            while len(rows) - done >= size:
                db.execute(statement, tuple(chain.from_iterable(rows[done : done + size])))
                done += size
        for row in rows[done:]:
            db.execute(self._one, row)
