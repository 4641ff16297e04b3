"""What is no client of the engine is cut off; nothing of it reaches the engine or another."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.command import PauseEntries
from engine.domain.event import CommandAccepted, CommandRefused, Entry
from engine.domain.ids import CommandId
from engine.link import server
from engine.link.address import connected, listening, socket_path
from engine.link.client import SocketLink
from engine.link.frames import (
    COMMAND_MAX,
    FrameError,
    FrameReader,
    Hello,
    Kind,
    decode_hello,
    decode_reason,
    encode_hello,
    frame,
)
from engine.link.protocol import PROTOCOL, Disconnected, LogRecord, NotTaken, Welcome
from engine.link.visit import ask, visiting
from engine.link.wire import encode_command
from tests.faults.raw_client import RawClient
from tests.linked import Ear, Room, room

HELLO = frame(Kind.HELLO, encode_hello(Hello("one", "one")))


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Room]:
    async with room(tmp_path) as made:
        yield made


def pause(number: int) -> PauseEntries:
    return PauseEntries(CommandId(f"p{number}"), "cli", f"source-{number}", "a test")


NO_CLIENTS = {
    "noise": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a length of nothing": bytes(4),
    "a length beyond all limits": b"\xff\xff\xff\xff",
    "one byte more than allowed": (COMMAND_MAX + 1).to_bytes(4, "big"),
    "a kind that is none": b"\x00\x00\x00\x01\xee",
    "a command before a hello": frame(Kind.COMMAND, encode_command(pause(1))),
    "a hello that is no JSON": frame(Kind.HELLO, b"\xff\xfe{"),
    "a hello that is a list": frame(Kind.HELLO, b"[1]"),
    "a hello of infinite protocol": frame(Kind.HELLO, b'{"protocol": Infinity}'),
    "a hello nested beyond measure": frame(Kind.HELLO, b"[" * 60_000),
    "a hello twice": HELLO + HELLO,
    "an update": HELLO + frame(Kind.UPDATE, b"{}"),
    "a command that is none": HELLO + frame(Kind.COMMAND, b'{"kind":"Entry","v":1,"body":{}}'),
    "a command with a hole": HELLO + frame(Kind.COMMAND, encode_command(pause(1))[:-9]),
}


@pytest.mark.parametrize("said", NO_CLIENTS.values(), ids=NO_CLIENTS.keys())
async def test_what_is_no_client_is_told_why_and_cut_off_alone(here: Room, said: bytes) -> None:
    ear = Ear()
    here.link("socket", "watcher").attach(ear)
    await ear.hears(Welcome)
    before = here.source.engine.state
    intruder = RawClient(here.path)
    await intruder.send(said)
    kind, why = (await intruder.until_closed())[-1]
    assert kind is Kind.REFUSED
    assert decode_reason(why).startswith("not understood")
    here.source.log("life goes on")
    await ear.hears(LogRecord)
    assert here.hub.listeners == 1
    assert here.source.engine.state == before
    intruder.vanish()


async def test_half_a_frame_is_waited_for_and_forgotten_with_its_client(here: Room) -> None:
    client = RawClient(here.path)
    for byte in HELLO[:-1]:
        await client.send(bytes((byte,)))
    watcher = RawClient(here.path)
    await watcher.send(HELLO)
    await watcher.read()
    assert here.hub.listeners == 1
    client.vanish()
    while len(here.server.connections) > 1:
        here.source.log("a line")
        await watcher.read()
    watcher.vanish()


async def test_another_protocol_is_refused_by_number_whatever_else_it_says(here: Room) -> None:
    client = RawClient(here.path)
    await client.send(frame(Kind.HELLO, json.dumps({"protocol": 99, "name": ["new"]}).encode()))
    ((kind, body),) = await client.until_closed()
    assert kind is Kind.REFUSED
    assert json.loads(body)["protocol"] == PROTOCOL
    assert "99" in decode_reason(body)
    assert here.hub.listeners == 0
    client.vanish()


async def test_a_refused_console_says_so_and_does_not_try_again(here: Room) -> None:
    ear = Ear()
    link = SocketLink(here.path, Hello("old", "old", protocol=99))
    link.attach(ear)
    (lost,) = await ear.hears(Disconnected)
    assert "99" in lost.why
    assert link.refusal == lost.why
    assert link._timer is None
    await link.close()


async def test_a_connection_without_a_hello_is_closed(
    here: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.HELLO_SECONDS <= 3
    monkeypatch.setattr(server, "HELLO_SECONDS", 0.01)
    client = RawClient(here.path)
    ((kind, why),) = await client.until_closed()
    assert kind is Kind.REFUSED
    assert "no hello" in decode_reason(why)
    client.vanish()


async def test_connections_beyond_the_limit_are_refused_and_the_others_stay(here: Room) -> None:
    clients = [RawClient(here.path) for _ in range(server.CONNECTIONS_MAX)]
    for number, client in enumerate(clients):
        await client.hello(f"c{number}")
        await client.read()
    late = RawClient(here.path)
    ((kind, _),) = await late.until_closed()
    assert kind is Kind.REFUSED
    assert here.hub.listeners == server.CONNECTIONS_MAX
    for client in (*clients, late):
        client.vanish()


async def test_only_its_own_user_reaches_the_socket(here: Room) -> None:
    assert here.path == socket_path(here.path.parent.parent)
    assert stat.S_IMODE(here.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(here.path.parent.stat().st_mode) == 0o700


def test_a_socket_is_reached_however_long_its_path_is_and_replaces_a_dead_one(
    tmp_path: Path,
) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    path = socket_path(deep)
    listening(path).close()  # its engine died: the file stays
    with pytest.raises(ConnectionRefusedError):
        connected(path)
    with listening(path), connected(path) as client:
        assert client.fileno() >= 0
    assert len(os.fsencode(path)) > 200


async def test_a_visit_sends_a_command_without_control_and_follows_it(here: Room) -> None:
    owner = Ear()
    here.link("socket", "owner").attach(owner)
    await owner.hears(Welcome)
    async with aclosing(ask(here.path, pause(1))) as told:
        entries: list[Entry] = [entry async for entry in told]
    assert isinstance(entries[-1].event, CommandAccepted)
    async with aclosing(ask(here.path, pause(1), lambda _: False, 0.05)) as told:
        with pytest.raises(TimeoutError):  # acts once: nothing more is said of it
            assert not [entry async for entry in told if isinstance(entry.event, CommandRefused)]
    async with visiting(here.path, is_read_only=True) as visit:
        assert visit.welcome.lease.owner == "owner"
        assert visit.welcome.state == here.source.engine.state
        with pytest.raises(NotTaken, match="read-only"):
            await visit.send(pause(2))


async def test_a_visit_to_nobody_says_so_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="no engine listens"):
        async with visiting(socket_path(tmp_path)):
            raise AssertionError


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_in_any_pieces_are_frames_or_refused_and_never_held_beyond_the_limit(
    pieces: list[bytes],
) -> None:
    reader = FrameReader(limit=40)
    try:
        for piece in pieces:
            for kind, body in reader.feed(piece):
                assert isinstance(kind, Kind)
                assert len(body) < 40
                assert len(reader._held) <= 44 + 60
    except FrameError:
        pass


@settings(max_examples=300)
@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_a_hello_or_a_frame_error(body: bytes) -> None:
    with suppress(FrameError):
        assert isinstance(decode_hello(body), Hello)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from(list(Kind)), st.binary(max_size=30)), max_size=8),
    st.integers(1, 9),
)
def test_frames_survive_being_cut_anywhere(said: list[tuple[Kind, bytes]], size: int) -> None:
    data = b"".join(frame(kind, body) for kind, body in said)
    reader = FrameReader(limit=64)
    heard: list[tuple[Kind, bytes]] = []
    for start in range(0, len(data), size):
        heard += reader.feed(data[start : start + size])
    assert heard == said
    assert reader.is_between
