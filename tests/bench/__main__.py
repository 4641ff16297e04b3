"""`python -m tests.bench NAME…`: measure, print one JSON line per figure, keep the record.

`all` is everything, `short` is what CI looks at; `--list` names the benches. Exit code 1: a figure
misses its budget.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from tests.bench import report
from tests.bench.figures import Figure
from tests.bench.scale import Scale

BENCHES: Final[dict[str, tuple[str, str]]] = {
    "ticks": ("tests.bench.ticks", "B-1 a, b, d, e: whole engine over recorded files"),
    "inbox": ("tests.bench.inbox", "B-1 c: the live inbox"),
    "durability": ("tests.bench.durability", "B-5: durable events and round trips"),
    "startup": ("tests.bench.startup", "B-7: version, status, first paint"),
    "latency": ("tests.bench.latency", "B-2, B-3, B-4, B-11: the engine's process"),
    "console": ("tests.bench.console", "B-8, B-9, B-10, B-11: the console on a pty"),
}
"""Name -> (module with `run(scale)`, what it measures)."""
SHORT: Final = ("ticks", "inbox", "durability", "startup", "latency", "console")


def measure(names: list[str], scale: Scale) -> Iterator[Figure]:
    """Yield the figures of the named benches as they come."""
    for name in names:
        module, what = BENCHES[name]
        run: Callable[[Scale], Iterator[Figure]] = import_module(module).run
        try:
            yield from run(scale)
        except Exception as failure:
            traceback.print_exc()
            why = f"the bench failed: {failure!r}"[:300]
            yield Figure(f"bench {name}", what, "", 0, None, "it runs", ok=False, note=why)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join([*BENCHES, "all"]))
    parser.add_argument("--short", action="store_true", help="few rounds, no peers")
    parser.add_argument("--report", type=Path, help="update this page and the record beside it")
    parser.add_argument("--list", action="store_true", help="name the benches")
    asked = parser.parse_args()
    if asked.list:
        for name, (_, what) in BENCHES.items():
            print(f"{name:12} {what}")
        return 0
    if asked.report and not asked.names:
        report.write(asked.report)
        return 0
    names = list(BENCHES) if asked.names == ["all"] else asked.names
    is_short = asked.short or names == ["short"]
    names = list(SHORT) if names == ["short"] else names
    unknown = [name for name in names if name not in BENCHES]
    if unknown or not names:
        parser.error(f"NAME was {' '.join(unknown) or 'missing'}, allowed: {', '.join(BENCHES)}")
    missed = False
    for figure in measure(names, Scale(is_short)):
        line = figure.line()
        print(line, flush=True)
        missed |= figure.ok is False
        if asked.report:
            report.keep(asked.report, line)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
