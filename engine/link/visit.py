"""A short visit to a running engine: look at it, or give one command and follow what it does.

For the command line. A person types each command, so a visit needs no control lease and never
takes one from a console.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from engine.domain.command import Command
from engine.domain.event import CommandAccepted, CommandRefused, Entry
from engine.link.address import connected
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.protocol import Disconnected, Update, Welcome

ANSWER_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 30.0

Settled = Callable[[Entry], bool]
"""Whether an entry is the last that a command is followed to."""


class Visit:
    """A connection that has its snapshot."""

    def __init__(self, link: SocketLink, welcome: Welcome, waiting: asyncio.Queue[Update]) -> None:
        self.welcome = welcome
        self._link = link
        self._waiting = waiting

    async def send(self, command: Command) -> None:
        """Hand `command` to the engine. Raises ConnectionError, NotTaken."""
        await self._link.send(command)

    async def hear(self) -> Update:
        """Return what follows. Raises ConnectionError once the engine is gone.

        Another `Welcome` replaces everything before: too much was missed.
        """
        update = await self._waiting.get()
        if isinstance(update, Disconnected):
            raise ConnectionError(update.why)
        return update


@asynccontextmanager
async def visiting(
    path: Path, who: str = "cli", *, is_read_only: bool = False, seconds: float = ANSWER_SECONDS
) -> AsyncIterator[Visit]:
    """Connect to the engine at `path`, and leave it when the block ends.

    Raises ConnectionError if none is there, it refuses, or says nothing within `seconds`.
    """
    _probe(path)
    client = f"{who}-{os.getpid()}"
    link = SocketLink(path, Hello(who, client, is_read_only=is_read_only, is_console=False))
    waiting: asyncio.Queue[Update] = asyncio.Queue()
    link.attach(waiting.put_nowait)
    try:
        yield Visit(link, await _first(waiting, seconds), waiting)
    finally:
        await link.close()


async def ask(
    path: Path,
    command: Command,
    wait_for: Settled | None = None,
    timeout: float = SETTLE_SECONDS,  # noqa: ASYNC109  one limit on the whole conversation
) -> AsyncGenerator[Entry, None]:
    """Send `command` and yield what the journal says from then on, up to where it is settled.

    It is settled by its refusal, or by the first entry after its acceptance (that included) that
    `wait_for` is true of; None: by the acceptance. Raises ConnectionError (NotTaken: the engine
    let nothing in), TimeoutError: it was sent, and what became of it is not known yet.
    """
    is_accepted = False
    deadline = asyncio.get_running_loop().time() + timeout
    async with visiting(path, seconds=min(timeout, ANSWER_SECONDS)) as visit:
        await visit.send(command)
        while True:
            async with asyncio.timeout_at(deadline):
                update = await visit.hear()
            if not isinstance(update, Entry):
                continue
            yield update
            match update.event:
                case CommandRefused(command=id_) if id_ == command.id:
                    return
                case CommandAccepted(command=id_) if id_ == command.id:
                    is_accepted = True
            if is_accepted and (wait_for is None or wait_for(update)):
                return


def _probe(path: Path) -> None:
    try:
        connected(path).close()
    except OSError as error:
        raise ConnectionError(f"no engine listens at {path}: {error.strerror or error}") from None


async def _first(waiting: asyncio.Queue[Update], seconds: float) -> Welcome:
    update: Update | None = None
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            update = await waiting.get()
    if isinstance(update, Welcome):
        return update
    if isinstance(update, Disconnected):
        raise ConnectionError(update.why)
    raise ConnectionError(f"the engine says nothing for {seconds:.0f} s")
