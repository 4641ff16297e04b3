"""The engine alone: what `run` starts as a child, and `run --headless` in the foreground.

Its last act is `os._exit`: a thread that does not end must not keep a dead engine's lock.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from engine.runtime.collecting import THRESHOLDS
from tui.cli.announcing import announce
from tui.cli.exits import (
    DONE,
    FAILED,
    HELD,
    NEEDS_DECISION,
    SIGNALLED,
    STORE_REFUSED,
    USAGE,
    Failure,
)
from tui.cli.output import complain, say
from tui.cli.places import chosen_data_dir, make_data_dir

if TYPE_CHECKING:
    from engine.bootstrap.options import LiveOptions

STOPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
IMPATIENT: Final = 3
"""So many signals end an engine at once: what it acknowledged is on the disk."""
END_SECONDS: Final = 10.0
"""An orderly end may take so long (E-67); then the process ends as it is."""


def command(args: argparse.Namespace) -> int:
    """Run an engine until it is told to end; does not return but to refuse."""
    gc.disable()  # until the start is over: see `_serve`
    data_dir = chosen_data_dir(args)
    make_data_dir(data_dir)
    options = replace(_options(args), is_attended=not getattr(args, "headless", False))
    code = FAILED
    try:
        code = asyncio.run(_serve(options))
    except Failure as failure:
        complain(str(failure))
        code = failure.code
    except BaseException:  # noqa: BLE001  the last words of a process that is about to go
        complain(traceback.format_exc())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _options(args: argparse.Namespace) -> LiveOptions:
    from engine.settings.names import is_silent

    data_dir = chosen_data_dir(args)
    if is_silent(args.config, data_dir, args.sets):
        from engine.bootstrap.unsaid import unsaid_options

        return unsaid_options(data_dir)
    from engine.bootstrap.configure import live_options
    from engine.settings import SettingsError, load

    try:
        loaded = load(args.config, data_dir=data_dir, sets=args.sets)
    except SettingsError as error:
        raise Failure(str(error), USAGE) from None
    return live_options(loaded.settings, data_dir)


async def _serve(options: LiveOptions) -> int:
    from engine.bootstrap.opening import NeedsDecision
    from engine.ports.journal import JournalConflict, JournalRefused
    from engine.store.lock import DirectoryHeld
    from engine.venues.refusals import FormatError

    ending = _Ending()
    ending.listen()
    try:
        await _host(options, ending)
    except NeedsDecision as error:
        raise Failure(str(error), NEEDS_DECISION) from None
    except DirectoryHeld as error:
        raise Failure(f"{error} (`holdfast attach` opens a console on it)", HELD) from None
    except (JournalRefused, JournalConflict) as error:
        raise Failure(f"{error}\n{_way_back(options.data_dir)}", STORE_REFUSED) from None
    except FormatError as error:
        raise Failure(str(error), USAGE) from None
    except OSError as error:
        if error.filename is None:
            raise
        raise Failure(f"{error.strerror}: {error.filename}", FAILED) from None
    finally:
        faulthandler.dump_traceback_later(END_SECONDS, exit=True)
    return ending.code


async def _host(options: LiveOptions, ending: _Ending) -> None:
    """Open an engine, serve consoles, and run it to its end."""
    from engine.bootstrap.live import live_engine
    from engine.link.address import socket_path
    from engine.link.hub import Hub
    from engine.link.server import serving
    from engine.runtime.clock import SystemClock

    clock = SystemClock()
    async with live_engine(options, clock) as engine:
        hub = Hub(engine, clock)
        path = socket_path(options.data_dir)
        async with serving(hub, path) as server, asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(hub.run())
            ending.watch(engine.stop)
            gc.set_threshold(*THRESHOLDS)
            gc.freeze()  # what the start made stays: no collection looks through it again
            gc.enable()
            say(f"engine {os.getpid()} runs on {options.data_dir}")
            if not options.is_attended:
                announce(engine)
            await engine.run()
            server.farewell = ending.why or "the engine ended"
            telling.cancel()


def _way_back(data_dir: Path) -> str:
    """Say which backup could take the place of a store that must not be opened."""
    from engine.store.backup import newest_good

    found = newest_good(data_dir / "backups")
    if found is None:
        return f"there is no good backup in {data_dir / 'backups'}; nothing was changed"
    return (
        f"newest good backup: {found.path.name}, up to entry {found.head.seq}; "
        "`holdfast restore latest` shows what it would bring back; nothing was changed"
    )


_Stop: TypeAlias = Callable[[str], None]


def _not_yet(reason: str) -> None:
    """Take a stop that came before there is an engine: `_Ending.watch` hands it on."""


class _Ending:
    """Signals that end the engine in order, from the first moment on."""

    def __init__(self) -> None:
        self.code = DONE
        self.why = ""
        self._count = 0
        self._stop: _Stop = _not_yet

    def listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in STOPS:
            loop.add_signal_handler(number, self._told, number)

    def watch(self, stop: _Stop) -> None:
        """Hand the engine its end when told to; at once if that was so already."""
        self._stop = stop
        if self.why:
            stop(self.why)

    def _told(self, number: int) -> None:
        """Begin the end; a second signal changes nothing, a third one does not wait for it."""
        self._count += 1
        if self._count >= IMPATIENT:
            complain(f"engine {os.getpid()} ends at once: told {self._count} times")
            os._exit(SIGNALLED + number)
        if self.why:
            return
        faulthandler.dump_traceback_later(END_SECONDS, exit=True)
        name = signal.Signals(number).name
        self.code, self.why = SIGNALLED + number, f"told to end by {name}"
        say(f"engine {os.getpid()} ends in order: {name}")
        self._stop(self.why)
