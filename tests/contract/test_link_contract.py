"""What every link to an engine keeps, in the same loop and over the socket alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.domain.command import ClosePosition, PauseEntries, ResumeEntries, SubmitSignal
from engine.domain.event import (
    CommandAccepted,
    CommandRefused,
    EntriesBlocked,
    Entry,
    SignalAccepted,
)
from engine.domain.evolve import evolve
from engine.domain.ids import CommandId, Nanos, PositionId
from engine.domain.log import LogRecord
from engine.link.lease import GRACE
from engine.link.protocol import Lease, NotTaken, Pulse, Quotes, Update, Welcome
from tests.builders import NIFTY, signal
from tests.linked import Ear, Room, pulse, room

pytestmark = pytest.mark.parametrize("how", ["local", "socket"])


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made


def pause(number: int) -> PauseEntries:
    return PauseEntries(CommandId(f"p{number}"), "console", f"source-{number}", "a test")


async def test_a_welcome_comes_first_and_holds_the_whole_state(here: Room, how: str) -> None:
    here.tick("100")
    await asyncio.sleep(0)
    ear = Ear()
    here.link(how).attach(ear)
    (welcome,) = await ear.hears(Welcome)
    assert ear.heard[0] is welcome
    assert welcome.state == here.source.engine.state
    assert [q.instrument for q in welcome.quotes] == [NIFTY]
    assert welcome.lease == Lease("one", is_mine=True)


async def test_entries_follow_in_order_without_a_gap_and_lead_to_the_engines_state(
    here: Room, how: str
) -> None:
    ear = Ear()
    link = here.link(how)
    link.attach(ear)
    (welcome,) = await ear.hears(Welcome)
    for number in range(50):
        await link.send(pause(number))
    await ear.until(lambda: len([e for e in ear.all_of(Entry) if _blocks(e)]) == 50)
    state = welcome.state
    for entry in ear.all_of(Entry):
        assert entry.seq == state.seq + 1
        state = evolve(state, entry)
    assert state == here.source.engine.state


def _blocks(entry: Entry) -> bool:
    return isinstance(entry.event, EntriesBlocked)


async def test_what_became_of_a_command_arrives_as_an_entry_with_its_id(
    here: Room, how: str
) -> None:
    ear = Ear()
    link = here.link(how)
    link.attach(ear)
    await ear.hears(Welcome)
    here.tick("100")
    await link.send(SubmitSignal(CommandId("s1"), signal("a", at=0)))
    await link.send(ClosePosition(CommandId("c1"), PositionId("none"), "console"))
    entries = await ear.hears(Entry, 3)
    accepted = [e.event for e in entries if isinstance(e.event, SignalAccepted)]
    assert [event.signal.id for event in accepted] == ["a"]
    await ear.until(lambda: any(isinstance(e.event, CommandRefused) for e in ear.all_of(Entry)))


async def test_quotes_are_told_once_with_the_newest_value_and_only_those_that_moved(
    here: Room, how: str
) -> None:
    ear = Ear()
    here.link(how).attach(ear)
    await ear.hears(Welcome)
    for last in ("100", "101", "102"):
        here.tick(last)
    while not here.source.quotes or str(here.source.quotes[NIFTY].last) != "102":
        await asyncio.sleep(0)
    here.hub.tell_quotes()
    here.hub.tell_quotes()
    here.tick("103")
    here.source.report(pulse())
    (told, *more) = await ear.hears(Quotes)
    await ear.hears(Pulse)
    assert not more
    assert [(q.instrument, str(q.last)) for q in told.quotes] == [(NIFTY, "102")]


async def test_pulse_and_log_arrive(here: Room, how: str) -> None:
    ear = Ear()
    here.link(how).attach(ear)
    await ear.hears(Welcome)
    here.source.report(pulse(7))
    here.source.log("a line")
    (beat,) = await ear.hears(Pulse)
    (line,) = await ear.hears(LogRecord)
    assert beat == pulse(7)
    assert line.text == "a line"


async def test_the_first_console_is_in_control_and_the_second_only_watches(
    here: Room, how: str
) -> None:
    first, second = Ear(), Ear()
    here.link(how, "one").attach(first)
    await first.hears(Welcome)
    other = here.link(how, "two")
    other.attach(second)
    (welcome,) = await second.hears(Welcome)
    assert welcome.lease == Lease("one", is_mine=False)
    with pytest.raises(NotTaken, match="one is in control"):
        await other.send(pause(1))
    assert not here.source.engine.state.blocks


async def test_taking_control_tells_both_consoles(here: Room, how: str) -> None:
    first, second = Ear(), Ear()
    one, two = here.link(how, "one"), here.link(how, "two")
    one.attach(first)
    await first.hears(Welcome)
    two.attach(second)
    await second.hears(Welcome)
    await two.take_lease()
    assert (await second.hears(Lease))[-1] == Lease("two", is_mine=True)
    assert (await first.hears(Lease))[-1] == Lease("two", is_mine=False)
    await two.send(pause(1))
    with pytest.raises(NotTaken, match="two is in control"):
        await one.send(pause(2))


async def test_a_reader_sends_nothing_and_cannot_take_control(here: Room, how: str) -> None:
    ear = Ear()
    link = here.link(how, is_read_only=True)
    link.attach(ear)
    (welcome,) = await ear.hears(Welcome)
    assert welcome.lease == Lease("", is_mine=False)
    with pytest.raises(NotTaken, match="read-only"):
        await link.send(pause(1))
    await link.take_lease()
    assert (await ear.hears(Lease))[-1] == Lease("", is_mine=False)


async def test_control_goes_to_the_next_console_at_once_when_its_owner_leaves_in_order(
    here: Room, how: str
) -> None:
    first, second = Ear(), Ear()
    one, two = here.link(how, "one"), here.link(how, "two")
    one.attach(first)
    await first.hears(Welcome)
    two.attach(second)
    await second.hears(Welcome)
    await one.close()
    assert (await second.hears(Lease))[-1] == Lease("two", is_mine=True)
    await two.send(pause(1))


async def test_attaching_again_starts_from_a_fresh_welcome_and_keeps_control(
    here: Room, how: str
) -> None:
    ear, again = Ear(), Ear()
    link = here.link(how)
    link.attach(ear)
    await ear.hears(Welcome)
    await link.send(pause(1))
    await ear.until(lambda: any(_blocks(e) for e in ear.all_of(Entry)))
    link.attach(again)
    (welcome,) = await again.hears(Welcome)
    assert welcome.state == here.source.engine.state
    assert welcome.lease.is_mine
    heard = len(ear.heard)
    await link.send(ResumeEntries(CommandId("r1"), "console", "source-1"))
    await again.hears(Entry)
    assert len(ear.heard) == heard
    here.clock.set(Nanos(2 * GRACE))
    assert not await _expired(here)


async def _expired(here: Room) -> bool:
    return here.hub._desk.expire(here.clock.monotonic())


async def test_sending_before_there_is_an_engine_says_that_it_cannot_be_reached(
    here: Room, how: str
) -> None:
    with pytest.raises(ConnectionError):
        await here.link(how).send(pause(1))


async def test_a_command_acts_once_however_often_it_is_sent(here: Room, how: str) -> None:
    ear = Ear()
    link = here.link(how)
    link.attach(ear)
    await ear.hears(Welcome)
    await link.send(pause(1))
    await link.send(pause(1))
    await link.send(replace(pause(2)))
    await ear.until(lambda: len([e for e in ear.all_of(Entry) if _blocks(e)]) == 2)
    accepted = [e.event for e in ear.all_of(Entry) if isinstance(e.event, CommandAccepted)]
    assert len([a for a in accepted if a.command == "p1"]) == 1


async def test_a_console_that_throws_hurts_neither_engine_nor_others(here: Room, how: str) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, what: problems.append(what))
    thrower: list[Update] = []
    ear = Ear()

    def throw(update: Update) -> None:
        thrower.append(update)
        raise ValueError("a console's own fault")

    here.link(how, "one").attach(throw)
    watching = here.link(how, "two")
    watching.attach(ear)
    await ear.hears(Welcome)
    here.source.log("a line")
    await ear.hears(LogRecord)
    here.source.log("another")
    await ear.hears(LogRecord, 2)
    await watching.close()
    assert problems
    assert thrower
