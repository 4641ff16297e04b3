"""The short form of `tests/faults/kill_engine.py`: the real engine killed under load; the drill.

The long form: `python -m tests.faults.kill_engine --kills 200 --seed 1`.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from engine.bootstrap.drill_life import Manner
from engine.store.reader import StoreReader
from tests.faults.kill_engine import Harness
from tests.faults.process_rig import buy, engine, holdfast
from tests.faults.tracing import can_trace

KILLS = int(os.environ.get("HOLDFAST_KILLS", "12"))


async def test_the_real_engine_killed_under_load_loses_nothing_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    harness = Harness(tmp_path / "data", 1)
    figures = await harness.run(KILLS)
    assert not figures.faults
    assert figures.is_proven
    assert figures.kills == KILLS
    assert figures.with_positions > KILLS / 2
    assert figures.acked > 10 * KILLS
    assert figures.fills > KILLS
    if can_trace():
        assert harness.inside > 0
        assert figures.manners[Manner.WRITING.value] >= harness.inside
    else:  # pragma: no cover
        warnings.warn("NOT TESTED: no strace, so no kill inside a write", UserWarning, stacklevel=1)


async def test_the_harness_finds_an_engine_that_acknowledges_before_it_commits(
    tmp_path: Path,
) -> None:
    figures = await Harness(tmp_path / "data", 3, planted=True).run(40)
    assert figures.count("lost") > 0
    assert not figures.is_proven


def test_a_drill_beside_a_running_engine_proves_it_on_a_copy_and_leaves_the_original_alone(
    tmp_path: Path,
) -> None:
    with engine(tmp_path):
        buy(tmp_path, "a")
        done = holdfast("drill", "--data-dir", str(tmp_path), "--kills", "3", "--json")
        with StoreReader.open(tmp_path / "holdfast.db") as reader:
            told = " ".join(str(event["payload"]) for event in reader.events(limit=100_000))
        assert [row["side"] for row in _positions(tmp_path)] == ["long"]
    assert done.returncode == 0, done.stdout + done.stderr
    row = json.loads(done.stdout)
    assert row["kills"] == 3
    assert (row["lost"], row["duplicates"], row["ledger_difference"]) == (0, 0, "0")
    assert row["with_positions"] == 3
    assert row["acked"] > 0
    assert row["evidence"] is None
    assert "drill" not in told


def _positions(data_dir: Path) -> list[dict[str, object]]:
    shown = holdfast("positions", "--data-dir", str(data_dir), "--json")
    rows: list[dict[str, object]] = json.loads(shown.stdout)
    return rows
