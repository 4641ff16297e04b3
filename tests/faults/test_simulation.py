"""The short form of `tests/faults/simulate.py`: the whole engine under virtual weather (B-23).

States are counted as the simulation counts them: every journal entry leads to one, and the
examiner judges each. CI visits 20 000: 14 000 here, and 6 400 entries that the 60 examples of
`tests/property/test_engine_machine.py` journal, each judged there.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.faults.sim_bugs import BUGS
from tests.faults.sim_world import STORM
from tests.faults.simulate import Outcome, found, simulated

STATES = 14_000
HOURS = 0.5
SEEDS = range(101, 119)


def storm(seed: int, hours: float = HOURS) -> Outcome:
    return simulated(seed, hours, STORM)


def test_whatever_fails_every_state_of_the_whole_engine_is_sound() -> None:
    states, shapes, counts = 0, set[tuple[object, ...]](), dict[str, int]()
    for seed in SEEDS:
        outcome = storm(seed)
        assert not outcome.faults, f"seed {seed}: {outcome.faults[:3]}"
        states, shapes = states + outcome.states, shapes | outcome.shapes
        for what, count in outcome.counts.items():
            counts[what] = counts.get(what, 0) + count
        if states >= STATES:
            break
    assert states >= STATES
    assert len(shapes) > 2_000
    assert counts["crashed"] > 30
    assert counts["stopped"] > 5
    assert counts["compared"] > 6
    assert len([what for what in counts if what.startswith("fault: ")]) >= 12


def test_the_same_seed_writes_the_same_journal_whatever_the_hash_seed() -> None:
    here = storm(7, 0.2)
    program = "from tests.faults.test_simulation import storm; print(storm(7, 0.2).journal)"
    there = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    assert there.stdout.strip() == here.journal
    assert storm(8, 0.2).journal != here.journal


@pytest.mark.parametrize("bug", BUGS)
def test_the_simulation_finds_a_planted_bug(bug: str) -> None:
    assert found(bug) is not None
