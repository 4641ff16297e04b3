"""A client's questions about the past: each has a number, and its answer comes back with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Final

from engine.link.frames import Kind, frame, split_answer
from engine.link.protocol_past import A, Asks, NoPast

TELL_SECONDS: Final = 15.0
"""How long an answer may take; the engine itself gives up earlier."""


class Questions:
    """Those that wait for an answer."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._numbers = count(1)

    async def ask(self, question: Asks[A], write: Callable[[bytes], None]) -> A:
        """Return the answer to `question`, which `write` sends. Raises ConnectionError, NoPast."""
        from engine.link.past_wire import decode_answer, encode_question

        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            write(frame(Kind.ASK, encode_question(number, question)))
            async with asyncio.timeout(TELL_SECONDS):
                return decode_answer(question, await answer)
        except TimeoutError:
            raise ConnectionError(f"no answer within {TELL_SECONDS:.0f} s") from None
        finally:
            self._waiting.pop(number, None)

    def answered(self, body: bytes) -> None:
        """Take an ANSWER; one that nobody waits for any more is dropped. Raises FrameError."""
        number, data, why = split_answer(body)
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if why:
            answer.set_exception(NoPast(why))
        else:
            answer.set_result(data)

    def fail(self, why: str) -> None:
        """Let every question fail: the engine is gone."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError(why))
