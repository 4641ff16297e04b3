"""A real engine, ended in order with positions open, looks back when it is started again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from engine.runtime.standstill import LATE_S
from tests.faults.process_rig import engine, events, log_lines, positions, until
from tests.faults.test_process_recovery import HELD, count, opened, payloads, place

AWAY_S = LATE_S


def ended(data_dir: Path) -> None:
    """Leave three positions of a session that ended in order."""
    with engine(data_dir) as first:
        opened(data_dir)
        assert first.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    assert count(data_dir, "SessionEnded") == 1


def test_what_an_orderly_end_left_open_is_looked_back_at_and_nothing_is_called_a_crash(
    tmp_path: Path,
) -> None:
    ended(tmp_path)
    before = positions(tmp_path)
    time.sleep(AWAY_S)  # the market goes on: that is what is looked back at
    with engine(tmp_path):
        until(lambda: count(tmp_path, "RecoverySettled") == 1, "a settled gap")
        gaps = [payload["gap"] for payload in payloads(tmp_path, "GapJudged")]
        assert {gap["position"] for gap in gaps} == {row["position_id"] for row in before}
        assert all(gap["samples"] > 0 and not gap["unknown"] for gap in gaps)
        (resumed,) = payloads(tmp_path, "Resumed")
        assert {gap["since"] for gap in gaps} == {resumed["absent_since"]}
        assert "SessionCrashed" not in events(tmp_path)
        assert place(tmp_path, "MSFT", "1"), "entries are let in again"
    assert log_lines(tmp_path, "without an engine")


def test_killed_while_it_looks_back_it_judges_the_same_time_again(tmp_path: Path) -> None:
    ended(tmp_path)
    with engine(tmp_path) as second:
        second.signal(signal.SIGKILL)
    was_settled = count(tmp_path, "RecoverySettled")
    with engine(tmp_path):
        until(lambda: count(tmp_path, "RecoverySettled") == was_settled + 1, "a settled gap")
        (resumed, *_) = payloads(tmp_path, "Resumed")
        newest = [payload["gap"] for payload in payloads(tmp_path, "GapJudged")][-len(HELD) :]
        (crash,) = payloads(tmp_path, "SessionCrashed")
        began = crash["last_at"] if was_settled else resumed["absent_since"]
        assert {gap["since"] for gap in newest} == {began}
