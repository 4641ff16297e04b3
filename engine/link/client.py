"""A console's end of the Unix socket: callbacks of the loop, no task, no thread.

It connects again by itself until it is closed or refused. What it hands over starts with a
Welcome after every connection.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.link.address import connected
from engine.link.frames import (
    UPDATE_MAX,
    FrameError,
    FrameReader,
    Hello,
    Kind,
    decode_reason,
    decode_taken,
    encode_hello,
    frame,
)
from engine.link.protocol import Disconnected, NotTaken, Update, Welcome
from engine.link.protocol_past import A, Asks, EntryPage
from engine.link.questions import Questions

AGAIN_SECONDS: Final = 0.01
"""Pause between attempts to connect while an engine may be starting."""
OFTEN: Final = 150
"""After so many attempts the pause grows by half with each."""
AGAIN_MOST: Final = 0.5
ANSWER_SECONDS: Final = 5.0
READ_MAX: Final = 256 * 1024
"""Bytes taken in one turn of the loop: keys are handled between two turns."""
UNSENT_MAX: Final = 1024 * 1024


class SocketLink:
    """Implements EngineLink over the socket of an engine."""

    def __init__(self, path: Path, hello: Hello) -> None:
        self._path = path
        self._hello = hello
        self._on_update: Callable[[Update], None] | None = None
        self._socket: socket.socket | None = None
        self._reader = FrameReader(UPDATE_MAX)
        self._unsent = bytearray()
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._questions = Questions()
        self._timer: asyncio.TimerHandle | None = None
        self._is_welcome = False
        self._attempts = 0
        """Attempts to connect since the engine was last heard."""
        self.farewell = ""
        """Why the engine left in order; empty while it runs, and after it died."""
        self.refusal = ""
        """Why the engine does not let this client in; no further attempt is made then."""

    def attach(self, on_update: Callable[[Update], None]) -> None:
        """Send a Welcome and everything after it to `on_update`, as soon as there is an engine."""
        self._on_update = on_update
        self.refusal = ""
        self._drop()
        self._connect()

    async def send(self, command: Command) -> None:
        """Submit `command` and wait until the engine has it. Raises ConnectionError, NotTaken."""
        if not self._is_welcome:
            raise ConnectionError(self.refusal or "no engine is connected")
        from engine.link.wire import encode_command

        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers[command.id] = answer
        try:
            self._write(frame(Kind.COMMAND, encode_command(command)))
            async with asyncio.timeout(ANSWER_SECONDS):
                refusal = await answer
        except TimeoutError:
            raise ConnectionError(
                f"no answer within {ANSWER_SECONDS:.0f} s: whether it arrived is not known"
            ) from None
        finally:
            self._answers.pop(command.id, None)
        if refusal:
            raise NotTaken(refusal)

    async def take_lease(self) -> None:
        """Ask for control; the outcome arrives as a Lease. Raises ConnectionError."""
        if not self._is_welcome:
            raise ConnectionError(self.refusal or "no engine is connected")
        self._write(frame(Kind.TAKE))

    async def ask(self, question: Asks[A]) -> A:
        """Return the answer to a question about the past. Raises ConnectionError, NoPast."""
        if not self._is_welcome:
            raise ConnectionError(self.refusal or "no engine is connected")
        return await self._questions.ask(question, self._write)

    def unfold(self, page: EntryPage) -> list[Entry]:
        """Return the entries of a page. Raises ConnectionError if they make no sense."""
        from engine.link.past_wire import unfold

        return unfold(page)

    async def close(self) -> None:
        """Leave; the engine goes on, and control is free at once."""
        self._on_update = None
        if self._socket is not None:
            with suppress(OSError):
                self._socket.send(frame(Kind.BYE))
        self._drop()

    def _connect(self) -> None:
        self._timer = None
        try:
            opened = connected(self._path)
        except OSError:
            self._again()
            return
        opened.setblocking(False)
        self._socket = opened
        self._reader = FrameReader(UPDATE_MAX)
        asyncio.get_running_loop().add_reader(opened.fileno(), self._readable)
        self._write(frame(Kind.HELLO, encode_hello(self._hello)))

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        pause = min(AGAIN_MOST, AGAIN_SECONDS * 1.5 ** min(max(0, self._attempts - OFTEN), 16))
        self._attempts += 1
        self._timer = loop.call_later(pause, self._connect)
        if self._attempts == 1:
            loop.call_soon(_learn)  # there is time: nobody answers yet

    def _readable(self) -> None:
        heard = self._socket
        if heard is None:
            return
        try:
            data = heard.recv(READ_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(f"the connection broke: {error}")
            return
        if not data:
            self._lost(self.farewell or "the engine is gone")
            return
        try:
            for kind, body in self._reader.feed(data):
                self._take(kind, body)
                if self._socket is not heard:  # attached anew: the rest is of the past
                    return
        except FrameError as error:
            self._lost(f"what the engine says is not understood: {error}")

    def _take(self, kind: Kind, body: bytes) -> None:
        match kind:
            case Kind.UPDATE:
                update = _decoded(body)
                if isinstance(update, Welcome):
                    self._is_welcome, self.farewell, self._attempts = True, "", 0
                self._tell(update)
            case Kind.TAKEN:
                command, refusal = decode_taken(body)
                answer = self._answers.get(command)
                if answer is not None and not answer.done():
                    answer.set_result(refusal)
            case Kind.ANSWER:
                self._questions.answered(body)
            case Kind.BYE:
                self.farewell = decode_reason(body)
            case Kind.REFUSED:
                self.refusal = decode_reason(body)
                self._lost(self.refusal)
            case _:
                raise FrameError(f"an engine does not send {kind.name}")

    def _tell(self, update: Update) -> None:
        if self._on_update is None:
            return
        try:
            self._on_update(update)
        except Exception as error:  # noqa: BLE001  one bad update must not silence the link
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"a {type(update).__name__} was not handled", "exception": error}
            )

    def _lost(self, why: str) -> None:
        was_welcome = self._is_welcome
        self._drop()
        if was_welcome or self.refusal:
            self._tell(Disconnected(why))
        if self._on_update is not None and not self.refusal and self._timer is None:
            self._again()

    def _drop(self) -> None:
        """Let go of the connection; what was asked and not answered fails."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._socket.fileno())
            loop.remove_writer(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self._is_welcome = False
        self._unsent.clear()
        why = "the engine went away before it answered"
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError(why))
        self._questions.fail(why)

    def _write(self, data: bytes) -> None:
        if self._socket is None or len(self._unsent) > UNSENT_MAX:
            raise ConnectionError("the engine takes nothing in")
        self._unsent += data
        self._writable()

    def _writable(self) -> None:
        if self._socket is None:
            return
        loop = asyncio.get_running_loop()
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._unsent.clear()  # the reader is told that the connection broke
            sent = 0
        del self._unsent[:sent]
        if self._unsent:
            loop.add_writer(self._socket.fileno(), self._writable)
        else:
            loop.remove_writer(self._socket.fileno())


def _learn() -> None:
    """Import the codec before there is anything to decode."""
    importlib.import_module("engine.link.wire")


def _decoded(body: bytes) -> Update:
    """Return an update. Raises FrameError.

    The codec is imported with the first one: a console paints before there is anything to decode.
    """
    from engine.link.wire import decode_update
    from engine.store.codec import CodecError

    try:
        return decode_update(body)
    except CodecError as error:
        raise FrameError(str(error)) from None
