"""A faulty wire to a venue: requests and answers that are late, lost, doubled or out of order.

Underneath is a venue that matches in this process; whatever happens on the wire, it has every
order at most once per arrival and knows what it did. Requests are lost or held, too, but never
longer than the executor waits for an answer: a venue throws away what is older than its request
expiry, and a proof of absence rests on that.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from engine.domain.ids import Nanos, OrderId
from engine.domain.inputs import VenueReport
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.order import Order
from engine.domain.truth import VenueTruth

SENDS: Final = ("lost answer", "late answer", "never sent", "broken after", "held", "twice")
ASKS: Final = ("fails", "silent", "says nothing", "late answer")
TRUTHS: Final = ("fails", "silent", "empty page", "flat")
HELD_MAX_S: Final = 9.0


class Books(Protocol):
    """A venue in this process."""

    report: Callable[[VenueReport], None]

    def place(self, order: Order, instrument: Instrument) -> None:
        """Take an order."""

    def withdraw(self, order: OrderId) -> None:
        """Cancel one."""

    def on_tick(self, tick: Tick) -> None:
        """Take a price."""

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        """Say what became of an order."""

    async def account_truth(self, since: Nanos) -> VenueTruth:
        """Say what the account holds."""


@dataclass(slots=True)
class Mood:
    """How bad the wire is: shares of calls and answers that meet a fault."""

    sends: float = 0.0
    asks: float = 0.0
    truths: float = 0.0
    lost: float = 0.0
    """Of answers told by themselves."""
    doubled: float = 0.0
    late: float = 0.0
    is_away: bool = False
    """Maintenance: nothing gets through, everything fails at once."""


class Wire:
    """The venue as one process sees it."""

    name = "wire"
    elsewhere = None
    """Nobody trades on this account but the engine (and the drill for it is off)."""

    def __init__(
        self,
        books: Books,
        rng: random.Random,
        mood: Mood,
        sent: Callable[[Order], None] = lambda _order: None,
    ) -> None:
        """`sent` is told of every order that leaves the process, before it does."""
        self.report: Callable[[VenueReport], None] = lambda _report: None
        self.books, self.mood = books, mood
        self.is_dead = False
        self.faults: Counter[str] = Counter()
        self._rng = rng
        self._sent = sent
        books.report = self._answer

    async def submit(self, order: Order, instrument: Instrument) -> None:
        self._require_alive()
        self._sent(order)
        fault = self._fault("send", self.mood.sends, SENDS)
        await self._carry(lambda: self.books.place(order, instrument), fault)

    async def cancel(self, order: OrderId) -> None:
        self._require_alive()
        fault = self._fault("cancel", self.mood.sends, SENDS)
        await self._carry(lambda: self.books.withdraw(order), fault)

    async def look_up(self, order: OrderId) -> tuple[VenueReport, ...] | None:
        self._require_alive()
        fault = self._fault("look up", self.mood.asks, ASKS)
        await asyncio.sleep(self._latency())
        if fault == "fails":
            raise ConnectionError("502 Bad Gateway")
        if fault == "silent":
            await asyncio.Event().wait()
        if fault == "says nothing":
            return ()
        answer = await self.books.look_up(order)
        if fault == "late answer":
            await asyncio.sleep(self._rng.uniform(0.5, 9.0))
        return answer

    async def account_truth(self, since: Nanos) -> VenueTruth:
        self._require_alive()
        fault = self._fault("account", self.mood.truths, TRUTHS)
        await asyncio.sleep(self._latency())
        if fault == "fails":
            raise ConnectionError("503 maintenance")
        if fault == "silent":
            await asyncio.Event().wait()
        truth = await self.books.account_truth(since)
        if fault == "empty page":
            return VenueTruth(truth.at)
        return replace(truth, positions={}) if fault == "flat" else truth

    def on_tick(self, tick: Tick) -> None:
        self.books.on_tick(tick)

    async def _carry(self, act: Callable[[], None], fault: str) -> None:
        loop, rng = asyncio.get_running_loop(), self._rng
        await asyncio.sleep(self._latency())
        if fault == "never sent":
            raise ConnectionError("connection refused")
        if fault == "held":  # on its way still when the caller has stopped waiting, or nearly so
            loop.call_later(rng.uniform(0.5, HELD_MAX_S), act)
            await asyncio.Event().wait()
        act()
        if fault == "twice":
            act()
        if fault == "lost answer":
            await asyncio.Event().wait()
        if fault == "broken after":
            raise ConnectionError("connection reset by peer")
        await asyncio.sleep(rng.uniform(1.0, 9.5) if fault == "late answer" else self._latency())

    def _answer(self, report: VenueReport) -> None:
        """Carry an answer that the venue gives by itself, well or badly."""
        if self.is_dead:
            return
        mood, rng = self.mood, self._rng
        if mood.is_away or rng.random() < mood.lost:
            self._count("answer lost")
            return
        copies = 1
        if rng.random() < mood.doubled:
            self._count("answer doubled")
            copies = 2
        for _ in range(copies):
            delay = self._latency()
            if rng.random() < mood.late:
                self._count("answer late")  # others overtake it
                delay = rng.uniform(0.1, 12.0)
            asyncio.get_running_loop().call_later(delay, self._deliver, report)

    def _deliver(self, report: VenueReport) -> None:
        if not self.is_dead:
            self.report(report)

    def _fault(self, call: str, share: float, kinds: tuple[str, ...]) -> str:
        if self.mood.is_away:
            self._count(f"{call}: away")
            raise ConnectionError("maintenance")
        if self._rng.random() >= share:
            return ""
        kind = self._rng.choice(kinds)
        self._count(f"{call}: {kind}")
        return kind

    def _count(self, what: str) -> None:
        self.faults[what] += 1

    def _latency(self) -> float:
        return self._rng.uniform(0.001, 0.05)

    def _require_alive(self) -> None:
        if self.is_dead:
            raise ConnectionError("the process is dead")

    # What a paper venue is taught of its own past: this one lives on and knows.

    def hold(self, position: object) -> None:
        """Nothing: a real venue knows what it holds."""

    def learn(self, order: object, fill: object, instrument: object) -> None:
        """Nothing: a real venue knows what it filled."""

    def stand(self, order: object, instrument: object) -> None:
        """Nothing: a real venue knows what works there."""
