"""A console in the engine's own loop: `--engine inline`, and tests."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import cast

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.link.batch import Batch
from engine.link.frames import Hello
from engine.link.hub import Hub
from engine.link.past_wire import decode_answer, unfold
from engine.link.protocol import Disconnected, NotTaken, Update, Welcome
from engine.link.protocol_past import A, Asks, EntryPage, NoPast, Question


class LocalLink:
    """Updates are handed over in a turn of the loop of their own, never inside the engine's."""

    def __init__(self, hub: Hub, hello: Hello) -> None:
        self._hub = hub
        self._hello = hello
        self._receiver: Receiver | None = None

    def attach(self, on_update: Callable[[Update], None]) -> None:
        """Send a Welcome and everything after it to `on_update`; an earlier one hears no more."""
        earlier, self._receiver = self._receiver, Receiver(on_update, copy_context())
        self._hub.join(self._receiver, self._hello)
        if earlier is not None:
            earlier.is_deaf = True
            self._hub.leave(earlier, in_order=True)

    async def send(self, command: Command) -> None:
        """Submit `command`. Raises ConnectionError, NotTaken."""
        if self._receiver is None:
            raise ConnectionError("not attached")
        refusal = self._hub.command(self._receiver, command)
        if refusal:
            raise NotTaken(refusal)

    async def take_lease(self) -> None:
        """Ask for control; the outcome arrives as a Lease."""
        if self._receiver is None:
            raise ConnectionError("not attached")
        self._hub.take(self._receiver)

    async def ask(self, question: Asks[A]) -> A:
        """Return the answer to a question about the past. Raises ConnectionError, NoPast."""
        if self._receiver is None:
            raise ConnectionError("not attached")
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def told(data: bytes, why: str) -> None:
            if answer.done():
                return
            if why:
                answer.set_exception(NoPast(why))
            else:
                answer.set_result(data)

        self._hub.ask(cast("Question", question), told)
        return decode_answer(question, await answer)

    def unfold(self, page: EntryPage) -> list[Entry]:
        """Return the entries of a page."""
        return unfold(page)

    async def close(self) -> None:
        """Leave; the engine goes on."""
        if self._receiver is not None:
            self._receiver.is_deaf = True
            self._hub.leave(self._receiver, in_order=True)
            self._receiver = None

    def lose(self, why: str) -> None:
        """Tell the console that the engine ended."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self._hub.leave(receiver, in_order=True)
            receiver.put(Disconnected(why))


class Receiver:
    """Hands updates to a console, in order, each turn all that came since the last."""

    def __init__(self, on_update: Callable[[Update], None], context: Context) -> None:
        self._on_update = on_update
        self._context = context
        self._waiting: deque[Update] = deque()
        self.is_deaf = False

    def welcome(self, welcome: Welcome) -> None:
        self._waiting.clear()
        self.put(welcome)

    def deliver(self, batch: Batch) -> None:
        for update in batch.updates:
            self.put(update)

    def put(self, update: Update) -> None:
        self._waiting.append(update)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._hand_over, context=self._context)

    def _hand_over(self) -> None:
        try:
            while self._waiting:
                update = self._waiting.popleft()
                if not self.is_deaf:
                    self._on_update(update)
        finally:
            if self._waiting:  # it threw: the rest is told all the same
                loop = asyncio.get_running_loop()
                loop.call_soon(self._hand_over, context=self._context)
