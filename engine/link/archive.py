"""Answers questions about the past beside the engine: one thread, one question at a time.

The engine's loop hands a question over and gets bytes back; it never reads, decodes or waits. A
question that takes too long is interrupted, and too many at once are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeAlias, cast

from engine.link.protocol_past import (
    AskBooks,
    AskEntries,
    AskSession,
    AskSessions,
    AskStart,
    Question,
)
from engine.ports.journal import JournalRefused
from engine.store.past import PastStore

SECONDS: Final = 5.0
"""A question that takes longer is interrupted."""
WAITING_MAX: Final = 32
NOTHING_KEPT: Final = "nothing is kept: this engine runs without a store"
BUSY: Final = "too many questions about the past at once; ask again"

Told: TypeAlias = Callable[[bytes, str], None]
"""Called in the loop, once, with the answer, or with why there is none."""


@dataclass(slots=True)
class _Asked:
    question: Question
    loop: asyncio.AbstractEventLoop
    told: Told
    store: PastStore | None = None
    is_late: bool = False

    def interrupt(self) -> None:
        self.is_late = True
        if self.store is not None:
            self.store.interrupt()


class Archive:
    """The store at `path`, for questions; None: there is no store."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._queue: SimpleQueue[_Asked] = SimpleQueue()
        self._thread: Thread | None = None
        self.waiting = 0
        """Questions that are not answered yet."""

    def ask(self, question: Question, told: Told) -> None:
        """Have `question` answered; returns at once."""
        loop = asyncio.get_running_loop()
        if self._path is None or self.waiting >= WAITING_MAX:
            loop.call_soon(told, b"", NOTHING_KEPT if self._path is None else BUSY)
            return
        if self._thread is None:  # a daemon: a disk that hangs must not keep the process
            self._thread = Thread(target=self._answer, name="archive", daemon=True)
            self._thread.start()
        self.waiting += 1
        self._queue.put(_Asked(question, loop, told))

    def _answer(self) -> None:
        while True:
            asked = self._queue.get()
            answer, why = b"", ""
            try:
                asked.loop.call_soon_threadsafe(asked.loop.call_later, SECONDS, asked.interrupt)
                answer = self._read(asked)
            except JournalRefused as error:
                late = f"no answer within {SECONDS:.0f} s"
                why = late if asked.is_late else str(error)
            except Exception as error:  # noqa: BLE001  one bad question must not end the answers
                why = f"{type(error).__name__}: {error}"
            try:
                asked.loop.call_soon_threadsafe(self._told, asked, answer, why)
            except RuntimeError:
                return  # the loop has ended, and the engine with it

    def _told(self, asked: _Asked, answer: bytes, why: str) -> None:
        self.waiting -= 1
        asked.told(answer, why)

    def _read(self, asked: _Asked) -> bytes:
        assert self._path is not None
        with PastStore.open(self._path) as opened:
            store = asked.store = cast("PastStore", opened)
            try:
                return _answered(store, asked.question)
            finally:
                asked.store = None


def _answered(store: PastStore, question: Question) -> bytes:
    match question:
        case AskSessions(limit=limit):
            return store.told_sessions(limit)
        case AskSession(session=session):
            return store.told_session(session)
        case AskBooks(session=session, after=after):
            return store.told_books(session, after)
        case AskStart(session=session):
            return store.told_base(session)
        case AskEntries(after=after, until=until):
            last, rows = store.told_entries(after, until)
            return last.to_bytes(8, "big") + rows
