"""Questions and answers about the past as bytes. An answer is JSON that the store made."""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast, get_args

import msgspec

from engine.domain.event import Entry
from engine.domain.ids import Seq, SessionId
from engine.domain.state import State
from engine.link.frames import FrameError
from engine.link.protocol_past import (
    A,
    AskBooks,
    AskEntries,
    Asks,
    AskSession,
    AskSessions,
    AskStart,
    Books,
    EntryPage,
    PastCheckpoint,
    PastSessions,
    Question,
    SessionRecord,
    StartState,
)
from engine.store.codec import Codec, CodecError, decode_state
from engine.store.rows import entry_of

_Row: TypeAlias = tuple[int, int, str, int, str]
_NUMBER: Final = 4
_PLACE: Final = 8
_QUESTIONS: Final = Codec(*get_args(Question))


class _Record(msgspec.Struct):
    session: str
    first: int
    last: int
    open: int
    report: list[_Row]
    checkpoints: tuple[PastCheckpoint, ...]


_ROWS: Final = msgspec.json.Decoder(list[_Row])
_RECORD: Final = msgspec.json.Decoder(_Record)
_SESSIONS: Final = msgspec.json.Decoder(PastSessions)


def encode_question(number: int, question: object) -> bytes:
    """Return the body of an ASK."""
    return number.to_bytes(_NUMBER, "big") + _QUESTIONS.pack(question)


def decode_question(body: bytes) -> tuple[int, Question]:
    """Return number and question. Raises FrameError, CodecError."""
    if len(body) <= _NUMBER:
        raise FrameError("a question without a number")
    return int.from_bytes(body[:_NUMBER], "big"), _QUESTIONS.unpack(body[_NUMBER:])


def decode_answer(question: Asks[A], data: bytes) -> A:
    """Return what `data` answers. Raises ConnectionError if it makes no sense."""
    try:
        return cast("A", _decoded(question, data))
    except (msgspec.MsgspecError, CodecError, ValueError) as error:
        raise ConnectionError(
            f"what the engine tells of the past makes no sense: {error}"
        ) from None


def unfold(page: EntryPage) -> list[Entry]:
    """Return the entries of a page. Raises ConnectionError if they make no sense."""
    try:
        return [entry_of(*row) for row in _ROWS.decode(page.body)]
    except (msgspec.MsgspecError, CodecError, ValueError) as error:
        raise ConnectionError(f"entries after {page.after} make no sense: {error}") from None


def _decoded(question: object, data: bytes) -> object:
    match question:
        case AskSessions():
            return _SESSIONS.decode(data)
        case AskSession():
            return _record(_RECORD.decode(data))
        case AskBooks():
            return _books(data)
        case AskStart():
            return StartState(_state(data))
        case AskEntries(after=after):
            last = int.from_bytes(data[:_PLACE], "big")
            return EntryPage(after, Seq(last or after), data[_PLACE:])
        case _:
            raise ValueError(f"no answer is known to {type(question).__name__}")


def _state(data: bytes) -> State:
    """Return a checkpoint's state; one that another version kept is none: entries say it all."""
    try:
        return decode_state(data) if data else State()
    except CodecError:
        return State()


def _record(told: _Record) -> SessionRecord:
    return SessionRecord(
        SessionId(told.session),
        Seq(told.first),
        Seq(told.last),
        told.open,
        tuple(entry_of(*row) for row in told.report),
        told.checkpoints,
    )


def _books(data: bytes) -> Books:
    told: Any = msgspec.json.decode(data)
    rows = told["positions"]
    return msgspec.convert(
        {"sessions": told["sessions"], "positions": rows["rows"], "next": rows["next"]}, Books
    )
