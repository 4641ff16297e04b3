"""D04, P16: a disk that takes seconds, and one that hangs for ever while the engine is to end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.store.lock import holder
from tests.faults.process_rig import (
    PATIENCE,
    QUIET,
    ROOT,
    answers,
    buy,
    engine,
    environment,
    events,
    holdfast,
    log_lines,
    positions,
    until,
)
from tests.faults.test_standstill import Record
from tests.faults.tracing import injected, needs_strace

pytestmark = pytest.mark.serial


@needs_strace
def test_a_disk_that_takes_three_seconds_stops_entries_and_no_exit(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        (position,) = positions(tmp_path)
        id_ = str(position["position_id"])
        with injected(running.process.pid, "fdatasync:delay_enter=3s"):
            holdfast("stop-price", id_, "1000", "--data-dir", str(tmp_path))  # a commit, late
            until(lambda: bool(log_lines(tmp_path, "NOT PERSISTED")), "the slow store told")
            began = time.monotonic()
            done = holdfast("close", id_, "--data-dir", str(tmp_path), "--json")
            took = time.monotonic() - began
            assert done.returncode == 0, done.stdout + done.stderr
        until(lambda: "EntriesAllowed" in events(tmp_path), "the store well again")
        assert positions(tmp_path) == []
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    record_property("line", log_lines(tmp_path, "NOT PERSISTED")[0])
    record_property("figure", f"closed in {took:.1f} s while every fdatasync took 3 s")


def test_an_engine_whose_disk_hangs_at_its_end_is_gone_in_bounded_time(
    tmp_path: Path, record_property: Record
) -> None:
    words = ("-m", "tests.faults.hanging_engine", "engine", "--data-dir", str(tmp_path), *QUIET)
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        until(lambda: answers(tmp_path), "an engine")
        buy(tmp_path, "a")
        held = positions(tmp_path)
        (tmp_path / "hang").touch()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
        took = time.monotonic() - began
    assert process.returncode != 0
    assert holder(tmp_path) is None
    (tmp_path / "hang").unlink()
    with engine(tmp_path):
        assert [row["position_id"] for row in positions(tmp_path)] == [held[0]["position_id"]]
    assert took < 30
    record_property("figure", f"gone {took:.1f} s after SIGTERM on a disk that hangs for ever")
    record_property("line", said.strip().splitlines()[0] if said.strip() else "none")
