"""Bytes on the socket: length, kind, body. Hello and its refusal are readable in every version.

A frame is four bytes of length (of what follows), one byte of kind, and the body. Whoever sends
what is no frame is cut off; nothing of it reaches the engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import IntEnum, unique
from typing import Final

from engine.link.protocol import PROTOCOL

COMMAND_MAX: Final = 64 * 1024
"""Largest frame that a client may send."""
UPDATE_MAX: Final = 256 * 1024 * 1024
"""Largest frame that an engine may send: a snapshot of a long day."""
_HEAD: Final = 4


class FrameError(Exception):
    """What arrived is not a frame of this protocol."""


@unique
class Kind(IntEnum):
    """What a frame's body is."""

    HELLO = 1
    """Client: who it is; always first."""
    COMMAND = 2
    """Client: a command."""
    TAKE = 3
    """Client: it wants control."""
    BYE = 4
    """Either: it leaves in order; an engine says why."""
    UPDATE = 5
    """Engine: an update."""
    TAKEN = 6
    """Engine: what became of handing over a command: its id, and why it was refused, or nothing."""
    REFUSED = 7
    """Engine: no welcome, and why; the connection ends."""
    ASK = 8
    """Client: a question about the past."""
    ANSWER = 9
    """Engine: its answer, or why there is none."""


@dataclass(frozen=True, slots=True)
class Hello:
    """How a client introduces itself."""

    who: str
    """Shown to people as owner of the control, e.g. `console pts/3`."""
    client: str
    """The same over all connections of one client: it keeps its control while it reconnects."""
    is_read_only: bool = False
    is_console: bool = True
    """False: one command typed by a person; it needs no lease and never takes one."""
    protocol: int = PROTOCOL


def frame(kind: Kind, body: bytes = b"") -> bytes:
    """Return the bytes to send."""
    return (len(body) + 1).to_bytes(_HEAD, "big") + bytes((kind,)) + body


class FrameReader:
    """Cuts a stream of bytes into frames; never holds more than one frame of `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Yield the frames that `data` completes. Raises FrameError; the stream is useless then."""
        self._held += data
        start = 0
        try:
            while len(self._held) - start >= _HEAD:
                size = int.from_bytes(self._held[start : start + _HEAD], "big")
                if not 1 <= size <= self._limit:
                    raise FrameError(f"a frame of {size} bytes; allowed: 1 to {self._limit}")
                body, end = start + _HEAD + 1, start + _HEAD + size
                if len(self._held) < end:
                    break
                start = end
                yield _kind(self._held[body - 1]), bytes(self._held[body:end])
        finally:
            del self._held[:start]

    @property
    def is_between(self) -> bool:
        """Whether no frame is half read."""
        return not self._held


def _kind(number: int) -> Kind:
    try:
        return Kind(number)
    except ValueError:
        raise FrameError(f"a frame of kind {number}") from None


def encode_hello(hello: Hello) -> bytes:
    """Return the body of a HELLO."""
    return json.dumps(asdict(hello)).encode()


def decode_hello(body: bytes) -> Hello:
    """Return the Hello in `body`, whatever its protocol. Raises FrameError."""
    try:
        fields = json.loads(body)
        protocol = int(fields["protocol"])
        if protocol != PROTOCOL:  # the number is all that another version must have
            return Hello("", "", protocol=protocol)
        return Hello(
            who=str(fields["who"])[:80],
            client=str(fields["client"])[:80],
            is_read_only=bool(fields["is_read_only"]),
            is_console=bool(fields["is_console"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError(f"a hello that says nothing: {type(error).__name__}") from None


def encode_refusal(why: str, protocol: int = PROTOCOL) -> bytes:
    """Return the body of a REFUSED."""
    return json.dumps({"why": why, "protocol": protocol}).encode()


def encode_taken(command: str, refusal: str) -> bytes:
    """Return the body of a TAKEN; an empty `refusal` says that the engine has the command."""
    return json.dumps({"command": command, "why": refusal}).encode()


def decode_taken(body: bytes) -> tuple[str, str]:
    """Return command id and refusal. Raises FrameError."""
    try:
        fields = json.loads(body)
        return str(fields["command"]), str(fields["why"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError(f"an answer that says nothing: {type(error).__name__}") from None


def encode_answer(number: int, data: bytes, why: str) -> bytes:
    """Return the body of an ANSWER to question `number`: data, or why there is none."""
    return number.to_bytes(_HEAD, "big") + (b"\1" + why.encode() if why else b"\0" + data)


def split_answer(body: bytes) -> tuple[int, bytes, str]:
    """Return number, data and why there is none. Raises FrameError."""
    if len(body) <= _HEAD or body[_HEAD] > 1:
        raise FrameError("an answer to no question")
    rest = body[_HEAD + 1 :]
    why = rest.decode(errors="replace")[:400] if body[_HEAD] else ""
    return int.from_bytes(body[:_HEAD], "big"), rest, why


def decode_reason(body: bytes) -> str:
    """Return the text of a REFUSED; of a BYE likewise. Never raises."""
    try:
        return str(json.loads(body)["why"])[:400]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no reason given"


def mismatch(theirs: int) -> str:
    """Return how a client of another protocol is refused."""
    return (
        f"this engine speaks protocol {PROTOCOL}, the console {theirs}: "
        "use the holdfast that started the engine, or stop the engine and start it anew"
    )
