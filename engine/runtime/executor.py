"""Sends requested orders to the venue and brings back its answers. A reader of the journal.

An order whose sending raised or timed out has an unknown outcome: it is looked up, never sent
again, until the venue gives evidence (E-52). Absence is proven by two answers in a row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

from engine.domain.event import (
    CancelRequested,
    Entry,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequested,
    OrderTimedOut,
)
from engine.domain.ids import SECOND, Nanos, OrderId
from engine.domain.inputs import Reported, VenueReport
from engine.domain.instrument import Instrument
from engine.domain.order import Fill, Order, OrderStatus
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.ports.venue import Venue
from engine.runtime.holdback import Holdback

SEND_SECONDS: Final = 10.0
"""An exit has so long in all (E-26)."""
LOOK_UP_SECONDS: Final = 0.4
"""Pause between two looks at an order of unknown outcome: protection is back within a second."""
PROOFS: Final = 2
"""Answers in a row that prove an order never arrived."""
QUIET_SECONDS: Final = 15.0
"""An order that nothing was heard of for so long is asked about: its report may be lost."""
_STEP_SECONDS: Final = 1.0


Todo: TypeAlias = tuple[Order, Instrument, OrderStatus | None, Nanos] | OrderId | OrderCancelled
"""An order to send (with the status an earlier process left it in, and when it was decided), one to
cancel, or word of a cancel that is to be believed once everything executed before it is known."""


class Executor:
    """Orders go out side by side: a slow one delays no other."""

    def __init__(self, venue: Venue, submit: Callable[[Reported], None], clock: Clock) -> None:
        self._venue = venue
        self._submit = submit
        self._clock = clock
        self._todo: asyncio.Queue[Todo] = asyncio.Queue()
        self._in_flight = 0
        self._open: dict[OrderId, asyncio.Event] = {}
        """Orders that are being sent or looked for; set when that is over."""
        self._heard: dict[OrderId, Nanos] = {}
        """When something was last heard, or asked, of each order that is not final."""
        self.holdback = Holdback(clock)
        venue.report = self._report

    def _report(self, report: VenueReport) -> None:
        if isinstance(report, OrderCancelled) and report.order in self._heard:
            self._todo.put_nowait(report)  # it may have overtaken a fill, and then too much is left
        else:
            self._submit(Reported(report))

    def resume(self, state: State) -> None:
        """Take up the orders that were not final when the last process ended: look, then send.

        One whose cancel was decided is never sent, and its cancel is (again).
        """
        for working in state.orders.values():
            terms = state.instruments[working.order.instrument]
            status = OrderStatus.UNKNOWN if working.cancel_requested else working.status
            self._begin(working.order, terms, status)
            if working.cancel_requested:
                self._todo.put_nowait(working.order.id)

    def on_entry(self, entry: Entry, state: State) -> None:
        """Note an order or a cancel that has just become durable, and what became of others."""
        self.holdback.on_entry(entry, state)
        match entry.event:
            case OrderAccepted(order=id_) | OrderFilled(fill=Fill(order=id_)):
                if id_ in state.orders:
                    self._heard[id_] = self._clock.monotonic()
                else:
                    self._heard.pop(id_, None)
            case OrderRejected(order=id_) | OrderCancelled(order=id_):
                self._heard.pop(id_, None)
            case OrderRequested(order=order):
                self._begin(order, state.instruments[order.instrument], None)
            case CancelRequested(order=id_):
                self._todo.put_nowait(id_)
            case OrderTimedOut(order=id_) if id_ not in self._open:
                working = state.orders.get(id_)
                if working is not None:  # nobody looks for it yet: its report was lost
                    terms = state.instruments[working.order.instrument]
                    self._begin(working.order, terms, OrderStatus.UNKNOWN)
            case _:
                return

    def _begin(self, order: Order, terms: Instrument, status: OrderStatus | None) -> None:
        self._open[order.id] = asyncio.Event()
        self._heard[order.id] = self._clock.monotonic()
        self._todo.put_nowait((order, terms, status, self.holdback.stamp()))

    @property
    def waiting(self) -> int:
        """How many are not yet sent; a health figure."""
        return self._todo.qsize()

    @property
    def is_idle(self) -> bool:
        """Return whether everything requested so far was sent and heard of."""
        return self._todo.empty() and not self._in_flight

    async def run(self) -> None:
        """Send for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ask_of_the_quiet())
            while True:
                todo = await self._todo.get()
                self._in_flight += 1
                tasks.create_task(self._carry_out(todo))

    async def _carry_out(self, todo: Todo) -> None:
        try:
            if isinstance(todo, OrderCancelled):
                await self._conclude(todo)
                return
            if not isinstance(todo, tuple):
                await self._cancel(todo)
                return
            order, terms, status, decided = todo
            try:
                if status is None:
                    await self._send_unless_late(order, terms, decided)
                else:
                    await self._take_up(order, terms, status)
            finally:
                self._open.pop(order.id).set()
        finally:
            self._in_flight -= 1

    async def _take_up(self, order: Order, terms: Instrument, status: OrderStatus) -> None:
        """Look before sending: the last process may have sent it without living to say so."""
        known = await self._look_up(order.id)
        if known:
            return
        if known is None or status is not OrderStatus.REQUESTED:
            await self._find_out(order.id)
        else:
            await self._send(order, terms)

    async def _send_unless_late(self, order: Order, terms: Instrument, decided: Nanos) -> None:
        """Send, but after a standstill only what is still wanted once the venue was asked."""
        why = await self.holdback.why_not(order, decided)
        if why:
            self._submit(Reported(OrderCancelled(order.id, f"not sent: {why}")))
        else:
            await self._send(order, terms)

    async def _send(self, order: Order, terms: Instrument) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._venue.submit(order, terms)
        except Exception:  # noqa: BLE001  whatever it was, the outcome is unknown
            self._submit(Reported(OrderTimedOut(order.id)))
            await self._find_out(order.id)

    async def _cancel(self, id_: OrderId) -> None:
        """Cancel, after the order itself: one that overtook it would be told of no such order."""
        if id_ in self._open:
            await self._open[id_].wait()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._venue.cancel(id_)
        except Exception:  # noqa: BLE001
            await self._find_out(id_)

    async def _conclude(self, report: OrderCancelled) -> None:
        """Believe a cancel once the venue has told again all that it executed before."""
        while await self._look_up(report.order) is None:
            await self._clock.sleep(LOOK_UP_SECONDS)
        self._submit(Reported(report))

    async def _ask_of_the_quiet(self) -> None:
        """Ask of orders that should have been heard of: a report that is lost is told again."""
        while True:
            await self._clock.sleep(_STEP_SECONDS)
            now = self._clock.monotonic()
            for id_, heard in tuple(self._heard.items()):
                if now - heard > QUIET_SECONDS * SECOND and id_ not in self._open:
                    self._heard[id_] = now
                    if await self._look_up(id_) is False:
                        self._submit(Reported(OrderTimedOut(id_)))

    async def _find_out(self, id_: OrderId) -> None:
        """Look until the venue knows the order, or has proven twice that it does not."""
        absent = 0
        while absent < PROOFS:
            await self._clock.sleep(LOOK_UP_SECONDS)
            known = await self._look_up(id_)
            if known:
                return
            absent = 0 if known is None else absent + 1
        self._submit(Reported(OrderRejected(id_, "not_found", "the venue never saw it")))

    async def _look_up(self, id_: OrderId) -> bool | None:
        """Return whether the venue knows the order (and report what); None: no answer."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                reports = await self._venue.look_up(id_)
        except Exception:  # noqa: BLE001  a failed query proves nothing
            return None
        for report in reports or ():
            self._submit(Reported(report))
        return None if reports == () else reports is not None  # nothing said: no evidence
