"""A start that waits for a person (E-62): consoles are served, nothing is traded yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from engine.bootstrap.reports import Reports
from engine.domain.command import Command
from engine.ports.clock import Clock
from engine.runtime.core import Elapsed
from engine.runtime.engine import Engine

STEP_S: Final = 0.1
"""How often it looks at what was said, and whether the policy's time has come."""


class Choosing:
    """Takes commands before the engine runs."""

    def __init__(self, engine: Engine, clock: Clock, reports: Reports) -> None:
        self._engine, self._clock, self._reports = engine, clock, reports
        self._said: deque[Command] = deque()

    def submit(self, command: Command) -> None:
        """Take a console's command."""
        self._said.append(command)

    async def serve(
        self, go_on: Callable[[], Awaitable[bool]], is_over: Callable[[], bool]
    ) -> None:
        """Decide on what is said until `go_on` returns that the session is open, or `is_over`.

        `is_over` is asked all the time: it is a sign of life, too.
        """
        async with asyncio.TaskGroup() as tasks:
            telling = tasks.create_task(self._reports.run())
            while not is_over() and not await go_on():
                await self._clock.sleep(STEP_S)
                while self._said:
                    await self._engine.settle(self._said.popleft())
                await self._engine.settle(Elapsed())
            telling.cancel()
