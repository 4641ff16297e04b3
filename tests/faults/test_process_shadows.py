"""A killed engine's successor goes on following what a person took from its rules."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from tests.faults.process_rig import buy, engine, holdfast, positions


def report(data_dir: Path) -> list[dict[str, Any]]:
    said = holdfast("report", "operator", "--data-dir", str(data_dir), "--json")
    assert said.returncode == 0, said.stderr
    rows: list[dict[str, Any]] = json.loads(said.stdout)["interventions"]
    return rows


def test_a_shadow_outlives_the_engine_that_was_killed(tmp_path: Path) -> None:
    with engine(tmp_path) as first:
        buy(tmp_path, "a")
        (held,) = positions(tmp_path)
        name = str(held["position_id"])
        assert holdfast("close", name, "--data-dir", str(tmp_path)).returncode == 0
        (before,) = report(tmp_path)
        first.signal(signal.SIGKILL)
    (alone,) = report(tmp_path)  # with no engine: the store answers
    same = ("shadow_id", "deed", "operator_pnl", "operator_price", "strategy_status")
    assert [alone[key] for key in same] == [before[key] for key in same]
    with engine(tmp_path) as second:
        (after,) = report(tmp_path)
        assert [after[key] for key in same] == [before[key] for key in same]
        assert (after["strategy_status"], after["gaps"]) == ("open", 1)
        assert positions(tmp_path) == []
        second.signal(signal.SIGTERM)
    assert holdfast("repair", "--data-dir", str(tmp_path)).returncode == 0
