"""`holdfast drill`: kill an engine on a copy of the store, again and again; say what was lost."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tui.cli.exits import DONE, FAILED, NOT_RUNNING, STORE_REFUSED, Failure
from tui.cli.output import as_json, complain, say
from tui.cli.places import data_dir_of, database

if TYPE_CHECKING:
    from engine.bootstrap.drill import Figures

SETS: Final = (
    "feed=sim",
    "strategies.signals.kind=signals",
    "quality.enabled=false",
    "backup.interval=86400",
)
"""The engine on the copy: simulated prices, and nobody but the drill who enters."""


def command(args: argparse.Namespace) -> int:
    """Run the drill; 0: nothing was lost."""
    from engine.bootstrap.drill import drill
    from engine.ports.journal import JournalRefused
    from engine.runtime.clock import SystemClock

    data_dir = data_dir_of(args.data_dir)
    if not database(data_dir).exists():
        raise Failure(f"there is no store in {data_dir}", NOT_RUNNING)
    os.umask(0o077)

    def told(figures: Figures) -> None:
        if sys.stderr.isatty() and not args.json:
            held = figures.positions_max
            sys.stderr.write(
                f"\rkill {figures.kills} of {args.kills}, up to {held} positions open "
            )
            sys.stderr.flush()

    run = drill(database(data_dir), start_engine, SystemClock(), args.kills, args.seed, told)
    try:
        figures, evidence = asyncio.run(run)
    except JournalRefused as error:
        raise Failure(str(error), STORE_REFUSED) from None
    except (OSError, sqlite3.Error) as error:
        raise Failure(f"no drill: {error}", FAILED) from None
    if args.json:
        as_json({**figures.row(), "evidence": str(evidence) if evidence else None})
    else:
        _tell(figures, evidence)
    return DONE if figures.is_proven else FAILED


def start_engine(
    data_dir: Path,
    sets: tuple[str, ...] = SETS,
    before: tuple[str, ...] = (),
    module: str = "tui.cli",
) -> subprocess.Popen[bytes]:
    """Start an engine that knows no configuration but `sets`; `before`: words of a tracer."""
    (data_dir / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    words = ["--data-dir", str(data_dir), *(word for text in sets for word in ("--set", text))]
    env = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
    ours = [str(Path(__file__).parents[2]), *filter(None, [env.get("PYTHONPATH")])]
    with (data_dir / "logs" / "engine.out").open("ab") as output:
        return subprocess.Popen(  # noqa: S603  our own interpreter and module
            [*before, sys.executable, "-P", "-m", module, "engine", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**env, "PYTHONPATH": os.pathsep.join(ours)},
        )


def _tell(figures: Figures, evidence: Path | None) -> None:
    row = figures.row()
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    say(
        f"{figures.kills} kills, {figures.with_positions} with open positions "
        f"(up to {figures.positions_max}), seed {figures.seed}"
    )
    say(
        f"{figures.acked:,} acknowledged entries: {row['lost']} lost; {row['duplicates']} done "
        f"twice; ledger off by {row['ledger_difference']}; other faults {row['other_faults']}"
    )
    say(
        f"restart to all positions watched: p50 {figures.restart(0.5):.2f} s, "
        f"p95 {figures.restart(0.95):.2f} s"
    )
    for fault in figures.faults[:20]:
        complain(str(fault))
    if evidence is not None:
        complain(f"what was found is kept in {evidence}")
    elif not figures.is_proven:
        complain("no engine held a position or acknowledged anything: nothing was proven")
    else:
        say("proven: nothing was lost")
