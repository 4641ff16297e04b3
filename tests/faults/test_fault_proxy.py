"""The fault proxy itself: each mode does what it says, on TCP and on a Unix socket."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.fault_proxy import Address, FaultProxy, Mode, proxied

HOST = "127.0.0.1"
_NUMBERS = itertools.count()


class Echo:
    """A server that says back what it hears."""

    def __init__(self) -> None:
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                self.heard += data
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # cut: that is the point
        finally:
            writer.close()


@asynccontextmanager
async def echoed(kind: str, place: Path) -> AsyncIterator[tuple[FaultProxy, Echo]]:
    """Yield a proxy before an echo server."""
    echo = Echo()
    if kind == "unix":
        number = next(_NUMBERS)
        path = place / f"e{number}"
        server = await asyncio.start_unix_server(echo.serve, str(path))
        proxy = FaultProxy(place / f"p{number}", path)
    else:
        server = await asyncio.start_server(echo.serve, HOST, 0)
        proxy = FaultProxy((HOST, 0), (HOST, server.sockets[0].getsockname()[1]))
    try:
        async with proxied(proxy):
            yield proxy, echo
    finally:
        server.close()


async def dialled(proxy: FaultProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    to: Address = proxy.listen
    if isinstance(to, Path):
        return await asyncio.open_unix_connection(str(to))
    return await asyncio.open_connection(HOST, proxy.port)


async def said_back(reader: asyncio.StreamReader, count: int, seconds: float) -> bytes:
    """Return what comes back within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await reader.readexactly(count)
    except TimeoutError:
        return b""


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_what_passes_is_unchanged_and_what_is_held_comes_later(
    tmp_path: Path, kind: str
) -> None:
    async with echoed(kind, tmp_path) as (proxy, echo):
        reader, writer = await dialled(proxy)
        for held, heard in ((Mode.BLACKHOLE, b"one"), (Mode.DOWN_BLACKHOLE, b"onetwo")):
            proxy.mode = Mode.PASS
            writer.write(b"one")
            assert await said_back(reader, 3, 5) == b"one"
            echo.heard = b""
            proxy.mode = held
            writer.write(b"two")
            assert await said_back(reader, 3, 0.1) == b""
            assert echo.heard == heard.removeprefix(b"one")
            proxy.mode = Mode.PASS
            assert await said_back(reader, 3, 5) == b"two"
        proxy.mode = Mode.UP_BLACKHOLE
        writer.write(b"three")
        assert await said_back(reader, 5, 0.1) == b""
        proxy.mode = Mode.PASS
        assert await said_back(reader, 5, 5) == b"three"
        writer.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(
    ("mode", "size", "seconds"),
    [(Mode.DELAY, 1, 0.1), (Mode.SLICE, 2, 0.02), (Mode.RATE, 100, 0.0)],
)
async def test_a_slow_line_delivers_everything_later(
    tmp_path: Path, kind: str, mode: Mode, size: int, seconds: float
) -> None:
    async with echoed(kind, tmp_path) as (proxy, _):
        reader, writer = await dialled(proxy)
        proxy.size, proxy.seconds, proxy.mode = size, seconds, mode
        began = asyncio.get_running_loop().time()
        writer.write(b"0123456789")
        assert await said_back(reader, 10, 10) == b"0123456789"
        assert asyncio.get_running_loop().time() - began >= 0.075
        writer.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize("is_reset", [True, False])
async def test_a_cut_line_is_over_for_its_client(
    tmp_path: Path, kind: str, *, is_reset: bool
) -> None:
    async with echoed(kind, tmp_path) as (proxy, _):
        reader, writer = await dialled(proxy)
        writer.write(b"a")
        assert await said_back(reader, 1, 5) == b"a"
        proxy.cut(is_reset=is_reset)
        if is_reset and kind == "tcp":
            with pytest.raises(ConnectionResetError):
                await reader.read(1)
        else:
            assert await reader.read(1) == b""
        writer.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_who_is_refused_hears_nothing_and_who_was_there_stays(
    tmp_path: Path, kind: str
) -> None:
    async with echoed(kind, tmp_path) as (proxy, _):
        reader, writer = await dialled(proxy)
        writer.write(b"a")
        assert await said_back(reader, 1, 5) == b"a"
        proxy.mode = Mode.REFUSE
        late, late_writer = await dialled(proxy)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await late.readexactly(1)
        writer.write(b"b")
        assert await said_back(reader, 1, 5) == b"b"
        for each in (writer, late_writer):
            each.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@pytest.mark.parametrize(("mode", "heard"), [(Mode.CUT_ANSWER, b"go"), (Mode.CUT_WORD, b"")])
async def test_the_answer_is_lost_or_the_word_itself(
    tmp_path: Path, kind: str, mode: Mode, heard: bytes
) -> None:
    async with echoed(kind, tmp_path) as (proxy, echo):
        reader, writer = await dialled(proxy)
        proxy.mode = mode
        writer.write(b"go")
        try:
            assert await reader.read(2) == b""
        except ConnectionResetError:
            assert kind == "tcp"
        again, again_writer = await dialled(proxy)
        again_writer.write(b"!")
        assert await said_back(again, 1, 5) == b"!"
        assert echo.heard == heard + b"!"
        assert proxy.cuts == 1
        for each in (writer, again_writer):
            each.close()
