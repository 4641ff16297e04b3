"""One engine, any number of listeners: what is told to whom, and who may command (O-1).

Entries go out in the turn of the loop that made them durable, quotes ten times a second and only
those that changed. A listener that cannot keep up costs memory within bounds, never time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from typing import Final, Protocol

from engine.domain.command import Command
from engine.domain.event import Entry
from engine.domain.ids import InstrumentId
from engine.domain.market import Quote, Tick
from engine.domain.state import State
from engine.link.archive import Archive, Told
from engine.link.batch import Batch
from engine.link.frames import Hello
from engine.link.lease import LeaseDesk, Owner
from engine.link.protocol import Lease, Quotes, Update, Welcome
from engine.link.protocol_past import Question
from engine.link.source import EngineSource, Report
from engine.ports.clock import Clock

QUOTES_EVERY: Final = 0.1
"""Seconds between two batches of quotes: digits that change faster cannot be read."""


class Listener(Protocol):
    """One end of a link, on the engine's side. Neither call may block or raise."""

    def welcome(self, welcome: Welcome) -> None:
        """Start (again) from a snapshot: it covers everything told before."""

    def deliver(self, batch: Batch) -> None:
        """Take updates that follow what came before."""


class Hub:
    """Lives in the engine's loop and reads what the engine publishes."""

    def __init__(self, source: EngineSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._durable: State = source.welcome().state
        self._listeners: dict[Listener, Hello] = {}
        self._desk = LeaseDesk()
        self._shown = ""
        self._out: list[Update] = []
        self._moved: set[InstrumentId] = set()
        self._archive = Archive(source.database)
        source.subscribe(self._on_entry, self._on_tick)
        source.watch(self._on_report)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def join(self, listener: Listener, hello: Hello) -> None:
        """Send a snapshot to `listener`, and everything after it."""
        self._flush()
        self._listeners[listener] = hello
        if hello.is_console and not hello.is_read_only:
            self._desk.join(Owner(hello.client, hello.who))
        listener.welcome(self.welcome_for(listener))
        self._tell_lease(but=listener)

    def leave(self, listener: Listener, *, in_order: bool) -> None:
        """Forget `listener`; one that left without goodbye may come back to its control."""
        hello = self._listeners.pop(listener, None)
        if hello is None or any(h.client == hello.client for h in self._listeners.values()):
            return
        if in_order:
            self._desk.leave(hello.client)
        else:
            self._desk.lose(hello.client, self._clock.monotonic())
        self._tell_lease()

    def welcome_for(self, listener: Listener) -> Welcome:
        """Return a snapshot of what is durable now; what it covers is told before it is taken."""
        self._flush()
        return replace(self._source.welcome(), state=self._durable, lease=self._lease_of(listener))

    def quotes_of(self, instruments: Iterable[InstrumentId]) -> Quotes:
        """Return the newest quotes of some instruments, as values of their own."""
        known = self._source.quotes
        return Quotes(tuple(copy(known[i]) for i in sorted(instruments) if i in known))

    def command(self, listener: Listener, command: Command) -> str:
        """Hand a command to the engine; return why it was refused, or nothing."""
        hello = self._listeners[listener]
        if hello.is_read_only:
            return "read-only: this console sends nothing"
        if hello.is_console and not self._desk.is_held_by(hello.client):
            owner = self._desk.shown
            held = f"{owner} is in control" if owner else "nobody is in control"
            return f"this console only watches: {held}"
        self._source.submit(command)
        return ""

    def ask(self, question: Question, told: Told) -> None:
        """Have a question about the past answered beside the engine; anyone may ask."""
        self._archive.ask(question, told)

    def take(self, listener: Listener) -> None:
        """Hand control to `listener`; one that only reads gets its own `Lease` back."""
        hello = self._listeners[listener]
        if hello.is_console and not hello.is_read_only:
            self._desk.take(Owner(hello.client, hello.who))
            self._tell_lease()
        else:
            listener.deliver(Batch((self._lease_of(listener),)))

    async def run(self) -> None:
        """Tell quotes and let a lease expire, for ever."""
        while True:
            await self._clock.sleep(QUOTES_EVERY)
            self.tell_quotes()
            if self._desk.expire(self._clock.monotonic()):
                self._tell_lease()

    def tell_quotes(self) -> None:
        """Tell the quotes that changed since the last time."""
        if self._moved and self._listeners:
            self._tell(self.quotes_of(self._moved))
        self._moved.clear()

    def _lease_of(self, listener: Listener) -> Lease:
        hello = self._listeners[listener]
        return Lease(self._desk.shown, self._desk.is_held_by(hello.client))

    def _tell_lease(self, but: Listener | None = None) -> None:
        owner = self._desk.owner
        shown = f"{owner.client if owner else ''} {self._desk.shown}"
        if shown == self._shown:
            return
        self._shown = shown
        self._flush()
        for listener in tuple(self._listeners):
            if listener is not but:
                listener.deliver(Batch((self._lease_of(listener),)))

    def _on_entry(self, entry: Entry, state: State) -> None:
        self._durable = state
        self._tell(entry)

    def _on_tick(self, tick: Tick, quote: Quote) -> None:
        self._moved.add(tick.instrument)

    def _on_report(self, report: Report) -> None:
        self._tell(report)

    def _tell(self, update: Update) -> None:
        if not self._listeners:
            return
        if not self._out:  # after the engine's turn: a commit of many entries is one write
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(update)

    def _flush(self) -> None:
        if self._out:
            batch, self._out = Batch(self._out), []
            for listener in tuple(self._listeners):
                listener.deliver(batch)
