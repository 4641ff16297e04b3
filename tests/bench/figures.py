"""What a bench says: one figure, what it was compared with, and whether it is within budget."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure of spec/budgets.md."""

    name: str
    """`B-1a`; what stands behind a blank tells variants apart."""
    what: str
    unit: str
    n: int
    """Events measured, over all repeats."""
    median: float | None
    """None: it could not be measured; `note` says why."""
    budget: str
    ok: bool | None
    """None: there is no budget for it, or nothing to judge it by."""
    p99: float | None = None
    against: Mapping[str, float] = field(default_factory=dict)
    """Peers and floors of the same run, in the same unit (or a named one)."""
    ratio: Mapping[str, float] = field(default_factory=dict)
    """Median over the rounds of ours / theirs."""
    note: str = ""

    def line(self) -> str:
        """Return the figure as one JSON line, with machine and time."""
        return json.dumps({**_rounded(asdict(self)), "machine": machine(), "at": _now()})


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' own ratios: noise that hit both cancels."""
    return median(a / b for a, b in zip(ours, theirs, strict=False))


@cache
def machine() -> str:
    """Return processor, cores, kernel and Python in one line."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="ascii", errors="replace") if info.exists() else ""
    models = [row.partition(":")[2].strip() for row in text.splitlines() if "model name" in row]
    model = models[0] if models else platform.machine()
    kernel, python = platform.release().partition("-")[0], platform.python_version()
    return f"{os.cpu_count()} x {model}, {platform.system()} {kernel}, Python {python}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
