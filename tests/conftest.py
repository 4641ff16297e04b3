"""What holds for every test."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from tests.faults import matrix


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep serial tests together: under `--dist loadgroup` one worker takes them one by one."""
    for item in items:
        if item.get_closest_marker("serial") is not None:
            item.add_marker(pytest.mark.xdist_group("serial"))
        for row in matrix.of_item(item.nodeid):
            item.add_marker(pytest.mark.fault(row))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a fault that was not tested as failed (B-22), unless a person said that it may be."""
    report = yield
    is_fault = item.get_closest_marker("fault") is not None
    if report.skipped and is_fault and "HOLDFAST_FAULTS_MAY_SKIP" not in os.environ:
        report.outcome = "failed"
        report.longrepr = f"NOT TESTED, which counts as failed: {report.longrepr}"
    return report
