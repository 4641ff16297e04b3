"""`holdfast doctor`: what stands in the way of a start, and how each thing is mended (O-4)."""

from __future__ import annotations

import argparse
import os

from tui.cli.exits import DONE, FAILED
from tui.cli.output import as_json, say
from tui.cli.places import chosen_data_dir


def command(args: argparse.Namespace) -> int:
    """Print one line for each thing looked at; fail if anything prevents a start."""
    from engine.bootstrap.diagnose import diagnose
    from engine.runtime.clock import SystemClock
    from engine.runtime.doctor import Grade, Question, worst

    data_dir = chosen_data_dir(args)
    mend = "open a terminal of at least 80x24, or use --headless"
    more = (Question("terminal", _terminal, mend, is_needed=False),)
    findings = diagnose(data_dir, SystemClock(), args.config, args.sets, more=more)
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


def _terminal() -> str:
    from tui.terminal import examine, require

    require(os.environ)
    found = examine(os.environ)
    colours = "16 colours" if found.is_low_colour else "full colour"
    return f"{os.environ.get('TERM', '?')}, {'no colour' if found.is_mono else colours}"
