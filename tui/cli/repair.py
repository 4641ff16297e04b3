"""`holdfast repair`: the tables compared with the journal, and rebuilt from it when asked to.

The journal is the truth and is not touched; the tables are what people query (E-55).
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from tui.cli.exits import DONE, HELD, NEEDS_DECISION, NOT_RUNNING, STORE_REFUSED, Failure
from tui.cli.output import as_json, say
from tui.cli.places import data_dir_of, database

if TYPE_CHECKING:
    from engine.store.audit import Difference


def command(args: argparse.Namespace) -> int:
    """Compare, and with `--yes` rebuild; 5 if something differs and was left as it is."""
    data_dir = data_dir_of(args.data_dir)
    if not database(data_dir).exists():
        raise Failure(f"there is no store in {data_dir}", NOT_RUNNING)
    found = asyncio.run(_look(args))
    if args.json:
        as_json([str(difference) for difference in found])
    for difference in () if args.json else found:
        say(str(difference))
    if not args.json:
        what = "rebuilt from the journal" if args.yes else "`--yes` rebuilds the tables"
        say(f"{len(found)} differences; {what}" if found else "the tables follow from the journal")
    return NEEDS_DECISION if found and not args.yes else DONE


async def _look(args: argparse.Namespace) -> list[Difference]:
    from engine.ports.journal import JournalRefused
    from engine.runtime.clock import SystemClock
    from engine.store.lock import DirectoryHeld, held
    from engine.store.reader import stamp_of
    from engine.store.sqlite import SqliteJournal

    data_dir, now = data_dir_of(args.data_dir), SystemClock().now()
    path = database(data_dir)
    try:
        with held(data_dir, now):
            async with SqliteJournal.open(path, stamp_of(path), now) as journal:
                return await (journal.repair() if args.yes else journal.differences())
    except DirectoryHeld as error:
        raise Failure(str(error), HELD) from None
    except JournalRefused as error:
        raise Failure(str(error), STORE_REFUSED) from None
