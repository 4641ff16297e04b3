"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.faults import matrix
from tests.faults.tracing import can_trace


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep serial tests together: under `--dist loadgroup` one worker takes them one by one."""
    for item in items:
        if item.get_closest_marker("serial") is not None:
            item.add_marker(pytest.mark.xdist_group("serial"))
        for row in matrix.of_item(item.nodeid):
            item.add_marker(pytest.mark.fault(row))


def _must_run() -> bool:
    """Return whether this machine can run every fault: strace, and root for small disks."""
    is_equipped = can_trace() and os.geteuid() == 0
    return is_equipped or "HOLDFAST_FAULTS_MUST_RUN" in os.environ


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a fault that was not tested as failed (B-22) wherever it could have been.

    Elsewhere it is said at the end of the run, and stays red on the page of faults.
    """
    report = yield
    is_fault = item.get_closest_marker("fault") is not None
    if report.skipped and is_fault and _must_run():
        report.outcome = "failed"
        report.longrepr = f"NOT TESTED, which counts as failed: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the faults that this machine could not inject."""
    missed = {
        row
        for report in terminalreporter.stats.get("skipped", [])
        for row in matrix.of_item(report.nodeid)
    }
    if missed:
        terminalreporter.section("faults NOT TESTED here", yellow=True)
        terminalreporter.line(
            f"{', '.join(sorted(missed))}: they need strace and, for small disks, root"
        )
