"""What commands print: JSON for programs, aligned tables for people, nothing raw from outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tui.sanitise import for_screen

NOTHING = "-"


def say(text: str, limit: int = 4000) -> None:
    """Print a line; control characters of what came from outside are shown as escapes."""
    sys.stdout.write(f"{for_screen(text, limit)}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a failure to standard error, line by line."""
    for line in text.splitlines() or [""]:
        sys.stderr.write(f"holdfast: {for_screen(line, 2000)}\n")
    sys.stderr.flush()


def as_json(data: Any) -> None:  # noqa: ANN401  whatever JSON can hold
    """Print one JSON document on one line; everything beyond ASCII is an escape (C-8)."""
    sys.stdout.write(json.dumps(data, separators=(", ", ": ")) + "\n")
    sys.stdout.flush()


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as an aligned table; figures stand right."""
    shown = [[_cell(row.get(column)) for column in columns] for row in rows]
    if not shown:
        say("(none)")
        return
    widths = [max(len(r[i]) for r in [list(columns), *shown]) for i in range(len(columns))]
    figures = [all(_is_figure(row[i]) for row in shown) for i in range(len(columns))]
    for line in [[c.upper() for c in columns], *shown]:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, figures, strict=True)
        ]
        say("  ".join(cells).rstrip())


def _cell(value: Any) -> str:  # noqa: ANN401
    if value is None or value == "":
        return NOTHING
    if isinstance(value, list):
        return ",".join(map(str, value)) or NOTHING
    return for_screen(value, 80)


def _is_figure(text: str) -> bool:
    return text == NOTHING or text.lstrip("+-").replace(".", "", 1).replace(",", "").isdigit()
