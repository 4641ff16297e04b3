"""Writes docs/faults.md from the matrix and from what runs came to.

`python -m tests.faults.report --run` runs every test that the matrix names, keeps what they came
to in `recorded.json`, and writes the page; without `--run` it writes the page only. What stands
outside the marks of the page is left as it is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from tests.faults.matrix import IN_FORCE, ROOT, Budget, Row, budgets, named, rows
from tests.faults.recorder import recorded

PAGE: Final = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
GREEN, RED = "ok", "**RED**"
HEAD: Final = (
    "| row | fault | injection | required | figure | line on screen or in the log "
    "| tests | seed | n | verdict |\n|" + "---|" * 10
)
TITLES: Final = {
    "process": "Process and host",
    "storage": "Storage",
    "network": "Network and venue",
    "time": "Data and time",
    "operator": "Operator and screen",
    "fleet": "Fleet",
}


def verdict(row: Row, data: dict[str, Any]) -> str:
    """Return why a row is not green; empty: it is."""
    if not row.is_in_force:
        return row.comes
    for test in row.tests:
        ran = data["tests"].get(test)
        if ran is None:
            return f"not run: {test.rpartition('::')[2]}"
        if ran["passed"] < ran["cases"] or not ran["cases"]:
            return f"failed: {test.rpartition('::')[2]}"
    return "" if row.tests else "no test"


def figure(row: Row, data: dict[str, Any]) -> str:
    """Return what was measured: the long form first, then what the tests said of themselves."""
    long = data["long"].get(row.id)
    said = [f"{long['figure']} (`{long['command']}`)"] if long else []
    ran = [data["tests"][test] for test in row.tests if test in data["tests"]]
    said += [str(each["figure"]) for each in ran if "figure" in each]
    if not said and ran:
        passed, cases = (sum(each[key] for each in ran) for key in ("passed", "cases"))
        said = [f"{row.figure}: {passed} of {cases} cases as required"]
    return "; ".join(dict.fromkeys(said)) or row.figure


def line(row: Row, data: dict[str, Any]) -> str:
    """Return the line that a run saw; else the one that the tests hold, as the matrix has it."""
    ran = [data["tests"][test] for test in row.tests if test in data["tests"]]
    seen = [str(each["line"]) for each in ran if "line" in each]
    return f"seen: {seen[0]}" if seen else row.line


def cells(row: Row, data: dict[str, Any]) -> Iterator[str]:
    """Yield a row of the table."""
    ran = [data["tests"][test] for test in row.tests if test in data["tests"]]
    long = data["long"].get(row.id, {})
    wrong = verdict(row, data)
    seeds = [each["seed"] for each in (long, *ran) if each.get("seed") is not None]
    counts = [each["n"] for each in (long, *ran) if each.get("n") is not None]
    cases = sum(each["cases"] for each in ran)
    yield from (row.id, row.fault, row.injection, row.required)
    yield figure(row, data) if row.is_in_force else ""
    yield line(row, data) if row.is_in_force else ""
    yield f"{len(row.tests)} ({cases} cases)" if row.tests else "0"
    yield str(seeds[0]) if seeds else ""
    yield f"{max(counts):,}" if counts else f"{cases:,}"
    yield GREEN if not wrong else wrong if not row.is_in_force else f"{RED} {wrong}"


def table(group: str, data: dict[str, Any]) -> str:
    """Return the table of a group."""
    lines = [f"### {TITLES[group]}", "", HEAD]
    for row in rows():
        if row.group == group:
            shown = (_cell(text) for text in cells(row, data))
            lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def is_proven(budget: Budget, data: dict[str, Any]) -> bool:
    """Return whether every test of a budget ran and passed."""
    runs = [data["tests"].get(test, {"passed": 0, "cases": 1}) for test in budget.tests]
    return all(0 < one["passed"] == one["cases"] for one in runs)


def beside(data: dict[str, Any]) -> str:
    """Return the table of what is proven beside the rows."""
    lines = ["### Beside the rows", "", "| what | required | figure | cases | verdict |"]
    lines.append("|---|---|---|---|---|")
    for each in budgets():
        runs = [data["tests"][test] for test in each.tests if test in data["tests"]]
        figures = "; ".join(str(one["figure"]) for one in runs if "figure" in one)
        passed, cases = (sum(one[key] for one in runs) for key in ("passed", "cases"))
        shown = (f"{each.id}: {each.what}", each.required, figures, f"{passed} of {cases}")
        lines.append(
            f"| {' | '.join(map(_cell, shown))} | {GREEN if is_proven(each, data) else RED} |"
        )
    return "\n".join(lines)


def made(data: dict[str, Any]) -> str:
    """Return what stands between the marks."""
    force = [row for row in rows() if row.is_in_force]
    green = [row for row in force if not verdict(row, data)]
    waits = [row for row in rows() if not row.is_in_force]
    machines = sorted({ran["machine"] for ran in data["tests"].values()})
    days = sorted({ran["day"] for ran in data["tests"].values()})
    comes = "; ".join(
        f"{sum(row.comes == why for row in waits)} {why}"
        for why in dict.fromkeys(row.comes for row in waits)
    )
    count = f"{len(green)} of {len(force)} rows in force ran and are as required"
    said = [
        f"**{count}; {len(rows())} rows in all.** Not counted as run: {comes}.",
        "",
        f"Machine: {', '.join(machines) or 'none yet'}. Last run: {days[-1] if days else 'never'}.",
    ]
    tables = [table(group, data) for group in TITLES if group in IN_FORCE]
    tables += [table(group, data) for group in TITLES if group not in IN_FORCE]
    return "\n".join([*said, "", "\n\n".join([*tables, beside(data)])])


def page(old: str, data: dict[str, Any]) -> str:
    """Return the page with what is between the marks made anew."""
    before, begin, rest = old.partition(BEGIN)
    if not begin:
        raise ValueError(f"{PAGE} has no {BEGIN}")
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{made(data)}\n{END}{after}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def run() -> int:
    """Run every test that the matrix names."""
    tests = sorted({test for each in named() for test in each.tests})
    words = [
        "-q",
        "-p",
        "tests.faults.recorder",
        "--fault-record",
        "-n",
        "2",
        "--dist",
        "loadgroup",
    ]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, *tests], cwd=ROOT, check=False
    ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="run every test of the matrix first")
    args = parser.parse_args()
    code = run() if args.run else 0
    data = recorded()
    PAGE.write_text(page(PAGE.read_text(), data))
    red = [row.id for row in rows() if row.is_in_force and verdict(row, data)]
    red += [each.id for each in budgets() if not is_proven(each, data)]
    print(f"{PAGE.relative_to(ROOT)}: red: {', '.join(red) or 'none'}")
    return code or bool(red)


if __name__ == "__main__":
    raise SystemExit(main())
