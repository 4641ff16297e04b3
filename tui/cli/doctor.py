"""`holdfast doctor`: what stands in the way of a start, and how each thing is mended (O-4)."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.exits import DONE, FAILED
from tui.cli.output import as_json, say
from tui.cli.places import chosen_data_dir, database

if TYPE_CHECKING:
    from engine.runtime.doctor import Question


def command(args: argparse.Namespace) -> int:
    """Print one line for each thing looked at; fail if anything prevents a start."""
    from engine.runtime.clock import SystemClock
    from engine.runtime.doctor import Grade, examine, worst

    data_dir = chosen_data_dir(args)
    findings = examine(data_dir, SystemClock(), _questions(args, data_dir))
    if args.json:
        as_json(
            [
                {"grade": f.grade.value, "about": f.about, "what": f.what, "mend": f.mend or None}
                for f in findings
            ]
        )
    else:
        for found in findings:
            mend = f"  -> {found.mend}" if found.mend else ""
            say(f"{found.grade.value:<5} {found.about:<14} {found.what}{mend}")
    return FAILED if worst(findings) is Grade.FAIL else DONE


def _questions(args: argparse.Namespace, data_dir: Path) -> Iterator[Question]:
    """Yield what only the command line can look at."""
    from engine.runtime.doctor import Question

    yield Question("configuration", lambda: _configuration(args, data_dir), "mend that value")
    mend = "restore a copy of it, or name another --data-dir; nothing was changed"
    yield Question("store", lambda: _store(data_dir), mend)
    mend = "end the process that holds the data directory"
    yield Question("engine", lambda: _engine(data_dir), mend)
    mend = "open a terminal of at least 80x24, or use --headless"
    yield Question("terminal", _terminal, mend, is_needed=False)


def _engine(data_dir: Path) -> str:
    from engine.store.lock import holder

    owner = holder(data_dir)
    return "none is running" if owner is None else f"pid {owner.pid} on {owner.host}"


def _configuration(args: argparse.Namespace, data_dir: Path) -> str:
    from engine.settings import load

    loaded = load(args.config, data_dir=data_dir, sets=args.sets)
    given = len(loaded.sources)
    return (
        f"{given} value{'' if given == 1 else 's'} differ from the defaults"
        if given
        else ("all defaults")
    )


def _store(data_dir: Path) -> str:
    from engine.store.reader import StoreReader

    if not database(data_dir).exists():
        return "none yet"
    with StoreReader.open(database(data_dir)) as reader:
        head = reader.verify_chain()
        stamp = reader.stamp()
    return f"{stamp['mode']}, {head.seq} events, chain unbroken"


def _terminal() -> str:
    from tui.terminal import examine, require

    require(os.environ)
    found = examine(os.environ)
    colours = "16 colours" if found.is_low_colour else "full colour"
    return f"{os.environ.get('TERM', '?')}, {'no colour' if found.is_mono else colours}"
