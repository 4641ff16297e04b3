"""SIGKILL at random instants: nothing acknowledged is lost, and the harness can see a loss."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.store.sqlite import SqliteJournal
from tests.faults.store_victim import LENGTH, SEED, STAMP, database
from tests.histories import History


def killed(directory: Path, ack: str, wait_s: float) -> list[str]:
    """Run the victim, kill it `wait_s` after its first word, and return all it said."""
    command = [sys.executable, "-m", "tests.faults.store_victim", str(directory), ack]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        select.select([victim.stdout], [], [], 30)
        select.select([], [], [], wait_s)
        victim.send_signal(signal.SIGKILL)
        said = victim.stdout.read()
    return said.decode().split("\n")[:-1]


async def kills(directory: Path, ack: str, count: int) -> tuple[int, int]:
    """Kill `count` victims; return how many words were given and how many kept words broken."""
    rng = random.Random(ack)
    history, words, lost, era = History(SEED).run(LENGTH).entries, 0, 0, 0
    for _ in range(count):
        data = directory / str(era)
        said = killed(data, ack, rng.uniform(0, 0.05))
        words += len(said)
        acknowledged = max((int(word) for word in said if word != "done"), default=0)
        async with SqliteJournal.open(database(data), STAMP, Nanos(1)) as journal:
            lost += max(0, acknowledged - journal.head)
            assert journal.recovered.state == fold(history[: journal.head])
            assert await journal.differences() == []
        era += "done" in said
    return words, lost


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    count = int(os.environ.get("HOLDFAST_KILLS", "12"))
    words, lost = await kills(tmp_path, "late", count)
    assert words > count
    assert lost == 0


async def test_the_harness_sees_the_loss_of_a_planted_early_acknowledgement(tmp_path: Path) -> None:
    _, lost = await kills(tmp_path, "early", 10)
    assert lost > 0
