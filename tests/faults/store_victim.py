"""A process that journals a known history and says on standard output what is durable.

argv: data directory, and what to do: `late` (right), `early` (the planted bug: says so before the
commit), `retry` (right, with a short journal, trying again what fails as the engine does),
`early-short` (the bug, with a short journal).
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from engine.domain.event import Entry
from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.domain.state import State
from engine.ports.journal import JournalConflict, JournalError
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History, batches

SEED, LENGTH = 11, 2500
STAMP = Stamp(Mode.PAPER, "paper")


def database(directory: Path) -> Path:
    return directory / "holdfast.db"


async def main(directory: Path, way: str) -> None:
    history = History(SEED).run(LENGTH).entries
    if way in {"retry", "early-short"}:
        history = history[:300]
    async with SqliteJournal.open(database(directory), STAMP, Nanos(1)) as journal:
        state = journal.recovered.state
        for number, batch in enumerate(batches(history[journal.head :], journal.head)):
            state = fold(batch, state)
            if way.startswith("early"):
                say(str(state.seq))
            await append(journal, batch, state, tries=50 if way == "retry" else 1)
            if not way.startswith("early"):
                say(str(state.seq))
            if number % 50 == 49:
                await journal.checkpoint(state, Nanos(number))
    say("done")


async def append(journal: SqliteJournal, batch: list[Entry], state: State, tries: int) -> None:
    """Append as the engine does: the very same entries, again and again."""
    for attempt in range(tries):
        try:
            await journal.append(batch, state)
        except JournalConflict:
            raise
        except JournalError as error:
            say("failed")
            if attempt + 1 == tries:
                raise
            print(error, file=sys.stderr)
        else:
            return


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
