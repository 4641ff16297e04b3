"""What was decided before a standstill is sent only if it is still wanted after it."""

from __future__ import annotations

import asyncio

import pytest

from engine.domain.command import CancelOrder, ClosePosition, PauseEntries, SubmitSignal
from engine.domain.event import EntriesAllowed, EntriesBlocked, Entry
from engine.domain.ids import SECOND, CommandId, Nanos
from engine.domain.order import Order
from engine.runtime.clock import ManualClock
from engine.runtime.holdback import HOLD_SECONDS, Holdback
from engine.runtime.standstill import GAP_S, SOURCE
from tests.builders import Desk, session, signal, tick

BEGIN = Nanos(1_000 * SECOND)


class Sleeper:
    """A desk whose orders wait, a clock of its own, and what holds them back."""

    def __init__(self, *, with_exit: bool = False) -> None:
        self.clock = ManualClock(BEGIN)
        self.holdback = Holdback(self.clock)
        self.decided = self.clock.monotonic()
        self.holdback.decided_at = lambda: self.decided
        self.desk = Desk()
        self.desk.now = BEGIN
        self.desk.start(session())
        self.desk.tick(tick("30", BEGIN))
        if with_exit:
            self.desk.open("a")
        self.desk.holds = True
        if with_exit:
            (position,) = self.desk.state.positions
            self.desk.give(ClosePosition(CommandId("x"), position, "test"))
        else:
            self.desk.give(SubmitSignal(CommandId("c"), signal("a", at=BEGIN)))
        self.told = 0
        self.tell()

    @property
    def order(self) -> Order:
        return self.desk.waiting[0]

    def tell(self) -> None:
        """Publish what the desk has journaled since."""
        for entry in self.desk.entries[self.told :]:
            self.holdback.on_entry(entry, self.desk.state)
        self.told = len(self.desk.entries)

    def stand_still(self, seconds: float) -> None:
        self.clock.set(Nanos(self.clock.now() + int(seconds * SECOND)))
        self.desk.now = self.clock.now()

    def wake(self) -> None:
        """Let the venue be asked, and what it says be booked."""
        self.decided = self.clock.monotonic()
        self.desk.give(EntriesBlocked(SOURCE, "stood still"))
        self.desk.give(EntriesAllowed(SOURCE))
        self.tell()

    async def asked(self) -> str:
        """Return why the order is not sent, after the venue was asked."""
        task = asyncio.ensure_future(self.holdback.why_not(self.order, Nanos(BEGIN)))
        await asyncio.sleep(0)
        assert not task.done(), "it went out before the venue was asked"
        self.wake()
        return await task


async def test_without_a_standstill_nothing_waits() -> None:
    made = Sleeper()
    made.stand_still(GAP_S - 0.1)
    assert await made.holdback.why_not(made.order, Nanos(BEGIN)) == ""


async def test_where_nobody_asks_after_a_standstill_nothing_waits() -> None:
    made = Sleeper()
    made.holdback.decided_at = None
    made.stand_still(3600)
    assert await made.holdback.why_not(made.order, Nanos(BEGIN)) == ""


@pytest.mark.parametrize("seconds", [GAP_S, 8 * 3600])
async def test_an_exit_goes_out_once_the_venue_was_asked(seconds: float) -> None:
    made = Sleeper(with_exit=True)
    made.stand_still(seconds)
    assert await made.asked() == ""


async def test_an_exit_goes_out_in_the_end_where_the_venue_says_nothing() -> None:
    made = Sleeper(with_exit=True)
    made.stand_still(60)
    woke = made.clock.now()
    assert await made.holdback.why_not(made.order, Nanos(BEGIN)) == ""
    assert HOLD_SECONDS <= (made.clock.now() - woke) / SECOND < HOLD_SECONDS + 1


async def test_an_exit_that_was_withdrawn_meanwhile_is_not_sent() -> None:
    made = Sleeper(with_exit=True)
    made.stand_still(60)
    made.desk.give(CancelOrder(CommandId("w"), made.order.id, "test"))
    assert await made.asked() == "withdrawn before it was sent"


async def test_an_exit_of_what_was_closed_meanwhile_is_not_sent() -> None:
    made = Sleeper(with_exit=True)
    order = made.order
    made.stand_still(60)
    made.desk.answer(made.desk.fill)
    made.tell()
    assert await made.holdback.why_not(order, Nanos(BEGIN)) == "it is over"


async def test_an_entry_on_a_price_that_still_counts_is_sent() -> None:
    made = Sleeper()
    made.stand_still(made.desk.state.limits.price_age_max_s)
    assert await made.asked() == ""


async def test_an_entry_on_an_older_price_is_dropped_and_says_how_old() -> None:
    made = Sleeper()
    made.stand_still(made.desk.state.limits.price_age_max_s + 1)
    assert "the price it was decided on is 61 s old" in await made.asked()


async def test_an_entry_is_dropped_where_entries_are_blocked_meanwhile() -> None:
    made = Sleeper()
    made.stand_still(GAP_S)
    made.desk.give(PauseEntries(CommandId("p"), "test", "operator", "lunch"))
    assert await made.asked() == "entries blocked by operator: lunch"


async def test_the_end_of_an_earlier_standstill_lets_nothing_go() -> None:
    made = Sleeper(with_exit=True)
    made.stand_still(60)
    task = asyncio.ensure_future(made.holdback.why_not(made.order, Nanos(BEGIN)))
    await asyncio.sleep(0)
    entry: Entry = made.desk.entries[-1]
    made.holdback.on_entry(Entry(entry.seq, entry.at, EntriesAllowed(SOURCE)), made.desk.state)
    await asyncio.sleep(0)
    assert not task.done()
    made.wake()
    assert await task == ""
