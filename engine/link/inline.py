"""`--engine inline`: the engine in the console's own loop. For tests and debugging only.

A console that hangs then delays the engine; `run` without it starts a process instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context, copy_context

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.link.frames import Hello
from engine.link.hub import Hub
from engine.link.local import LocalLink
from engine.link.protocol import Update
from engine.link.protocol_past import A, Asks, EntryPage
from engine.link.source import RunningEngine
from engine.ports.clock import Clock


class InlineLink:
    """A link that can be attached to before its engine is open."""

    def __init__(
        self,
        opening: Callable[[], AbstractAsyncContextManager[RunningEngine]],
        clock: Clock,
        hello: Hello,
    ) -> None:
        self._opening = opening
        self._clock = clock
        self._hello = hello
        self._on_update: Callable[[Update], None] | None = None
        self._context: Context | None = None
        self._stopped_by = ""
        self._local: LocalLink | None = None
        self._engine: RunningEngine | None = None

    async def run(self) -> None:
        """Open the engine, run it until `stop`, and close it. Raises what opening it raises."""
        async with self._opening() as engine, asyncio.TaskGroup() as tasks:
            self._engine = engine
            hub = Hub(engine, self._clock)
            self._local = LocalLink(hub, self._hello)
            telling = tasks.create_task(hub.run())
            if self._on_update is not None and self._context is not None:
                self._context.run(self._local.attach, self._on_update)
            if self._stopped_by:
                engine.stop(self._stopped_by)
            await engine.run()
            telling.cancel()
            self._local.lose("the engine ended")

    def stop(self, reason: str) -> None:
        """Begin the engine's orderly end."""
        self._stopped_by = reason
        if self._engine is not None:
            self._engine.stop(reason)

    def attach(self, on_update: Callable[[Update], None]) -> None:
        self._on_update, self._context = on_update, copy_context()
        if self._local is not None:
            self._local.attach(on_update)

    async def send(self, command: Command) -> None:
        await self._there().send(command)

    async def take_lease(self) -> None:
        await self._there().take_lease()

    async def ask(self, question: Asks[A]) -> A:
        return await self._there().ask(question)

    def unfold(self, page: EntryPage) -> list[Entry]:
        return self._there().unfold(page)

    async def close(self) -> None:
        if self._local is not None:
            await self._local.close()

    def _there(self) -> LocalLink:
        if self._local is None:
            raise ConnectionError("the engine is still starting")
        return self._local
