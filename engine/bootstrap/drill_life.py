"""One life of an engine under drill: heard from its first word, kept busy, killed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import Enum, unique
from pathlib import Path
from typing import Final, Protocol, Self

from engine.bootstrap.drill_load import Chance, Load, fresh
from engine.bootstrap.drill_proof import Witness
from engine.domain.command import Command
from engine.domain.event import Entry
from engine.domain.ids import SECOND, InstrumentId
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.protocol import Disconnected, Quotes, Update, Welcome
from engine.ports.clock import Clock

PATIENCE: Final = 60.0
"""Seconds for an engine to answer, or to die; none needs so long."""
RUNNING_S: Final = 0.8
"""A kill of a running engine comes within so many seconds after all positions are watched."""
TELLING: Final = 60
"""A kill upon an acknowledgement waits for at most so many of them."""
WRITING_S: Final = 5.0
"""An engine that is to die inside a write and does not is killed after so many seconds."""


class Process(Protocol):
    """A child process, as subprocess.Popen is one."""

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""

    def kill(self) -> None:
        """Send it SIGKILL."""

    def wait(self) -> int:
        """Return its exit code once it has ended."""


@unique
class Manner(Enum):
    """When an engine dies."""

    STARTING = "starting"
    RUNNING = "running"
    TELLING = "telling"
    """The moment that it has acknowledged something."""
    WRITING = "writing"
    """By itself, inside a write: whoever starts it sees to that."""


class Life:
    """Use as a context; `watched` first, then `end`."""

    def __init__(
        self, path: Path, process: Process, witness: Witness, load: Load, rng: Chance, clock: Clock
    ) -> None:
        self._link = SocketLink(path, Hello("drill", "drill", is_console=False))
        self._process = process
        self._witness = witness
        self._load = load
        self._rng = rng
        self._clock = clock
        self._began = clock.monotonic()
        self._quotes: dict[InstrumentId, Quote] = {}
        self._instruments: tuple[Instrument, ...] = ()
        self._is_welcome = False
        self._is_watched = asyncio.Event()
        self._is_gone = asyncio.Event()
        self._left = 0
        """Acknowledgements until the kill; 0: it does not wait for one."""

    async def __aenter__(self) -> Self:
        self._link.attach(self._hear)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._link.close()

    async def watched(self) -> float | None:
        """Return the seconds from the start until every position has a fresh price.

        None: the process died before. Raises TimeoutError.
        """
        async with asyncio.timeout(PATIENCE):
            while not self._is_watched.is_set():
                if self._process.poll() is not None:
                    return None
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._is_watched.wait()
        return (self._clock.monotonic() - self._began) / SECOND

    async def end(self, manner: Manner, pause_s: float) -> None:
        """Keep the engine busy until it is dead. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            busy = tasks.create_task(self._keep_busy(pause_s))
            if manner is Manner.TELLING:
                self._left = self._rng.randint(1, TELLING)
            elif manner is Manner.RUNNING:
                await self._clock.sleep(self._rng.uniform(0.0, RUNNING_S))
                self._process.kill()
            elif manner is Manner.WRITING:
                await self._die_alone()
            await self._is_gone.wait()  # what it had sent before it died is heard as well
            busy.cancel()

    async def _die_alone(self) -> None:
        try:
            async with asyncio.timeout(WRITING_S):
                await self._is_gone.wait()
        except TimeoutError:
            self._process.kill()

    async def _keep_busy(self, pause_s: float) -> None:
        state = self._witness.state
        with suppress(ConnectionError):
            if state is not None:
                for command in self._load.opening(state):
                    await self._link.send(command)
            while not self._is_gone.is_set():
                following = self._next()
                if following is not None:
                    await self._link.send(following)
                await self._clock.sleep(self._rng.expovariate(1.0 / pause_s))

    def _next(self) -> Command | None:
        state = self._witness.state
        if state is None:
            return None
        return self._load.next(state, self._quotes, self._instruments, self._clock.now())

    def _hear(self, update: Update) -> None:
        if isinstance(update, Entry) and self._left:
            self._left -= 1
            if not self._left:
                self._process.kill()
        if isinstance(update, Disconnected):
            self._is_gone.set()
            return
        if isinstance(update, Welcome):
            self._is_welcome, self._instruments = True, update.instruments
            fresh(self._quotes, update.quotes)
        elif isinstance(update, Quotes):
            fresh(self._quotes, update.quotes)
        self._witness.hear(update)
        state = self._witness.state
        if self._is_welcome and self._quotes and state is not None:
            held = {p.instrument for p in state.positions.values()}
            if held.intersection(self._instrument_ids()) <= self._quotes.keys():
                self._is_watched.set()

    def _instrument_ids(self) -> set[InstrumentId]:
        """Return what this feed can price at all."""
        return {instrument.id for instrument in self._instruments}
