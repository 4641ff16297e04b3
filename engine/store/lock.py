"""One engine per data directory (E-58): a kernel lock, with a note of who holds it.

The lock itself is flock: it is gone the moment its process is, however that died. The note only
tells people (and E-60) who it was; a stale note never blocks anybody.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from engine.domain.ids import Nanos

_TRIES: Final = 5
"""A look at the lock (`holder`) holds it for microseconds; an engine that starts tries again."""
_PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds, or last held, a data directory."""

    pid: int
    host: str
    boot_id: str
    """Of the host's running kernel: a pid of another boot means nothing."""
    started_at: Nanos


class DirectoryHeld(Exception):
    """Another engine holds the data directory; `owner` says which, if its note can be read."""

    def __init__(self, path: Path, owner: Owner | None) -> None:
        who = "an unknown process" if owner is None else f"pid {owner.pid} on {owner.host}"
        super().__init__(f"{path} is held by {who}; attach to it, or stop it first")
        self.path, self.owner = path, owner


def lock_path(data_dir: Path) -> Path:
    """Return the lock file of a data directory."""
    return data_dir / "run" / "lock"


@contextmanager
def held(data_dir: Path, now: Nanos) -> Iterator[Owner]:
    """Hold `data_dir` until the block ends. Raises DirectoryHeld.

    Take it before the database is touched. Child processes do not inherit it.
    """
    path = lock_path(data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)  # parents made on the way get no mode
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _locked(fd):
            raise DirectoryHeld(data_dir, last_owner(data_dir))
        owner = Owner(os.getpid(), socket.gethostname(), boot_id(), now)
        note = json.dumps(asdict(owner)).encode()
        os.ftruncate(fd, 0)
        os.pwrite(fd, note, 0)
        yield owner
    finally:
        os.close(fd)  # releases it; the note stays, as the last owner


def _locked(fd: int) -> bool:
    for attempt in range(_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE_S)
        else:
            return True
    return False


def holder(data_dir: Path) -> Owner | None:
    """Return the engine that holds `data_dir` now; None: nobody does."""
    try:
        fd = os.open(lock_path(data_dir), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return last_owner(data_dir) or Owner(0, "", "", Nanos(0))
    else:
        return None
    finally:
        os.close(fd)


def last_owner(data_dir: Path) -> Owner | None:
    """Return the newest note, whether or not its process lives; None: none, or not readable."""
    try:
        note = json.loads(lock_path(data_dir).read_bytes())
        return Owner(
            int(note["pid"]), str(note["host"]), str(note["boot_id"]), Nanos(note["started_at"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def boot_id() -> str:
    """Return the id of the running kernel's boot; empty where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
