"""The real engine on a disk that hangs once the file `hang` is in its data directory (P16).

`python -m tests.faults.hanging_engine engine --data-dir DIR …`
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

from tui.cli import main

_SYNCS = {"fsync": os.fsync, "fdatasync": os.fdatasync}


def hang_where(flag: Path) -> None:
    """Let no sync return while `flag` exists, as a dead disk does."""

    def hanging(name: str, descriptor: Any) -> None:
        if flag.exists():
            threading.Event().wait()
        _SYNCS[name](descriptor)

    os.fsync = lambda fd: hanging("fsync", fd)
    os.fdatasync = lambda fd: hanging("fdatasync", fd)


if __name__ == "__main__":
    hang_where(Path(sys.argv[sys.argv.index("--data-dir") + 1]) / "hang")
    sys.exit(main())
