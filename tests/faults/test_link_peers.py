"""Consoles and engines that come, go, die and return: control, snapshots and answers after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.domain.command import PauseEntries
from engine.domain.event import CommandAccepted, Entry
from engine.domain.ids import CommandId, Nanos
from engine.link.address import connected, listening, socket_path
from engine.link.client import SocketLink
from engine.link.frames import Hello
from engine.link.lease import GRACE, LeaseDesk, Owner
from engine.link.protocol import Disconnected, Lease, NotTaken, Welcome
from tests.faults.raw_client import RawClient
from tests.linked import PATIENCE, Ear, Room, room


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made


def pause(number: int) -> PauseEntries:
    return PauseEntries(CommandId(f"p{number}"), "console", f"source-{number}", "a test")


async def in_control(here: Room, who: str) -> RawClient:
    client = RawClient(here.path)
    await client.hello(who)
    while not client.updates:
        await client.read()
    (welcome,) = client.updates
    assert isinstance(welcome, Welcome)
    assert welcome.lease == Lease(who, is_mine=True)
    return client


async def test_control_of_a_vanished_console_waits_ten_seconds_and_goes_to_the_next(
    here: Room,
) -> None:
    owner = await in_control(here, "one")
    ear = Ear()
    link = here.link("socket", "two")
    link.attach(ear)
    await ear.hears(Welcome)
    owner.vanish()
    (gone,) = await ear.hears(Lease)
    assert gone == Lease("one (gone)", is_mine=False)
    lost_at = here.clock.monotonic()
    with pytest.raises(NotTaken, match="one \\(gone\\) is in control"):
        await link.send(pause(1))
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(here.hub.run())  # the clock of this room runs as it is asked
        leases = await ear.hears(Lease, 2)
        telling.cancel()
    assert leases[-1] == Lease("two", is_mine=True)
    assert here.clock.monotonic() - lost_at >= GRACE
    await link.send(pause(1))


async def test_a_vanished_console_that_returns_in_time_is_still_in_control(here: Room) -> None:
    owner = await in_control(here, "one")
    ear = Ear()
    here.link("socket", "two").attach(ear)
    await ear.hears(Welcome)
    owner.vanish()
    await ear.hears(Lease)
    here.clock.set(Nanos(GRACE - 1))
    back = await in_control(here, "one")
    leases = await ear.hears(Lease, 2)
    assert leases[-1] == Lease("one", is_mine=False)
    back.vanish()


async def test_control_can_be_taken_from_a_vanished_console_without_waiting(here: Room) -> None:
    owner = await in_control(here, "one")
    ear = Ear()
    link = here.link("socket", "two")
    link.attach(ear)
    await ear.hears(Welcome)
    owner.vanish()
    await ear.hears(Lease)
    await link.take_lease()
    leases = await ear.hears(Lease, 2)
    assert leases[-1] == Lease("two", is_mine=True)


def test_a_lease_is_freed_after_its_grace_and_not_before() -> None:
    desk = LeaseDesk()
    desk.join(Owner("a", "first"))
    desk.lose("a", Nanos(5))
    assert not desk.expire(Nanos(5 + GRACE - 1))
    assert desk.shown == "first (gone)"
    assert desk.expire(Nanos(5 + GRACE))
    assert desk.shown == ""
    desk.join(Owner("b", "second"))
    assert desk.is_held_by("b")
    assert not desk.expire(Nanos(100 * GRACE))


def test_a_free_lease_goes_to_whoever_was_there_longest() -> None:
    desk = LeaseDesk()
    for client in "abc":
        desk.join(Owner(client, client))
    desk.take(Owner("c", "c"))
    desk.leave("c")
    assert desk.is_held_by("a")
    desk.lose("b", Nanos(0))
    desk.leave("a")
    assert desk.owner is None


async def test_a_dead_engine_is_told_once_and_the_next_one_welcomes_by_itself(
    tmp_path: Path,
) -> None:
    ear = Ear()
    async with room(tmp_path) as first:
        link = first.link("socket", "one")
        link.attach(ear)
        await ear.hears(Welcome)
    (lost,) = await ear.hears(Disconnected)
    assert lost.why == "the engine ended"
    with pytest.raises(ConnectionError):
        await link.send(pause(1))
    async with room(tmp_path):
        welcomes = await ear.hears(Welcome, 2)
        assert welcomes[-1].lease == Lease("one", is_mine=True)
        await link.send(pause(1))
        await ear.until(lambda: any(_accepts(entry) for entry in ear.all_of(Entry)))
        assert len(ear.all_of(Disconnected)) == 1
        await link.close()


def _accepts(entry: Entry) -> bool:
    return isinstance(entry.event, CommandAccepted)


async def test_an_engine_that_failed_says_so_and_not_that_it_ended(tmp_path: Path) -> None:
    ear = Ear()
    with pytest.raises(ExceptionGroup):
        await failing(tmp_path, ear)
    (lost,) = await ear.hears(Disconnected)
    assert lost.why == "the engine failed: ZeroDivisionError"


async def failing(tmp_path: Path, ear: Ear) -> None:
    async with room(tmp_path) as made:
        made.link("socket", "one").attach(ear)
        await ear.hears(Welcome)
        raise ZeroDivisionError


async def test_a_console_may_be_there_before_its_engine(tmp_path: Path) -> None:
    ear = Ear()
    link = SocketLink(socket_path(tmp_path), Hello("early", "early"))
    link.attach(ear)
    async with room(tmp_path):
        await ear.hears(Welcome)
        assert not ear.all_of(Disconnected)
        await link.close()


async def test_a_broken_connection_is_told_and_mended_with_a_fresh_snapshot(here: Room) -> None:
    ear = Ear()
    link = here.link("socket", "one")
    link.attach(ear)
    await ear.hears(Welcome)
    (connection,) = here.server.connections
    connection.abort()
    await ear.hears(Disconnected)
    here.source.submit(pause(7))
    welcomes = await ear.hears(Welcome, 2)
    assert welcomes[-1].lease == Lease("one", is_mine=True)
    await link.send(pause(8))
    await link.close()


async def test_a_command_under_way_when_the_engine_dies_fails_and_does_not_wait(
    tmp_path: Path,
) -> None:
    path = socket_path(tmp_path)
    bound = listening(path)
    link = SocketLink(path, Hello("one", "one"))
    link.attach(lambda _update: None)
    loop = asyncio.get_running_loop()
    end, _ = await loop.sock_accept(bound)
    link._is_welcome = True  # this engine dies before it says more than that
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(_failure(link))
        async with asyncio.timeout(PATIENCE):
            while b"PauseEntries" not in await loop.sock_recv(end, 4096):
                pass
        end.close()
        bound.close()
    assert "before it answered" in sending.result()
    await link.close()


async def _failure(link: SocketLink) -> str:
    try:
        await link.send(pause(1))
    except ConnectionError as error:
        return str(error)
    return "it was sent"


async def test_nothing_is_left_of_clients_that_are_gone(here: Room) -> None:
    for number in range(40):
        client = RawClient(here.path)
        await client.hello(f"c{number}", is_console=False)
        if number % 2:
            await client.read()
        client.vanish()
    async with asyncio.timeout(PATIENCE):
        while here.server.connections:
            here.source.log("a line")
            await asyncio.sleep(0)
    assert here.hub.listeners == 0


def test_connecting_to_a_frozen_engine_with_a_full_queue_fails_and_never_waits(
    tmp_path: Path,
) -> None:
    path = socket_path(tmp_path)
    with ExitStack() as waiting:
        waiting.enter_context(listening(path))
        with pytest.raises(BlockingIOError):
            connect_for_ever(path, waiting)


def connect_for_ever(path: Path, waiting: ExitStack) -> None:
    for _ in range(1000):
        waiting.enter_context(connected(path))
