"""D01, D12: the real engine on a real file system that is full to the last byte, or read-only."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.faults.process_rig import (
    QUIET,
    buy,
    engine,
    events,
    holdfast,
    journal,
    log_lines,
    positions,
    until,
)
from tests.faults.small_disk import filled, free, remounted, small_disk
from tests.faults.test_standstill import Record

NEAR = ("--set", "exits.initial.pct=0.002", "--set", "exits.take_profit.pct=0.002")
"""A level on either side, so that wherever the price goes one is crossed."""


def test_a_stop_that_crosses_on_a_full_disk_exits_and_is_journaled(
    tmp_path: Path, record_property: Record
) -> None:
    with small_disk(tmp_path / "disk", 120) as place:
        with engine(place, *NEAR, "--set", "sim.pace=60") as running:
            buy(place, "a")
            filler = filled(place)
            assert free(place) == 0
            (held,) = positions(place)  # it did not close before the disk was full
            until(lambda: not running.process.poll() and _is_closed(place), "the exit")
            left = free(place)
            until(lambda: bool(log_or_status(place)), "the block told")
            told = log_or_status(place)
            filler.unlink()
            until(lambda: "EntriesAllowed" in events(place), "entries again once there is room")
            assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
        fired = journal(place, "StopFired")
        fills = journal(place, "OrderFilled")
        assert len(fired) == 1
        assert len(fills) == 2
        assert str(held["position_id"]) in str(fired[0]["payload"])
        with engine(place):
            assert positions(place) == []
    record_property("line", told)
    record_property(
        "figure",
        f"0 bytes free: 1 exit decided, filled, journaled; {left // 1024} kB after it (ballast)",
    )


def _is_closed(place: Path) -> bool:
    """Return whether a running engine says that nothing is open: the tables may be behind."""
    done = holdfast("positions", "--data-dir", str(place), "--json")
    return done.returncode == 0 and done.stdout.strip() == "[]"


def log_or_status(place: Path) -> str:
    """Return the line that says why entries are blocked; a full disk takes no log line."""
    lines = log_lines(place, "entries need")
    if lines:
        return lines[0]
    status = holdfast("status", "--data-dir", str(place), "--json").stdout
    return status if "MB free" in status or "NOT PERSISTED" in status else ""


def test_a_read_only_disk_refuses_the_start_and_names_the_path(
    tmp_path: Path, record_property: Record
) -> None:
    with small_disk(tmp_path / "disk", 120) as place:
        with engine(place) as running:
            buy(place, "a")
            assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
        held = positions(place)
        remounted(place, "ro")
        done = holdfast("run", "--headless", "--data-dir", str(place), *QUIET)
        assert done.returncode not in {0, -signal.SIGSEGV}
        assert str(place) in done.stderr
        assert "Read-only" in done.stderr
        assert "Traceback" not in done.stderr
        remounted(place, "rw")
        with engine(place):
            now = positions(place)
        assert [row["position_id"] for row in now] == [row["position_id"] for row in held]
    record_property("line", done.stderr.strip().splitlines()[0])
    record_property("figure", f"exit code {done.returncode}; the message names the path")
