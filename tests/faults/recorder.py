"""What runs of fault tests came to: `recorded.json`, from which docs/faults.md is written.

As a pytest plugin (`-p tests.faults.recorder --fault-record`) it keeps outcome, time and what
tests say with `record_property("figure" | "line" | "n" | "seed", ...)`. Long forms say what they
found with `remember`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.faults import matrix

FILE: Final = Path(__file__).with_name("recorded.json")
SAID: Final = ("figure", "line", "n", "seed")


def machine() -> str:
    """Return what a figure was measured on."""
    kernel = platform.release().split("-")[0]
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{os.cpu_count()} cores, {platform.system()} {kernel}, Python {version}"


def recorded() -> dict[str, Any]:
    """Return what was recorded; nothing yet is empty."""
    if not FILE.exists():
        return {"tests": {}, "long": {}}
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def keep(data: Mapping[str, Any]) -> None:
    """Write what is recorded."""
    FILE.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def remember(row: str, figure: str, *, n: int, seed: int | None = None) -> None:
    """Keep the figure of a long form for a row."""
    data = recorded()
    data["long"][row] = {
        "figure": figure,
        "n": n,
        "seed": seed,
        "day": _today(),
        "machine": machine(),
        "command": f"python -m {_module()} {' '.join(sys.argv[1:])}".strip(),
    }
    keep(data)


def _module() -> str:
    spec = sys.modules["__main__"].__spec__
    return spec.name if spec is not None else Path(sys.argv[0]).stem


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-record", action="store_true", help="keep what fault tests came to")


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")
    if config.getoption("--fault-record") and not is_worker:
        config.pluginmanager.register(Recorder(), "fault-recorder")


class Recorder:
    """Collects reports; under xdist they all come to the one process that started the run."""

    def __init__(self) -> None:
        self.cases: dict[str, list[dict[str, Any]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the report of a test's call, or of whatever ended it before."""
        if not matrix.of_item(report.nodeid) or (report.when != "call" and report.passed):
            return
        test = matrix.name_of(report.nodeid)
        said = {key: value for key, value in report.user_properties if key in SAID}
        case = {"outcome": report.outcome, "seconds": round(report.duration, 2), **said}
        self.cases.setdefault(test, []).append(case)

    def pytest_sessionfinish(self) -> None:
        """Write what was collected; what did not run keeps what it had."""
        data = recorded()
        for test, cases in self.cases.items():
            kept: dict[str, Any] = {key: case[key] for case in cases for key in SAID if key in case}
            kept |= {
                "passed": sum(case["outcome"] == "passed" for case in cases),
                "cases": len(cases),
                "seconds": round(sum(case["seconds"] for case in cases), 1),
                "day": _today(),
                "machine": machine(),
            }
            data["tests"][test] = kept
        keep(data)
