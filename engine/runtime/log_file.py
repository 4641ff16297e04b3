"""A log file that only its owner may read, rotated by size. Used by one thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SIZE_MAX: Final = 10_000_000
KEPT: Final = 5


class LogFile:
    """Appends bytes without buffering: what was written survives a crash of the process."""

    def __init__(self, path: Path, size_max: int = SIZE_MAX, kept: int = KEPT) -> None:
        self._path = path
        self._size_max = size_max
        self._kept = kept
        self._fd = -1
        self._size = 0

    def write(self, data: bytes) -> None:
        """Append `data` whole, in a new file if it does not fit any more. Raises OSError."""
        if self._fd < 0:
            self._open()
        if self._size and self._size + len(data) > self._size_max:
            self._rotate()
        self._size += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags, 0o600)
        os.fchmod(self._fd, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        self.close()
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
