"""A process that writes something of the store from nothing, to be killed inside any of its writes.

argv: `migrate` or `export`, and a directory that holds a store.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.store.export import export_all
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp


async def main(what: str, directory: Path) -> None:
    database = directory / "holdfast.db"
    if what == "migrate":
        async with SqliteJournal.open(database, Stamp(Mode.PAPER, "paper"), Nanos(5)):
            pass
    else:
        export_all(database, directory / "exports")
    print("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
