"""The short form of the benches: only ratios with ample room, so that a slow machine stays green.

The figures themselves are `make bench`'s business; docs/bench.md names what misses its budget.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import latency, report, startup, ticks
from tests.bench.figures import Figure, percentile, ratio
from tests.bench.scale import Scale

SHORT = Scale(is_short=True)
pytestmark = pytest.mark.serial


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep recordings out of the user's cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.getbasetemp() / "cache")
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


def test_quiet_ticks_cost_the_same_with_a_thousand_positions_and_a_hundredth_of_a_naive_loop() -> (
    None
):
    figure = ticks.quiet(SHORT)
    assert figure.ok, figure.line()


def test_the_worst_case_is_ten_times_faster_than_a_naive_loop() -> None:
    figure = ticks.trend(SHORT)
    assert figure.ok, figure.line()


def test_exits_are_those_of_a_naive_reference_on_every_stream() -> None:
    figure = ticks.same_exits(SHORT)
    assert figure.ok, figure.line()


def test_the_version_is_told_within_five_times_an_empty_interpreter() -> None:
    figure = startup.version(SHORT)
    assert figure.ok, figure.line()


def test_decisions_are_not_late_while_nobody_reads_the_terminal() -> None:
    figure = latency.unread(SHORT)
    assert figure.ok, figure.line()


def test_a_crossed_stop_is_durable_at_once() -> None:
    # Ten times the budget: this machine's disk is shared, and `make bench` has the figure.
    figure = latency.crossed("B-4 idle", "stop crossed to exit intent durable", 500, SHORT)
    assert figure.ok, figure.line()


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert ratio([1.0, 10.0, 100.0], [1.0, 5.0, 1.0]) == 2.0


def test_a_percentile_is_not_exceeded_by_its_share() -> None:
    assert percentile(list(range(1, 101)), 0.99) == 100
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_the_page_keeps_the_newest_figure_of_a_name_and_names_a_miss(tmp_path: Path) -> None:
    page = tmp_path / "bench.md"
    for ok, value in ((True, 1.0), (False, 2.0)):
        made = Figure("B-9", "bytes", "kB/s", 3, value, "<= 1", ok, against={"floor": 1.0})
        report.keep(page, made.line())
    report.keep(page, Figure("B-10", "CPU", "%", 1, 1.0, "<= 1 %", ok=True).line())
    text = page.read_text(encoding="utf-8")
    assert text.index("| B-9 |") < text.index("| B-10 |")
    assert "**Missed: B-9.**" in text
    assert len(page.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()) == 2
    assert json.loads(page.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()[0])[
        "median"
    ] == pytest.approx(2.0)
