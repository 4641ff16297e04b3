"""The short form of `tests/faults/power_cut.py`: the power fails while the real engine writes."""

from __future__ import annotations

import os

import pytest

from tests.faults.power_cut import PLANTED, measured
from tests.faults.test_store_power_cut import POLICIES
from tests.faults.tracing import needs_strace

pytestmark = needs_strace
POINTS = int(os.environ.get("HOLDFAST_CUT_POINTS", "1200"))


def test_a_power_cut_at_any_write_of_the_real_engine_loses_nothing_acknowledged() -> None:
    recording, verdict = measured(POINTS, 1, 400)
    assert not verdict.told
    assert (verdict.lost, verdict.corrupt) == (0, 0)
    assert verdict.points == POINTS
    assert verdict.opened > POINTS / 4
    assert set(verdict.by_policy) == set(POLICIES)
    assert recording.acknowledged >= 390
    assert 0 < recording.heard <= recording.acknowledged


@pytest.mark.parametrize("module", PLANTED)
def test_the_harness_finds_a_planted_bug_of_the_real_engine(module: str) -> None:
    recording, verdict = measured(400, 1, 200, module)
    assert recording.acknowledged >= 190
    assert verdict.lost or verdict.corrupt  # the watermark tells of a journal that is too short
