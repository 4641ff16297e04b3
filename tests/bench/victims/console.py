"""The real console on a link to the feeder's process, with 100 positions.

`python -m tests.bench.victims.console SOCKET [--slow]`
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

from tui.terminal import prepare, speak_utf8

TERMINAL = prepare()
speak_utf8()

from engine.domain.command import Command
from engine.domain.ids import Nanos
from engine.link.protocol import Pulse, Quotes, Update, Welcome
from engine.link.wire import decode_update
from engine.runtime.clock import ManualClock, SystemClock
from tests.bench.victims.feeder import POSITIONS
from tests.tui.rig_crowd import crowd
from tui.app import Console
from tui.settings import ConsoleSettings


class FeederLink:
    """Serves one feeder; its updates follow the snapshot."""

    def __init__(self, path: str, clock: RigClock) -> None:
        self.welcome: Welcome = crowd(POSITIONS)
        self._path, self._clock = path, clock
        self._on_update: Callable[[Update], None] = lambda _: None

    def attach(self, on_update: Callable[[Update], None]) -> None:
        self._on_update = on_update
        on_update(self.welcome)

    async def serve(self) -> None:
        await asyncio.start_unix_server(self._take, self._path)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            update = decode_update(await reader.readexactly(size))
            if isinstance(update, Pulse):
                self._clock.set(update.now)
            elif isinstance(update, Quotes):
                self._clock.set(update.quotes[0].at)
            self._on_update(update)

    async def send(self, command: Command) -> None: ...

    async def take_lease(self) -> None: ...

    async def close(self) -> None: ...


class RigClock(ManualClock):
    """The feeder's time of day, but the machine's own time for durations."""

    def monotonic(self) -> Nanos:
        return SystemClock().monotonic()


def main() -> None:
    clock = RigClock(crowd(1).pulse.now)
    link = FeederLink(sys.argv[1], clock)
    settings = ConsoleSettings(terminal=TERMINAL, is_slow_link="--slow" in sys.argv)
    app = Console(link, clock, settings)
    app.call_later(link.serve)
    app.run(mouse=False)
    os._exit(app.return_code or 0)


if __name__ == "__main__":
    main()
