"""Keeps one engine process alive for a console: says when it died, starts it again, not for ever.

It never starts a second one: an engine takes the lock of its data directory before anything
else, and whoever finds it taken ends with its own exit code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Protocol

from engine.domain.ids import SECOND, Nanos
from engine.ports.clock import Clock

LOOK_SECONDS: Final = 0.25
PAUSES: Final = (0.5, 2.0, 5.0)
"""Seconds before each restart; one more death and a person has to look."""
HEALTHY: Final = 300 * SECOND
"""An engine that lived so long has all its restarts again."""
HELD: Final = 3
"""Exit code of an engine that found another one at work."""
REFUSALS: Final = frozenset({2, 4, 5})
"""Exit codes that another try would not change: configuration, store, a decision is needed."""
IN_ORDER: Final = frozenset({0, 128 + 1, 128 + 2, 128 + 15})
"""Exit codes of an engine that was asked to end."""


class Process(Protocol):
    """A child process, as subprocess.Popen is one."""

    pid: int

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""


@unique
class Turn(Enum):
    """What the supervisor tells its console."""

    DIED = "died"
    """And is started again."""
    ENDED = "ended"
    """In order; nobody is watching the positions now, because somebody wanted that."""
    GAVE_UP = "gave up"
    REFUSED = "refused"
    """It cannot start: its exit code says why."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where an engine lives: how to start one, and what can be seen of it from outside."""

    start: Callable[[], Process]
    is_held: Callable[[], bool]
    """Whether any engine holds the data directory."""
    farewell: Callable[[], str]
    """Why the engine left in order; empty if it said nothing."""


class Supervisor:
    """`run` returns when there is no engine left to look after."""

    def __init__(
        self, site: Site, clock: Clock, tell: Callable[[Turn, str], None], process: Process | None
    ) -> None:
        self._site = site
        self._clock = clock
        self._tell = tell
        self.process = process
        """The child; None: an engine that was running before us."""
        self.exit_code: int | None = None
        """Of an engine that cannot start."""
        self._tries = 0
        self._since: Nanos = clock.monotonic()

    async def run(self) -> None:
        """Look after the engine until it ends in order, or cannot be helped."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            process = self.process
            code = None if process is None else process.poll()
            is_alive = self._site.is_held() if process is None else code is None
            if not is_alive and not await self._handle(code):
                return

    async def _handle(self, code: int | None) -> bool:
        """Act on the end of the engine; return whether there is one to look after again."""
        if code == HELD and self._site.is_held():
            self.process = None  # another console was quicker: look after that engine
            return True
        if code in REFUSALS:
            self.exit_code = code
            self._tell(Turn.REFUSED, "the engine cannot start")
            return False
        why = self._site.farewell()
        if why or code in IN_ORDER:
            self._tell(Turn.ENDED, why or "the engine ended in order")
            return False
        if self._clock.monotonic() - self._since > HEALTHY:
            self._tries = 0
        if self._tries == len(PAUSES):
            self.exit_code = 1
            self._tell(Turn.GAVE_UP, f"the engine {_death(code)}, again; it is not started anew")
            return False
        await self._restart(code)
        return True

    async def _restart(self, code: int | None) -> None:
        pause = PAUSES[self._tries]
        self._tries += 1
        count = f"{self._tries} of {len(PAUSES)}"
        self._tell(Turn.DIED, f"the engine {_death(code)}; started again in {pause:g} s ({count})")
        await self._clock.sleep(pause)
        self._since = self._clock.monotonic()
        self.process = None if self._site.is_held() else self._site.start()


def _death(code: int | None) -> str:
    if code is None:
        return "died"
    return f"died of signal {-code}" if code < 0 else f"failed with exit code {code}"
