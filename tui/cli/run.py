"""`holdfast run` and `holdfast attach`: a console on an engine, which is started if need be."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.exits import NOT_RUNNING, USAGE, Failure
from tui.cli.places import chosen_data_dir, make_data_dir

if TYPE_CHECKING:
    from tui.terminal import Terminal

OUTPUT = "engine.out"
"""What an engine process writes to its standard output and error, below `logs/`."""


def command(args: argparse.Namespace) -> int:
    """Open a console; `--headless` runs the engine alone instead."""
    if args.headless:
        from tui.cli.engine_process import command as headless

        return headless(args)
    data_dir = chosen_data_dir(args)
    terminal = _terminal()
    make_data_dir(data_dir)
    if args.engine == "inline":
        from tui.cli.inline import open_inline

        return open_inline(args, data_dir, terminal)
    is_running = _is_running(data_dir)
    if args.engine == "attach" and not is_running:
        raise Failure(f"no engine is running on {data_dir}; `holdfast run` starts one", NOT_RUNNING)
    # Before Textual is imported: the engine's start and ours take place side by side.
    process = None if is_running else start_engine(data_dir, args)
    from tui.cli.hosted import open_console

    return open_console(args, data_dir, terminal, process)


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


def _is_running(data_dir: Path) -> bool:
    from engine.store.lock import holder

    return holder(data_dir) is not None


def _terminal() -> Terminal:
    from tui.terminal import TerminalError, prepare, require, speak_utf8

    try:
        require(os.environ)
    except TerminalError as error:
        raise Failure(str(error), USAGE) from None
    terminal = prepare()
    speak_utf8()
    return terminal
