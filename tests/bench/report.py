"""docs/bench.md: a table of the newest figure of each name, made from the lines beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HEAD = (
    "# Measured\n\n"
    "Made by `make bench` from the lines in [bench.jsonl](bench.jsonl); do not edit. Budgets: "
    "B-1 … B-15 of the specification. Peers and floors ran in the same rounds as Holdfast, each "
    "peer in an environment of its own. Machines are shared and noisy: read the ratios, not the "
    "digits.\n\n"
)
COLUMNS = ("#", "figure", "median", "p99", "n", "against, same run", "budget", "verdict")


def record_of(page: Path) -> Path:
    return page.with_suffix(".jsonl")


def keep(page: Path, line: str) -> None:
    """Put `line` in place of the older one of its name, and write the page anew."""
    figure = json.loads(line)
    known = {known["name"]: known for known in _figures(page)}
    known[figure["name"]] = figure
    ordered = [known[name] for name in sorted(known, key=_place)]
    text = "".join(json.dumps(figure) + "\n" for figure in ordered)
    record_of(page).write_text(text, encoding="utf-8")
    write(page)


def write(page: Path) -> None:
    """Write `page` from the record beside it."""
    figures = _figures(page)
    misses = [f for f in figures if f["ok"] is False]
    page.write_text(HEAD + _table(figures) + _misses(misses) + _machines(figures), encoding="utf-8")


def _figures(page: Path) -> list[dict[str, Any]]:
    path = record_of(page)
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _place(name: str) -> tuple[int, str]:
    number = "".join(c for c in name.split(maxsplit=1)[0].partition("-")[2] if c.isdigit())
    return int(number or 0), name


def _table(figures: list[dict[str, Any]]) -> str:
    rows = [
        "| # | figure | median | p99 | n | against, same run | budget | verdict |",
        "|---" * 8 + "|",
    ]
    for f in figures:
        cells = (
            f["name"],
            f["what"] + (f" ({f['note']})" if f["note"] else ""),
            "not measured" if f["median"] is None else f"{_number(f['median'])} {f['unit']}",
            "" if f["p99"] is None else _number(f["p99"]),
            f"{f['n']:,}".replace(",", " "),
            _against(f),
            f["budget"],
            {True: "kept", False: "**MISSED**", None: "–"}[f["ok"]],
        )
        rows.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _against(figure: dict[str, Any]) -> str:
    parts = []
    for name in [*figure["against"], *(n for n in figure["ratio"] if n not in figure["against"])]:
        said = name
        if name in figure["against"]:
            said += f" {_number(figure['against'][name])}"
        if name in figure["ratio"]:
            said += f" (x {_number(figure['ratio'][name])})"
        parts.append(said)
    return "; ".join(parts)


def _misses(figures: list[dict[str, Any]]) -> str:
    if not figures:
        return "\nEvery figure with a budget keeps it.\n"
    names = ", ".join(figure["name"] for figure in figures)
    return f"\n**Missed: {names}.** What misses its budget is worked on.\n"


def _machines(figures: list[dict[str, Any]]) -> str:
    seen = sorted({(f["machine"], f["at"][:10]) for f in figures})
    return "\n" + "\n".join(f"Measured on {machine}, {day}." for machine, day in seen) + "\n"


def _number(value: float) -> str:
    for size, sign in ((1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            scaled = value / (1e6 if sign == " M" else 1e3)
            return f"{scaled:.3g}{sign}"
    return f"{value:.3g}"
