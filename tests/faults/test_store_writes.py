"""The short form of `tests/faults/every_write.py`: a fault inside the n-th write of what is stored.

The long form, every n: `python -m tests.faults.every_write`.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults import every_write
from tests.faults.every_write import ERRORS, KILLS, Figures, strike
from tests.faults.test_standstill import Record
from tests.faults.tracing import needs_strace

pytestmark = needs_strace
STRIDE = int(os.environ.get("HOLDFAST_WRITE_STRIDE", "0"))
"""0: a handful of n of each kind."""


def proven(figures: list[Figures], record: Record) -> None:
    """Hold that every fault that was met left nothing wrong, and say how many were."""
    record("figure", "; ".join(each.text for each in figures))
    record("n", sum(len(each.covered) for each in figures))
    for each in figures:
        assert each.wrong == []
        assert each.struck > 0


def test_a_kill_inside_the_nth_write_or_sync_loses_nothing(record_property: Record) -> None:
    proven(every_write.journal(KILLS, STRIDE or 160, 11), record_property)


def test_a_failing_write_or_sync_at_every_n_loses_and_doubles_nothing(
    record_property: Record,
) -> None:
    proven(every_write.journal(ERRORS, STRIDE or 400, 31), record_property)


def test_a_migration_killed_inside_any_write_is_old_or_new_and_never_between(
    record_property: Record,
) -> None:
    proven(every_write.migration(STRIDE or 40, 5), record_property)


def test_an_export_killed_inside_any_write_is_complete_after_the_next(
    record_property: Record,
) -> None:
    proven(every_write.export(STRIDE or 5, 1), record_property)


def test_a_planted_loss_is_found() -> None:
    """A victim that acknowledges before it commits loses something at some n."""

    def early(place: Path) -> list[str]:
        return ["tests.faults.store_victim", str(place), "early-short"]

    figures = strike(early, every_write.journal_wrong, KILLS[0], 200, 3)
    assert any("lost" in wrong for wrong in figures.wrong)
