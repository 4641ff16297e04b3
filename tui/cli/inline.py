"""`run --engine inline`: console and engine in one loop, for tests and debugging."""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import replace
from pathlib import Path

from engine.bootstrap.configure import live_options
from engine.bootstrap.live import live_engine
from engine.link.inline import InlineLink
from engine.ports.journal import JournalRefused
from engine.runtime.clock import SystemClock
from engine.settings import SettingsError, load
from engine.store.lock import DirectoryHeld
from tui.cli.exits import FAILED, HELD, STORE_REFUSED, USAGE, Failure
from tui.cli.hosted import HostedConsole, hello_of
from tui.cli.output import complain, say
from tui.terminal import Terminal


def open_inline(args: argparse.Namespace, data_dir: Path, terminal: Terminal) -> int:
    """Show the console until it is left, then end the engine; return the exit code."""
    try:
        loaded = load(args.config, data_dir=data_dir, sets=args.sets)
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    options = replace(live_options(loaded.settings, data_dir), is_attended=True)
    clock = SystemClock()
    link = InlineLink(lambda: live_engine(options, clock), clock, hello_of(args, clock))
    app = HostedConsole(link, clock, args, data_dir, terminal)
    try:
        asyncio.run(_both(app, link))
    except BaseExceptionGroup as group:
        raise _refusal(group) from None
    if app.crash:
        complain(app.crash)
    say("the engine ended with the console")
    os._exit(FAILED if app.crash else app.return_code or 0)


def _refusal(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return why the engine did not open, as a failure of the command; else the group."""
    held, refused = group.subgroup(DirectoryHeld), group.subgroup(JournalRefused)
    if held is not None:
        return Failure(str(held.exceptions[0]), HELD)
    if refused is not None:
        return Failure(str(refused.exceptions[0]), STORE_REFUSED)
    return group


async def _both(app: HostedConsole, link: InlineLink) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(link.run())
        await app.run_async(mouse=app.settings.mouse)
        link.stop("the console was left")
