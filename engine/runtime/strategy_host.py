"""Where a strategy runs. Two hosts, one interface: ask, and be told the reply.

`InlineHost`: in this process, answered before `ask` returns; for replay, tests and determinism.
`ProcessHost` (its own file): in a process of its own, killed when it does not answer in time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final, Protocol

from engine.domain.strategy import Strategy
from engine.runtime.strategy_child import fault_of
from engine.runtime.strategy_loading import StrategySpec, load
from engine.runtime.strategy_wire import Fault, Reply, Request, perform

LIMIT_S: Final = 5.0
"""A call that takes longer marks its strategy failed (S-6)."""

OnReply = Callable[[Reply], None]


class StrategyHost(Protocol):
    """Runs one strategy. After a `Fault` it is dead and answers nothing more."""

    def ask(self, request: Request, on_reply: OnReply) -> None:
        """Pass `request` on; `on_reply` is called once, now or later, in this thread."""

    def kill(self) -> None:
        """End it at once; replies that are still to come are dropped."""

    async def close(self) -> None:
        """End it and wait until it is gone."""


class _OutOfTime(BaseException):
    """Raised inside a strategy that loops; not an Exception, so that it is not caught there."""


class InlineHost:
    """Calls the strategy directly. In the main thread an endless loop is ended by an alarm."""

    def __init__(self, spec: StrategySpec, limit_s: float = LIMIT_S) -> None:
        self._spec = spec
        self._limit_s = limit_s
        self._strategy: Strategy | None = None
        self._is_dead = False
        self._is_running = False

    def ask(self, request: Request, on_reply: OnReply) -> None:
        if self._is_dead:
            return
        try:
            reply: Reply = self._guarded(request)
        except _OutOfTime as error:
            fault = fault_of(error)
            reply = Fault(f"no answer within {self._limit_s:g} s", fault.traceback)
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- a strategy may raise anything
            reply = fault_of(error)
        self._is_dead = isinstance(reply, Fault)
        on_reply(reply)

    def kill(self) -> None:
        self._is_dead = True

    async def close(self) -> None:
        self.kill()

    def _guarded(self, request: Request) -> Reply:
        if threading.current_thread() is not threading.main_thread():
            return self._perform(request)
        before = signal.signal(signal.SIGALRM, self._ring)
        self._is_running = True
        try:
            signal.setitimer(signal.ITIMER_REAL, self._limit_s)
            return self._perform(request)
        finally:
            self._is_running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            with suppress(TypeError):  # a handler that was not installed from Python
                signal.signal(signal.SIGALRM, before)

    def _perform(self, request: Request) -> Reply:
        if self._strategy is None:
            self._strategy = load(self._spec)
        return perform(self._strategy, request)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._is_running:
            raise _OutOfTime
