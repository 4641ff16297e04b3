"""Who holds the database's locks: a person can end a program only if its name is said (D05)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")


def lockers(database: Path) -> str:
    """Return the other processes that hold a write lock on the store's files, as words; empty:
    none, or the system does not say (it is Linux that does).
    """
    inodes = set()
    for suffix in ("", "-wal", "-shm"):
        try:
            stat = database.with_name(f"{database.name}{suffix}").stat()
        except OSError:
            continue
        inodes.add((os.major(stat.st_dev), os.minor(stat.st_dev), stat.st_ino))
    try:
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return ""
    pids = sorted({pid for line in lines for pid in _writers(line, inodes)} - {os.getpid()})
    return ", ".join(f"pid {pid} ({_name(pid)})" for pid in pids)


def _writers(line: str, inodes: set[tuple[int, int, int]]) -> list[int]:
    """Return the process of a line of /proc/locks if it holds a write lock on one of `inodes`.

    The line: `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 120 120`; one that only waits has `->`.
    """
    words = line.split()
    if len(words) < 8 or words[1] == "->" or words[3] != "WRITE":
        return []
    try:
        major, minor, inode = words[5].split(":")
        place = (int(major, 16), int(minor, 16), int(inode))
        return [int(words[4])] if place in inodes and int(words[4]) > 0 else []
    except ValueError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"
