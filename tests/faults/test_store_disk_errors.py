"""The disk fails under a real process (strace injects it): what was said is there, and once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.store.sqlite import SqliteJournal
from tests.faults.store_victim import LENGTH, SEED, STAMP, database
from tests.faults.tracing import needs_strace
from tests.histories import History

pytestmark = needs_strace


@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=8",
        "fdatasync:error=EIO:when=9",
        "fdatasync:error=EIO:when=20+7",
        "pwrite64:error=EIO:when=90",
        "pwrite64:error=ENOSPC:when=91+40",
        "pwrite64:signal=KILL:when=110",
        "fdatasync:signal=KILL:when=30",
    ],
)
async def test_an_injected_fault_loses_nothing_and_doubles_nothing(
    tmp_path: Path, fault: str
) -> None:
    victim = [sys.executable, "-m", "tests.faults.store_victim", str(tmp_path), "retry"]
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}", *victim]
    ran = subprocess.run(command, capture_output=True, check=False, timeout=120)
    said = ran.stdout.decode().split()
    acknowledged = max((int(word) for word in said if word.isdigit()), default=0)
    history = History(SEED).run(LENGTH).entries
    async with SqliteJournal.open(database(tmp_path), STAMP, Nanos(1)) as journal:
        assert journal.head >= acknowledged
        assert await journal.read() == history[: journal.head]
        assert journal.recovered.state == fold(history[: journal.head])
        assert await journal.differences() == []
    if "KILL" in fault:
        assert "done" not in said
        assert acknowledged > 0
    else:
        assert "done" in said, ran.stderr.decode()[-2000:]
        assert "failed" in said
