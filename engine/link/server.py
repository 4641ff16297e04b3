"""The engine's end of the Unix socket: one connection each, none of which can hurt the engine."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, cast

from engine.link.address import listening, peer_of
from engine.link.archive import BUSY
from engine.link.backlog import Backlog
from engine.link.batch import Batch
from engine.link.frames import (
    COMMAND_MAX,
    FrameError,
    FrameReader,
    Hello,
    Kind,
    decode_hello,
    encode_answer,
    encode_refusal,
    encode_taken,
    frame,
    mismatch,
)
from engine.link.hub import Hub
from engine.link.past_wire import decode_question
from engine.link.protocol import PROTOCOL, Welcome
from engine.link.protocol_past import Question
from engine.link.wire import decode_command, encode_update
from engine.store.codec import CodecError

CONNECTIONS_MAX: Final = 64
HELLO_SECONDS: Final = 3.0
"""A connection that does not say who it is for so long is closed."""
BYE_SECONDS: Final = 0.4
"""How long the end of the engine waits for its clients to read what they are sent."""
ASKED_MAX: Final = 4
"""Questions of one client that may wait for an answer."""
BUFFER_MAX: Final = 256 * 1024
"""Bytes waiting for a client beyond which it counts as slow, and updates go to its backlog."""


class Connection(asyncio.Protocol):
    """One client; a listener of the hub once it said hello."""

    def __init__(self, hub: Hub, connections: set[Connection]) -> None:
        self._hub = hub
        self._connections = connections
        self._reader = FrameReader(COMMAND_MAX)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._hello: Hello | None = None
        self._is_slow = False
        self._asked = 0
        self.backlog = Backlog()
        self.closed = asyncio.Event()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=BUFFER_MAX)
        self._connections.add(self)
        peer = peer_of(cast("socket.socket", transport.get_extra_info("socket")))
        if peer is not None and peer[1] not in {os.getuid(), 0}:
            self.refuse(f"this engine belongs to another user (yours is {peer[1]})")
        elif len(self._connections) > CONNECTIONS_MAX:
            self.refuse(f"{CONNECTIONS_MAX} connections are open already")
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(HELLO_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        try:
            for kind, body in self._reader.feed(data):
                if self._transport is None or self._transport.is_closing():
                    return
                self._take(kind, body)
        except (FrameError, CodecError) as error:
            self.refuse(f"not understood: {error}")

    def pause_writing(self) -> None:
        self._is_slow = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()  # who does not listen to answers may not ask on

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        if self._hello is None:
            self._is_slow = False
            return
        if self.backlog.is_overfull:
            welcome = self._hub.welcome_for(self)  # still slow: what it covers is not sent
            self._is_slow = False
            self.welcome(welcome)
            return
        self._is_slow = False
        moved = set(self.backlog.moved)
        self._write(self.backlog.take())
        if moved:
            self.deliver(Batch((self._hub.quotes_of(moved),)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self.closed.set()
        self._disarm()
        self._transport = None
        self._leave()

    # What the hub calls.

    def welcome(self, welcome: Welcome) -> None:
        self.backlog.clear()
        self._write(frame(Kind.UPDATE, encode_update(welcome)))

    def deliver(self, batch: Batch) -> None:
        if self._is_slow:
            self.backlog.add(batch)
        else:
            self._write(batch.data)

    # The rest.

    def refuse(self, why: str) -> None:
        """Say why, and end the connection."""
        self._disarm()
        self._write(frame(Kind.REFUSED, encode_refusal(why)))
        self._leave()
        self._close()
        # a client that reads nothing would keep its place for ever
        self._timer = asyncio.get_running_loop().call_later(HELLO_SECONDS, self.abort)

    def say_bye(self, why: str) -> None:
        """End the connection because the engine ends."""
        self._write(frame(Kind.BYE, encode_refusal(why)))
        self._close()

    def abort(self) -> None:
        """Drop what the client has not read."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, kind: Kind, body: bytes) -> None:
        if self._hello is None:
            if kind is not Kind.HELLO:
                raise FrameError("a hello comes first")
            self._welcome_in(decode_hello(body))
            return
        match kind:
            case Kind.COMMAND:
                command = decode_command(body)
                refusal = self._hub.command(self, command)
                self._write(frame(Kind.TAKEN, encode_taken(command.id, refusal)))
            case Kind.TAKE:
                self._hub.take(self)
            case Kind.ASK:
                self._ask(*decode_question(body))
            case Kind.BYE:
                self._hub.leave(self, in_order=True)
                self._hello = None
                self.abort()
            case _:
                raise FrameError(f"a client does not send {kind.name}")

    def _ask(self, number: int, question: Question) -> None:
        def told(data: bytes, why: str) -> None:
            self._asked -= 1
            self._write(frame(Kind.ANSWER, encode_answer(number, data, why)))

        if self._asked >= ASKED_MAX:
            self._write(frame(Kind.ANSWER, encode_answer(number, b"", BUSY)))
            return
        self._asked += 1
        self._hub.ask(question, told)

    def _welcome_in(self, hello: Hello) -> None:
        self._disarm()
        if hello.protocol != PROTOCOL:
            self.refuse(mismatch(hello.protocol))
            return
        self._hello = hello
        self._hub.join(self, hello)

    def _give_up(self) -> None:
        self.refuse(f"no hello within {HELLO_SECONDS:.0f} s")

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _leave(self) -> None:
        if self._hello is not None:
            self._hello = None
            self._hub.leave(self, in_order=False)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Server:
    """All connections of an engine."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.connections: set[Connection] = set()
        self.farewell = "the engine ended"
        """Why, for the clients that are connected at the end."""

    def accept(self) -> Connection:
        return Connection(self._hub, self.connections)

    async def close(self) -> None:
        """Say goodbye; who does not read it within a moment is dropped."""
        for connection in tuple(self.connections):
            connection.say_bye(self.farewell)
        with suppress(TimeoutError):
            async with asyncio.timeout(BYE_SECONDS):
                while self.connections:
                    await next(iter(self.connections)).closed.wait()
        for connection in tuple(self.connections):
            connection.abort()


@asynccontextmanager
async def serving(hub: Hub, path: Path) -> AsyncIterator[Server]:
    """Serve `hub` at `path` until the block ends."""
    server = Server(hub)
    bound = listening(path)
    loop = asyncio.get_running_loop()
    acceptor = await loop.create_unix_server(server.accept, sock=bound)
    try:
        yield server
    except Exception as error:
        server.farewell = f"the engine failed: {_first_of(error)}"
        raise
    finally:
        acceptor.close()
        path.unlink(missing_ok=True)  # noqa: ASYNC240  a name in memory
        await server.close()


def _first_of(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
