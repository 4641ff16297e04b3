"""A client that speaks bytes: well, badly, or not at all. For tests of the engine's socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from engine.link.address import connected
from engine.link.frames import UPDATE_MAX, FrameReader, Hello, Kind, encode_hello, frame
from engine.link.protocol import Update
from engine.link.wire import decode_update
from tests.linked import PATIENCE


class RawClient:
    """A socket; reads only when told to."""

    def __init__(self, path: Path) -> None:
        self._socket: socket.socket = connected(path)
        self._socket.setblocking(False)
        self._reader = FrameReader(UPDATE_MAX)
        self.frames: list[tuple[Kind, bytes]] = []

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def hello(self, who: str, *, is_read_only: bool = False, is_console: bool = True) -> None:
        said = Hello(who, f"client-{who}", is_read_only, is_console)
        await self.send(frame(Kind.HELLO, encode_hello(said)))

    async def read(self) -> bool:
        """Take in what is there; return whether the engine still holds the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 18)
            except ConnectionResetError:
                return False
        self.frames += self._reader.feed(data)
        return bool(data)

    async def until_closed(self) -> list[tuple[Kind, bytes]]:
        """Return what the engine said before it closed the connection."""
        while await self.read():
            pass
        return self.frames

    @property
    def updates(self) -> list[Update]:
        return [decode_update(body) for kind, body in self.frames if kind is Kind.UPDATE]

    def vanish(self) -> None:
        """Be gone without a goodbye, as a killed process is."""
        self._socket.close()
