"""What the machine says of this process: memory and free disk."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_MB: Final = 1024 * 1024


class Host:
    """The process's memory, and the disk under `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._wal = directory / "holdfast.db-wal"
        self._page = os.sysconf("SC_PAGE_SIZE")

    def rss_mb(self) -> float:
        """Return memory in use; where the system does not say, the most that ever was."""
        try:
            return int(_STATM.read_bytes().split()[1]) * self._page / _MB
        except (OSError, ValueError, IndexError):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return peak / _MB if sys.platform == "darwin" else peak / 1024

    def wal_mb(self) -> float:
        """Return the size of the store's write-ahead log; 0 where there is none."""
        try:
            return self._wal.stat().st_size / _MB
        except OSError:
            return 0.0

    def disk_free_mb(self) -> float | None:
        """Return what an ordinary process may still write; None if nobody can say."""
        try:
            return shutil.disk_usage(self._directory).free / _MB
        except OSError:
            return None
