"""The planted bug: the real engine, but its store runs with `synchronous=NORMAL`.

`python -m tests.faults.normal_engine engine …` takes the words of `python -m tui.cli engine`.
"""

from __future__ import annotations

import sqlite3
import sys

from engine.store import opening
from tui.cli import main

_configure = opening.configure


def _careless(db: sqlite3.Connection) -> None:
    _configure(db)
    db.execute("PRAGMA synchronous = NORMAL")


if __name__ == "__main__":
    opening.configure = _careless
    sys.exit(main())
