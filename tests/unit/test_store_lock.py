"""One engine per data directory, whoever asks and however the last one died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.domain.ids import Nanos
from engine.store.lock import DirectoryHeld, boot_id, held, holder, last_owner, lock_path

HOLD = """
import sys, time
from pathlib import Path
from engine.domain.ids import Nanos
from engine.store.lock import held
with held(Path(sys.argv[1]), Nanos(77)):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_engine_learns_who_holds_the_directory(tmp_path: Path) -> None:
    with (
        held(tmp_path, Nanos(42)) as owner,
        pytest.raises(DirectoryHeld, match=f"pid {os.getpid()}") as refused,
        held(tmp_path, Nanos(43)),
    ):
        pass
    assert refused.value.owner == owner
    assert owner.started_at == 42
    assert owner.boot_id == boot_id()


def test_a_new_directory_is_private_to_its_owner(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    with held(data_dir, Nanos(1)):
        made = (data_dir, lock_path(data_dir).parent)
        assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700]


def test_the_directory_is_free_after_the_block(tmp_path: Path) -> None:
    with held(tmp_path, Nanos(1)):
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
    assert last_owner(tmp_path) is not None
    with held(tmp_path, Nanos(2)) as owner:
        assert holder(tmp_path) == owner


def test_nobody_holds_a_directory_that_was_never_used(tmp_path: Path) -> None:
    assert holder(tmp_path / "nowhere") is None
    assert last_owner(tmp_path / "nowhere") is None
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff\xfe"])
def test_an_unreadable_note_blocks_nobody(tmp_path: Path, note: bytes) -> None:
    lock_path(tmp_path).parent.mkdir()
    lock_path(tmp_path).write_bytes(note)
    assert last_owner(tmp_path) is None
    with held(tmp_path, Nanos(1)) as owner:
        assert last_owner(tmp_path) == owner


@pytest.mark.serial
def test_a_killed_engine_leaves_the_directory_free_and_its_name_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == other.pid
        with pytest.raises(DirectoryHeld), held(tmp_path, Nanos(1)):
            pass
        other.send_signal(signal.SIGKILL)
    assert holder(tmp_path) is None
    last = last_owner(tmp_path)
    assert last is not None
    assert (last.pid, last.started_at) == (found.pid, 77)
    with held(tmp_path, Nanos(1)):
        pass
