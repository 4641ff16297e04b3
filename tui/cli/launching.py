"""Start an engine as a process of its own; whoever opens a console may need to."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

OUTPUT: Final = "engine.out"
"""In the data directory's `logs/`: what an engine says before its log is open, or while dying."""


def start_engine(data_dir: Path, args: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start an engine in a process and session of its own, with descriptors of its own."""
    words = ["engine", "--data-dir", str(data_dir)]
    if args.config is not None:
        words += ["--config", str(args.config.absolute())]
    for text in args.sets:
        words += ["--set", text]
    output = os.open(
        data_dir / "logs" / OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    ours = str(Path(__file__).parents[2])
    paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        return subprocess.Popen(  # noqa: S603  our own interpreter and module
            [sys.executable, "-P", "-m", "tui.cli", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            close_fds=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
    finally:
        os.close(output)
