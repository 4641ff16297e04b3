"""`holdfast stop`: ends the running engine in order and says each step (E-67)."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.domain.ids import SECOND
from engine.domain.log import LogRecord
from engine.link.address import socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.protocol import Update
from engine.ports.clock import Clock
from engine.runtime.clock import SystemClock
from engine.store.lock import Owner, boot_id, holder
from tui.cli.exits import DONE, NOT_RUNNING, Failure
from tui.cli.output import as_json, say
from tui.cli.places import data_dir_of

PATIENCE: Final = 15 * SECOND
"""An engine ends within ten seconds; one that does not is not killed but reported."""
LOOK_SECONDS: Final = 0.05
STEPS: Final = frozenset({"session", "shutdown"})
"""Sources of the log lines that say the steps of an orderly end."""


def command(args: argparse.Namespace) -> int:
    """End the engine of a data directory."""
    data_dir = data_dir_of(args.data_dir)
    steps: list[str] = []
    took = end_engine(data_dir, SystemClock(), steps.append if args.json else say)
    if args.json:
        as_json({"stopped": True, "steps": steps, "seconds": took})
    return DONE


def end_engine(data_dir: Path, clock: Clock, tell: Callable[[str], None]) -> float:
    """End the engine that holds `data_dir`, telling each step; return the seconds it took.

    Raises Failure if there is none, or it does not end.
    """
    owner = holder(data_dir)
    if owner is None:
        raise Failure(f"no engine is running on {data_dir}", NOT_RUNNING)
    if owner.boot_id != boot_id() or owner.pid <= 0:
        raise Failure(f"{data_dir} is held by pid {owner.pid} on {owner.host}: stop it there")
    return asyncio.run(_end(data_dir, owner, clock, tell))


async def _end(data_dir: Path, owner: Owner, clock: Clock, tell: Callable[[str], None]) -> float:
    began = clock.monotonic()
    hello = Hello("holdfast stop", f"stop-{os.getpid()}", is_read_only=True, is_console=False)
    link = SocketLink(socket_path(data_dir), hello)

    def hear(update: Update) -> None:
        if isinstance(update, LogRecord) and update.source in STEPS:
            tell(update.text)

    link.attach(hear)
    await asyncio.sleep(0)
    tell(f"stopping the engine (pid {owner.pid})")
    try:
        os.kill(owner.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it ended by itself a moment ago
    except PermissionError:
        raise Failure(f"pid {owner.pid} belongs to another user") from None
    while holder(data_dir) is not None:
        if clock.monotonic() - began > PATIENCE:
            raise Failure(f"the engine (pid {owner.pid}) did not end within 15 s")
        await clock.sleep(LOOK_SECONDS)
    await link.close()
    took = round((clock.monotonic() - began) / SECOND, 2)
    tell(f"stopped after {took} s")
    return took
