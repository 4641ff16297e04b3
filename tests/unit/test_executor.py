"""Orders go out once, over any restart; a cancel never overtakes its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

from engine.bootstrap.opening import past_of, stand
from engine.domain.command import CancelOrder, ClosePosition, SubmitSignal
from engine.domain.event import (
    EntriesBlocked,
    Entry,
    Event,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderTimedOut,
)
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.order import Order, OrderStatus
from engine.domain.state import State
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core, Elapsed
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import CATALOG, INR, SECOND, session, signal, tick

CASH = {INR: Decimal(100_000)}
START = 10_000 * SECOND


class Life:
    """One life of an engine with its paper venue; the journal outlives it."""

    def __init__(self, journal: MemoryJournal, venue: type[PaperVenue] = PaperVenue) -> None:
        self.journal = journal
        self.clock = ManualClock(Nanos(START))
        self.core = Core(CATALOG, State())
        self.venue = venue(self.clock, PaperSettings(cash=CASH))
        self.events: list[Event] = []

    @property
    def state(self) -> State:
        return self.core.state

    async def begin(self) -> None:
        stored = await self.journal.read()
        self.core = Core(CATALOG, fold(stored))
        self.engine = Engine(self.core, self.journal, self.clock)
        self.executor = Executor(self.venue, self.engine.submit, self.clock)
        if stored:
            (await past_of(self.journal)).teach(self.venue)
            stand(self.venue, self.state)
            self.executor.resume(self.state)
        else:
            await self.engine.settle(session())
        self.engine.subscribe(self.executor.on_entry, lambda t, _q: self.venue.on_tick(t))
        self.engine.subscribe(self._hear)

    def _hear(self, entry: Entry, _state: State) -> None:
        self.events.append(entry.event)

    def price(self, last: str) -> None:
        self.engine.submit(tick(last, self.clock.now()))

    def buy(self, id_: str) -> None:
        wish = signal(id_, at=self.clock.now())
        self.engine.submit(SubmitSignal(CommandId(f"c-{id_}"), wish))

    def fills(self) -> int:
        return sum(isinstance(event, OrderFilled) for event in self.events)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_so():
                await asyncio.sleep(0)

    async def quiet(self) -> None:
        """Return when nothing is under way."""
        engine, executor = self.engine, self.executor
        await self.until(lambda: not engine.waiting and not engine.is_busy and executor.is_idle)


@asynccontextmanager
async def living(
    journal: MemoryJournal, venue: type[PaperVenue] = PaperVenue
) -> AsyncIterator[Life]:
    life = Life(journal, venue)
    await life.begin()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(life.engine.run()), tasks.create_task(life.executor.run())]
        yield life
        for task in running:
            task.cancel()


async def holding_with_a_waiting_exit(journal: MemoryJournal) -> None:
    async with living(journal) as life:
        life.price("30.00")
        life.buy("a")
        await life.until(lambda: life.fills() == 1)
        life.clock.set(Nanos(life.clock.now() + 120 * SECOND))  # nothing ticks any more
        (position,) = life.state.positions
        life.engine.submit(ClosePosition(CommandId("close"), position, "t"))
        await life.until(
            lambda: any(w.status is OrderStatus.ACCEPTED for w in life.state.orders.values())
        )


async def test_an_exit_that_waits_at_the_paper_venue_survives_a_restart_and_fills_once() -> None:
    journal = MemoryJournal()
    await holding_with_a_waiting_exit(journal)
    async with living(journal) as life:
        await life.quiet()
        assert not any(isinstance(event, OrderRejected) for event in life.events)
        life.price("29.00")
        await life.until(lambda: not life.state.positions)
        life.price("29.05")
        await life.quiet()
        assert life.fills() == 1
        assert life.state.closed[-1].reason.code == "manual"


async def test_a_cancel_that_was_decided_before_a_restart_is_sent_after_it() -> None:
    journal = MemoryJournal()
    async with living(journal) as life:
        life.price("30.00")
        life.buy("a")
        await life.until(lambda: life.fills() == 1)
    async with living(journal) as life:
        await life.quiet()
        life.price("30.00")
        await life.quiet()
        life.engine.unsubscribe(life.executor.on_entry)  # and then the process was killed
        life.buy("b")
        await life.until(lambda: bool(life.state.orders))
        (order,) = life.state.orders
        life.engine.submit(CancelOrder(CommandId("x"), order, "t"))
        await life.until(lambda: life.state.orders[order].cancel_requested)
    async with living(journal) as life:
        await life.until(lambda: not life.state.orders)
        life.price("30.00")
        await life.quiet()
        assert life.fills() == 0


class SlowVenue(PaperVenue):
    """A venue to which an order takes its time."""

    arrived = asyncio.Event()

    async def submit(self, order: Order, instrument: Instrument) -> None:
        await SlowVenue.arrived.wait()
        await super().submit(order, instrument)


async def test_a_cancel_never_overtakes_its_order() -> None:
    SlowVenue.arrived = asyncio.Event()
    async with living(MemoryJournal(), SlowVenue) as life:
        life.price("30.00")
        life.buy("a")
        await life.until(lambda: bool(life.state.orders))
        (order,) = life.state.orders
        life.engine.submit(CancelOrder(CommandId("x"), order, "t"))
        await life.until(lambda: life.state.orders[order].cancel_requested)
        for _ in range(50):
            await asyncio.sleep(0)
        assert not any(isinstance(event, OrderCancelled) for event in life.events)
        SlowVenue.arrived.set()
        await life.quiet()
        assert sum(life.venue.positions().values()) == sum(
            p.qty for p in life.state.positions.values()
        )


class LossyVenue(PaperVenue):
    """A venue whose word of the second order is lost on the way."""

    async def submit(self, order: Order, instrument: Instrument) -> None:
        heard, self.report = self.report, (lambda _: None) if order.exit else self.report
        await super().submit(order, instrument)
        self.report = heard


async def test_an_exit_whose_report_was_lost_is_looked_for() -> None:
    async with living(MemoryJournal(), LossyVenue) as life:
        life.price("30.00")
        life.buy("a")
        await life.until(lambda: life.fills() == 1)
        (position,) = life.state.positions
        life.engine.submit(ClosePosition(CommandId("close"), position, "t"))
        await life.until(lambda: bool(life.state.orders))
        await life.quiet()
        life.clock.set(Nanos(life.clock.now() + 60 * SECOND))
        life.engine.submit(Elapsed())
        await life.until(lambda: not life.state.positions)
        assert any(isinstance(event, OrderTimedOut) for event in life.events)


async def test_a_store_that_is_well_again_after_a_restart_blocks_nothing() -> None:
    journal = MemoryJournal()
    async with living(journal) as life:
        life.engine.submit(EntriesBlocked("store", "NOT PERSISTED: no room"))
        await life.until(lambda: "store" in life.state.blocks)
    async with living(journal) as life:
        life.price("30.00")
        life.buy("a")
        await life.until(lambda: "store" not in life.state.blocks)
