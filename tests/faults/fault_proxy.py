"""A proxy that does to a connection what a bad line does (field notes, b.1).

It stands between a client and a server, on a Unix socket or on loopback TCP, and runs in the
caller's loop: `async with proxied(proxy): proxy.mode = Mode.BLACKHOLE`. A mode acts on what is
connected and on what connects from then on.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, unique
from pathlib import Path
from typing import Final, TypeAlias

CHUNK: Final = 65_536
_STEP_S: Final = 0.01
_LINGER: Final = struct.pack("ii", 1, 0)


@unique
class Mode(Enum):
    """What the line does."""

    PASS = "pass"
    BLACKHOLE = "blackhole"
    """Nothing passes, either way; connections stay open."""
    DOWN_BLACKHOLE = "down_blackhole"
    """What the server says does not arrive; what the client says does."""
    UP_BLACKHOLE = "up_blackhole"
    DELAY = "delay"
    """Each piece `seconds` late."""
    SLICE = "slice"
    """Pieces of `size` bytes, `seconds` apart."""
    RATE = "rate"
    """`size` bytes a second."""
    REFUSE = "refuse"
    """Whoever connects is reset at once; what is connected stays."""
    CUT_ANSWER = "cut_answer"
    """The next piece that the client says arrives; then the line is cut before any answer."""
    CUT_WORD = "cut_word"
    """The next piece that the client says is lost with the line."""


Address: TypeAlias = Path | tuple[str, int]
"""A Unix socket, or host and port."""


@dataclass(eq=False, slots=True)
class Line:
    """One connection and its counterpart."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    def close(self, *, is_reset: bool) -> None:
        """End both halves: with a reset, or in order."""
        for half in (self.client, self.server):
            with suppress(OSError, RuntimeError):
                if is_reset:
                    _reset(half)
                else:
                    half.close()


@dataclass(slots=True)
class FaultProxy:
    """Listens at `listen`, speaks to `upstream`."""

    listen: Address
    upstream: Address
    mode: Mode = Mode.PASS
    seconds: float = 0.0
    size: int = CHUNK
    accepted: int = 0
    """How many clients came."""
    cuts: int = 0
    """How often a CUT mode struck."""
    lines: set[Line] = field(default_factory=set)
    port: int = 0
    """Where it listens, on TCP."""

    def cut(self, *, is_reset: bool = False) -> None:
        """Cut every connection: `fin`, or `rst`."""
        for line in tuple(self.lines):
            line.close(is_reset=is_reset)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be one line from its client's connection to its end."""
        self.accepted += 1
        if self.mode is Mode.REFUSE:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await _connect(self.upstream)
        except OSError:
            _reset(writer)
            return
        line = Line(writer, far_writer)
        self.lines.add(line)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(line, reader, far_writer, is_up=True))
                pumps.create_task(self._pump(line, far_reader, writer, is_up=False))
        except* (OSError, asyncio.IncompleteReadError):
            pass  # an end that is gone is what this is about
        finally:
            line.close(is_reset=False)
            self.lines.discard(line)

    async def _pump(
        self,
        line: Line,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        is_up: bool,
    ) -> None:
        while data := await reader.read(CHUNK):
            while self._holds(is_up=is_up):
                await asyncio.sleep(_STEP_S)
            if is_up and self.mode in {Mode.CUT_ANSWER, Mode.CUT_WORD}:
                await self._strike(line, data)
                return
            await self._deliver(data, writer)
        line.close(is_reset=False)

    def _holds(self, *, is_up: bool) -> bool:
        held = {Mode.BLACKHOLE, Mode.UP_BLACKHOLE if is_up else Mode.DOWN_BLACKHOLE}
        return self.mode in held

    async def _strike(self, line: Line, data: bytes) -> None:
        """Lose the answer, or the word itself; the line is good again for whoever comes next."""
        is_heard, self.mode = self.mode is Mode.CUT_ANSWER, Mode.PASS
        self.cuts += 1
        line.client.transport.abort()
        if not is_heard:
            line.close(is_reset=False)
            return
        line.server.write(data)
        with suppress(OSError):
            await line.server.drain()
            line.server.write_eof()  # it reads the word before it sees the end

    async def _deliver(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        match self.mode:
            case Mode.DELAY:
                await asyncio.sleep(self.seconds)
                writer.write(data)
            case Mode.SLICE:
                for start in range(0, len(data), self.size):
                    writer.write(data[start : start + self.size])
                    await writer.drain()
                    await asyncio.sleep(self.seconds)
            case Mode.RATE:
                await asyncio.sleep(len(data) / self.size)
                writer.write(data)
            case _:
                writer.write(data)
        await writer.drain()


@asynccontextmanager
async def proxied(proxy: FaultProxy) -> AsyncIterator[FaultProxy]:
    """Let the proxy listen until the block ends; what is connected then is cut."""
    if isinstance(proxy.listen, Path):
        server = await asyncio.start_unix_server(proxy.serve, str(proxy.listen))
    else:
        server = await asyncio.start_server(proxy.serve, *proxy.listen)
        proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        proxy.mode = Mode.PASS  # nobody is held any more
        proxy.cut(is_reset=True)
        async with asyncio.timeout(10):
            while proxy.lines:
                await asyncio.sleep(_STEP_S)


async def _connect(to: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(to, Path):
        return await asyncio.open_unix_connection(str(to))
    return await asyncio.open_connection(*to)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection so that the other end is told of a reset (on TCP)."""
    found = writer.get_extra_info("socket")
    if found is not None and found.family != socket.AF_UNIX:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
