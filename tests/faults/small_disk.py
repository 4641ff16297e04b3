"""A real file system of a few megabytes, to be filled up or mounted read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MB = 1024 * 1024


@contextmanager
def small_disk(place: Path, size_mb: int) -> Iterator[Path]:
    """Mount a tmpfs on `place`; skip, which counts as failed, where nobody may mount."""
    place.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0700", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs may be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def remounted(place: Path, options: str) -> None:
    """Change the options of the file system at `place`."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def filled(place: Path) -> Path:
    """Fill the file system to the last byte with one file."""
    path = place / "filler"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        for size in (MB, 4096, 1):
            block = b"x" * size
            with suppress(OSError):
                while os.write(descriptor, block):
                    pass
    finally:
        os.close(descriptor)
    return path


def free(place: Path) -> int:
    """Return the bytes that may still be written."""
    stat = os.statvfs(place)
    return stat.f_bavail * stat.f_frsize
