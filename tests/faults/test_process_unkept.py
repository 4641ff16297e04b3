"""Real engines that keep nothing: never over what is open, never beside another engine."""

from __future__ import annotations

from pathlib import Path

from engine.domain.event import EntriesBlocked, Entry
from engine.domain.ids import Nanos, Seq
from engine.store.reader import StoreReader
from engine.store.spill import Spill
from tests.faults.process_rig import engine, holdfast, positions
from tests.faults.test_process_recovery import killed

UNKEPT = ("run", "--headless", "--set", "store.persistence=off", "--data-dir")


def test_what_is_open_cannot_be_declined_by_keeping_nothing(tmp_path: Path) -> None:
    """Seen by hand: the engine ran, and three positions of the store were watched by nobody."""
    killed(tmp_path)
    before = positions(tmp_path)
    assert len(before) == 3
    refused = holdfast(*UNKEPT, str(tmp_path))
    assert refused.returncode == 4
    assert "has 3 open positions" in refused.stderr
    assert "Start it without store.persistence=off" in refused.stderr
    assert positions(tmp_path) == before


def test_an_engine_that_keeps_nothing_holds_its_directory_too(tmp_path: Path) -> None:
    with engine(tmp_path):
        refused = holdfast(*UNKEPT, str(tmp_path))
        assert refused.returncode == 3
        assert "is held by pid" in refused.stderr
    with engine(tmp_path / "bare", "--set", "store.persistence=off"):
        refused = holdfast("run", "--headless", "--data-dir", str(tmp_path / "bare"))
        assert refused.returncode == 3


def test_what_only_the_emergency_file_has_is_said_beside_the_figures_of_the_store(
    tmp_path: Path,
) -> None:
    """Seen by hand: 9 were open, the command said 10."""
    killed(tmp_path)
    words = ("positions", "--data-dir", str(tmp_path))
    assert holdfast(*words).stderr == ""
    with StoreReader.open(tmp_path / "holdfast.db") as reader:
        head = Seq(int(str(reader.events(limit=1)[0]["seq"])))
    later = [Entry(Seq(head + n), Nanos(1), EntriesBlocked("store", "full")) for n in (0, 1, 2)]
    Spill(tmp_path / "holdfast.db").append(later)
    assert "2 entries of an emergency file are NOT in" in holdfast(*words).stderr
