"""A strategy in a process of its own: what it does, raises or never finishes stays there.

No task waits for it: the event loop calls back when its pipe is readable or its time is up. One
request is on its way at a time; ticks that wait are conflated to the newest per instrument.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from engine.runtime.strategy_host import LIMIT_S, OnReply
from engine.runtime.strategy_loading import StrategySpec
from engine.runtime.strategy_wire import (
    Fault,
    Load,
    Request,
    Start,
    Ticked,
    decode_reply,
    encode,
    frames,
)

START_S: Final = 30.0
"""The first answer includes starting an interpreter on a busy machine."""
WAITING_MAX: Final = 256
"""Requests that may wait; a strategy further behind has failed."""
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV")
_OUTPUT_KEPT: Final = 16 * 1024
_ROOT: Final = str(Path(__file__).resolve().parents[2])


class ProcessHost:
    """One child process and the pipes to it. Lives in the loop that first asks."""

    def __init__(
        self, spec: StrategySpec, limit_s: float = LIMIT_S, start_s: float = START_S
    ) -> None:
        self._spec = spec
        self._limit_s = limit_s
        self._start_s = start_s
        self._child: subprocess.Popen[bytes] | None = None
        self._is_dead = False
        self._fault: Fault | None = None
        self._waiting: deque[tuple[Request, OnReply]] = deque()
        self._asked: OnReply | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._to_child = self._from_child = self._output = -1
        self._unsent = b""
        self._received = bytearray()
        self._printed = b""

    @property
    def pid(self) -> int | None:
        """Process id of the child, once it was started."""
        return self._child.pid if self._child else None

    @property
    def is_idle(self) -> bool:
        """Whether everything asked so far was answered."""
        return self._asked is None and not self._waiting

    def ask(self, request: Request, on_reply: OnReply) -> None:
        if self._is_dead:
            self._tell(on_reply)
            return
        if isinstance(request, Ticked) and self._waiting:
            newest, _ = self._waiting[-1]
            if isinstance(newest, Ticked):
                by_id = {tick.instrument: tick for tick in (*newest.ticks, *request.ticks)}
                newest.ticks = sorted(by_id.values(), key=lambda tick: tick.at)
                return
        self._waiting.append((request, on_reply))
        if len(self._waiting) > WAITING_MAX:
            self._fail(f"{len(self._waiting)} requests behind", "", on_reply)
        elif self._asked is None:
            self._next()

    def kill(self) -> None:
        """End the child with SIGKILL: nothing it does can put that off."""
        self._is_dead = True
        self._waiting.clear()
        self._asked = None
        if self._timer is not None:
            self._timer.cancel()
        self._close_pipes()
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            asyncio.get_running_loop().call_later(0.05, self._child.poll)

    async def close(self) -> None:
        self.kill()
        if self._child is not None:
            await asyncio.to_thread(self._child.wait)

    def _next(self) -> None:
        request, self._asked = self._waiting.popleft()
        data = encode(request)
        if self._child is None:
            spec = self._spec
            data = encode(Load(spec.name, spec.kind, spec.settings, self._limit_s)) + data
            try:
                self._launch()
            except OSError as error:
                self._fail(f"its process could not be started: {error}", "", self._asked)
                return
        limit = self._start_s if isinstance(request, Start) else self._limit_s
        self._timer = asyncio.get_running_loop().call_later(limit, self._expire, limit)
        self._unsent += data
        self._send()

    def _launch(self) -> None:
        inlet, self._to_child = os.pipe()
        self._from_child, outlet = os.pipe()
        self._output, printed = os.pipe()
        try:
            self._child = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
                [
                    sys.executable,
                    "-m",
                    "engine.runtime.strategy_child",
                    str(inlet),
                    str(outlet),
                ],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=(inlet, outlet),
                start_new_session=True,
                env=_environment(),
            )
        finally:
            for descriptor in (inlet, outlet, printed):
                os.close(descriptor)
        loop = asyncio.get_running_loop()
        for descriptor in (self._to_child, self._from_child, self._output):
            os.set_blocking(descriptor, False)
        loop.add_reader(self._from_child, self._receive)
        loop.add_reader(self._output, self._keep_output)

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._to_child, self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent = b""  # it is gone; the other pipe says so
        loop = asyncio.get_running_loop()
        if self._unsent:
            loop.add_writer(self._to_child, self._send)
        else:
            loop.remove_writer(self._to_child)

    def _receive(self) -> None:
        try:
            data = os.read(self._from_child, 1 << 20)
        except BlockingIOError:
            return
        if not data:
            self._end()
            return
        self._received += data
        try:
            for body in frames(self._received):
                self._reply(body)
        except (ValueError, msgspec.MsgspecError) as error:
            self._fail(f"an answer that cannot be read: {error}", "", self._asked)

    def _reply(self, body: bytes) -> None:
        on_reply, self._asked = self._asked, None
        if on_reply is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        reply = decode_reply(body)
        if isinstance(reply, Fault):
            self._fail(reply.why, reply.traceback, on_reply)
            return
        on_reply(reply)
        if not self._is_dead and self._waiting and self._asked is None:
            self._next()

    def _expire(self, limit: float) -> None:
        self._keep_output()
        self._fail(f"no answer within {limit:g} s", self._text(), self._asked)

    def _end(self) -> None:
        self._keep_output()
        code = self._child.poll() if self._child else None
        how = "" if code is None else f" ({'signal' if code < 0 else 'exit code'} {abs(code)})"
        self._fail(f"its process ended{how}", self._text(), self._asked)

    def _fail(self, why: str, traceback: str, on_reply: OnReply | None) -> None:
        self.kill()
        self._fault = Fault(why, traceback)
        if on_reply is not None:
            self._tell(on_reply)

    def _tell(self, on_reply: OnReply) -> None:
        """Say once why it died; when it died unasked, the next one to ask hears of it."""
        fault, self._fault = self._fault, None
        if fault is not None:
            on_reply(fault)

    def _keep_output(self) -> None:
        """Keep the end of what the child prints, its last traceback included."""
        with suppress(BlockingIOError):
            while data := os.read(self._output, 1 << 16):
                self._printed = (self._printed + data)[-_OUTPUT_KEPT:]
            asyncio.get_running_loop().remove_reader(self._output)

    def _text(self) -> str:
        return self._printed.decode("utf-8", "replace")

    def _close_pipes(self) -> None:
        loop = asyncio.get_running_loop()
        for descriptor in (self._to_child, self._from_child, self._output):
            if descriptor >= 0:
                loop.remove_reader(descriptor)
                loop.remove_writer(descriptor)
                os.close(descriptor)
        self._to_child = self._from_child = self._output = -1


def _environment() -> dict[str, str]:
    """Return what a strategy may know of ours: where modules are, never a credential."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    before = os.environ.get("PYTHONPATH")
    path = _ROOT if not before else f"{_ROOT}{os.pathsep}{before}"
    return {**kept, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
