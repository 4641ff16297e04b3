"""A process that journals a known history and says on standard output what is durable.

argv: data directory, `late` (right) or `early` (the planted bug: says so before the commit).
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History, batches

SEED, LENGTH = 11, 2500
STAMP = Stamp(Mode.PAPER, "paper")


def database(directory: Path) -> Path:
    return directory / "holdfast.db"


async def main(directory: Path, ack: str) -> None:
    history = History(SEED).run(LENGTH).entries
    async with SqliteJournal.open(database(directory), STAMP, Nanos(1)) as journal:
        state = journal.recovered.state
        for number, batch in enumerate(batches(history[journal.head :], journal.head)):
            state = fold(batch, state)
            if ack == "early":
                os.write(1, b"%d\n" % state.seq)
            await journal.append(batch, state)
            if ack == "late":
                os.write(1, b"%d\n" % state.seq)
            if number % 50 == 49:
                await journal.checkpoint(
                    state, state.session.started_at if state.session else Nanos(0)
                )
    os.write(1, b"done\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
