"""`holdfast run` and `holdfast attach`: a console on an engine, which is started if need be."""

from __future__ import annotations

import argparse
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.exits import NOT_RUNNING, USAGE, Failure
from tui.cli.launching import start_engine
from tui.cli.places import chosen_data_dir, make_data_dir
from tui.cli.recording import sets_of

if TYPE_CHECKING:
    from tui.terminal import Terminal


def command(args: argparse.Namespace) -> int:
    """Open a console; `--headless` runs the engine alone instead."""
    if args.engine != "attach":
        args.sets = [*args.sets, *sets_of(args)]
    if args.headless:
        from tui.cli.engine_process import command as headless

        return headless(args)
    gc.disable()  # imports make no garbage, and looking for it takes a sixth of the start
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
