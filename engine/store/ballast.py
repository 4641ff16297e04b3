"""A file that only takes room: given back when the disk is full, so that exits can be journaled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SIZE: Final = 1 << 20
"""A megabyte: thousands of exits."""


class Ballast:
    """One megabyte beside the database."""

    def __init__(self, database: Path, size: int = SIZE) -> None:
        self._path = database.with_name("holdfast.ballast")
        self._size = size

    def lay(self) -> bool:
        """Take the room, if it is not taken yet; return whether it is. Never raises."""
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                return True
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._size)
            finally:
                os.close(fd)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the room back; return whether there was any. Never raises."""
        try:
            had = self._path.stat().st_size > 0
            self._path.unlink()
        except OSError:
            return False
        return had
