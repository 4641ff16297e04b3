"""P17, P18: planned restarts and a crash loop, on the real engine; no exit is ever blocked.

The long form: `python -m tests.faults.restarts --n 100`.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from engine.domain.risk import SAFE_MODE
from tests.faults.process_rig import (
    BTC,
    buy,
    engine,
    holdfast,
    log_lines,
    positions,
    until,
)
from tests.faults.restarts import restarted
from tests.faults.test_standstill import Record

RESTARTS = int(os.environ.get("HOLDFAST_RESTARTS", "3"))


def test_positions_and_stops_are_the_same_after_every_planned_restart(
    tmp_path: Path, record_property: Record
) -> None:
    assert restarted(tmp_path, RESTARTS) == RESTARTS
    record_property("n", RESTARTS)
    record_property("figure", f"{RESTARTS} planned restarts: all positions and stops identical")


def blocks(data_dir: Path) -> dict[str, str] | None:
    """Return what blocks entries; None: the engine does not say yet."""
    said = holdfast("status", "--data-dir", str(data_dir), "--json").stdout
    found: dict[str, str] | None = json.loads(said).get("entries_blocked")
    return found


def test_three_crashes_in_ten_minutes_block_entries_and_no_exit(
    tmp_path: Path, record_property: Record
) -> None:
    for number in range(3):
        with engine(tmp_path) as running:
            if number == 0:
                buy(tmp_path, "a")
            running.signal(signal.SIGKILL)
    with engine(tmp_path):
        until(lambda: SAFE_MODE in (blocks(tmp_path) or {}), "the safe mode")
        why = (blocks(tmp_path) or {})[SAFE_MODE]
        assert "3 crashes" in why
        line = f'{{"time": 1, "symbol": "{BTC}", "side": "buy", "qty": "0.1", "id": "late"}}'
        refused = holdfast("signal", "--data-dir", str(tmp_path), given=line)
        assert refused.returncode == 1
        done = holdfast("close", BTC, "--data-dir", str(tmp_path), "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert positions(tmp_path) == []
        holdfast("resume", "--data-dir", str(tmp_path))
        until(lambda: blocks(tmp_path) == {}, "entries again")
        buy(tmp_path, "b")
    record_property("line", (log_lines(tmp_path, "crash") or [why])[0])
    record_property("figure", "safe mode after 3 crashes: 1 entry refused, 1 exit done")
