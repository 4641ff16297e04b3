"""A client that does not read costs bounded memory, nobody else anything, and is whole again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.domain.command import PauseEntries, ResumeEntries
from engine.domain.event import Entry, FlatVerified
from engine.domain.evolve import evolve
from engine.domain.ids import CommandId, Seq
from engine.domain.log import LogRecord
from engine.domain.state import State
from engine.link.backlog import BYTES_MAX, ENTRIES_MAX, LOGS_MAX, Backlog
from engine.link.batch import Batch
from engine.link.frames import COMMAND_MAX, Kind, frame
from engine.link.protocol import Quotes, Update, Welcome
from engine.link.server import BUFFER_MAX, Connection
from engine.link.wire import encode_command
from tests.builders import NIFTY, quote
from tests.faults.raw_client import RawClient
from tests.linked import Ear, Room, pulse, room

LONG = "x" * 2_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made


def pause(number: int) -> PauseEntries:
    return PauseEntries(CommandId(f"p{number}"), "cli", "one", LONG)


def resume(number: int) -> ResumeEntries:
    return ResumeEntries(CommandId(f"r{number}"), "cli", "one")


async def joined(here: Room, who: str) -> tuple[RawClient, Connection]:
    """Return a client that read its first Welcome, and the engine's end of it."""
    before = set(here.server.connections)
    client = RawClient(here.path)
    await client.hello(who, is_console=False)
    while not client.updates:
        await client.read()
    (connection,) = here.server.connections - before
    return client, connection


def held_bytes(connection: Connection) -> int:
    transport = connection._transport
    assert transport is not None
    return transport.get_write_buffer_size() + connection.backlog.size


def fold(updates: list[Update]) -> State:
    """Return the state that a console would hold, having missed nothing."""
    state = State()
    for update in updates:
        match update:
            case Welcome():
                state = update.state
            case Entry():
                assert update.seq == state.seq + 1, "a gap, or told twice"
                state = evolve(state, update)
            case _:
                pass
    return state


async def push(here: Room, ear: Ear, count: int, start: int = 0) -> None:
    """Let the engine journal `count` pauses and their end; return once `ear` has heard them."""
    for number in range(start, start + count):
        here.source.submit(pause(number))
        here.source.submit(resume(number))
    goal = CommandId(f"r{start + count - 1}")
    await ear.until(lambda: goal_in(ear, goal))


def goal_in(ear: Ear, goal: CommandId) -> bool:
    newest = [u for u in ear.heard[-8:] if isinstance(u, Entry)]
    return any(getattr(entry.event, "command", None) == goal for entry in newest)


async def test_a_stuck_client_is_held_within_bounds_and_the_other_hears_every_entry(
    here: Room,
) -> None:
    ear = Ear()
    here.link("socket", "healthy").attach(ear)
    await ear.hears(Welcome)
    stuck, connection = await joined(here, "stuck")
    most = 0
    for round_ in range(10):
        await push(here, ear, 400, start=400 * round_)
        most = max(most, held_bytes(connection))
    told = sum(len(repr(entry)) for entry in ear.all_of(Entry))
    assert told > 3 * (BUFFER_MAX + BYTES_MAX), "too little was said to fill any bound"
    assert most <= 2 * BUFFER_MAX + BYTES_MAX + 2 * 400 * len(LONG)
    assert connection.backlog.is_overfull
    assert connection.backlog.size == 0
    assert fold(ear.heard) == here.source.engine.state
    stuck.vanish()


async def test_a_client_that_reads_again_is_given_a_snapshot_and_what_follows_it(
    here: Room,
) -> None:
    ear = Ear()
    here.link("socket", "healthy").attach(ear)
    await ear.hears(Welcome)
    stuck, connection = await joined(here, "stuck")
    round_ = 0
    while not connection.backlog.is_overfull:
        await push(here, ear, 400, start=400 * round_)
        round_ += 1
    while len([u for u in stuck.updates if isinstance(u, Welcome)]) < 2:
        await stuck.read()
    await push(here, ear, 5, start=2 * 10**6)
    goal = here.source.engine.state.seq
    while last_seq(stuck) < goal:
        await stuck.read()
    assert fold(stuck.updates) == here.source.engine.state == fold(ear.heard)
    stuck.vanish()


async def test_what_is_published_and_not_told_when_a_snapshot_is_due_is_in_it_and_not_told_twice(
    here: Room,
) -> None:
    ear = Ear()
    here.link("socket", "healthy").attach(ear)
    await ear.hears(Welcome)
    stuck, connection = await joined(here, "stuck")
    round_ = 0
    while not connection.backlog.is_overfull:
        await push(here, ear, 400, start=400 * round_)
        round_ += 1
    await here.source.engine.settle(pause(10**6))
    connection.resume_writing()
    await push(here, ear, 5, start=2 * 10**6)
    while last_seq(stuck) < here.source.engine.state.seq:
        await stuck.read()
    assert fold(stuck.updates) == here.source.engine.state == fold(ear.heard)
    stuck.vanish()


def last_seq(client: RawClient) -> Seq:
    newest = client.updates[-1]
    match newest:
        case Entry():
            return newest.seq
        case Welcome():
            return newest.state.seq
        case _:
            return Seq(0)


async def test_a_slow_client_that_missed_little_gets_the_entries_and_the_newest_quote(
    here: Room,
) -> None:
    ear = Ear()
    here.link("socket", "healthy").attach(ear)
    await ear.hears(Welcome)
    slow, connection = await joined(here, "slow")
    round_ = 0
    while not connection.backlog.size:
        await push(here, ear, 20, start=20 * round_)
        round_ += 1
    for last in ("100", "101", "102"):
        here.tick(last)
        while not here.source.quotes or str(here.source.quotes[NIFTY].last) != last:
            await ear_turn(here, ear)
        here.hub.tell_quotes()
    assert not connection.backlog.is_overfull
    while not any(isinstance(u, Quotes) for u in slow.updates):
        await slow.read()
    assert len([u for u in slow.updates if isinstance(u, Welcome)]) == 1
    (quotes,) = [u for u in slow.updates if isinstance(u, Quotes)]
    assert [str(q.last) for q in quotes.quotes] == ["102"]
    assert fold(slow.updates) == here.source.engine.state
    slow.vanish()


async def ear_turn(here: Room, ear: Ear) -> None:
    """Let the loop turn until a log line has come all the way round."""
    before = len(ear.all_of(LogRecord))
    here.source.log("a turn")
    await ear.hears(LogRecord, before + 1)


async def test_a_client_that_asks_and_never_reads_the_answers_is_not_read_any_more(
    here: Room,
) -> None:
    client, connection = await joined(here, "asker")
    question = frame(Kind.COMMAND, encode_command(resume(1)))
    transport = connection._transport
    assert transport is not None
    sent = 0
    while transport.is_reading():
        assert transport.get_write_buffer_size() < 4 * BUFFER_MAX
        try:
            sent += client._socket.send(question * 200)
        except BlockingIOError:
            await ear_free_turn(here)
    await ear_free_turn(here)
    assert sent > COMMAND_MAX
    client.vanish()


async def ear_free_turn(here: Room) -> None:
    """Let the loop turn once for input and output."""
    other = RawClient(here.path)
    await other.hello("turn", is_console=False)
    await other.read()
    other.vanish()


def test_a_backlog_keeps_the_newest_of_everything_but_entries_within_bounds() -> None:
    backlog = Backlog()
    entry = Entry(Seq(1), pulse().now, FlatVerified())
    for number in range(5 * LOGS_MAX):
        lines = Batch((LogRecord(pulse().now, "info", "test", f"line {number}"),))
        backlog.add(lines)
        backlog.add(Batch((pulse(number), Quotes((quote("100"),)))))
    assert backlog.moved == {NIFTY}
    kept = backlog.take()
    assert kept.count(b"line ") == LOGS_MAX
    assert kept.count(b'"Pulse"') == 1
    for number in range(ENTRIES_MAX):
        backlog.add(Batch((replace(entry, seq=Seq(number)),)))
    assert not backlog.is_overfull
    backlog.add(Batch((entry,)))
    assert backlog.is_overfull
    assert backlog.take() == b""
    assert not backlog.is_overfull
