"""The real engine and consoles behind a bad line: nothing doubled, the engine at work."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from engine.link.address import socket_path
from engine.link.client import OFTEN
from tests.faults.fault_proxy import FaultProxy, Mode, proxied
from tests.faults.process_rig import buy, engine, events, holdfast, positions
from tests.faults.proxied import cut_again_and_again
from tests.faults.test_standstill import Record
from tests.tui.pty_session import PtySession

CUTS = int(os.environ.get("HOLDFAST_CUTS", "120"))


async def test_a_command_whose_answer_is_cut_off_acts_once_however_often_it_is_sent(
    tmp_path: Path, record_property: Record
) -> None:
    figures = await cut_again_and_again(tmp_path, CUTS, seed=1)
    assert figures.cuts > CUTS / 2
    assert figures.sent > figures.intents
    assert figures.doubled == 0
    record_property("figure", figures.text)
    record_property("n", figures.intents)
    record_property("seed", 1)


async def test_a_client_that_makes_a_new_id_for_the_same_intent_is_found(tmp_path: Path) -> None:
    figures = await cut_again_and_again(tmp_path, 12, seed=1, planted=True)
    assert figures.doubled > 0


async def seen(session: PtySession, wanted: bytes, since: int, seconds: float) -> float:
    """Read a console until it shows `wanted`; return how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while wanted not in session.output[since:]:
        assert loop.time() - began < seconds, f"never {wanted!r}: {session.text()[-600:]}"
        await asyncio.to_thread(session.read)
    return loop.time() - began


@pytest.mark.serial
async def test_a_console_behind_a_cut_line_comes_back_by_itself_and_the_engine_never_notices(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        await asyncio.to_thread(buy, tmp_path, "a")
        path = socket_path(tmp_path)
        real = path.with_name("real.sock")
        path.rename(real)
        async with proxied(FaultProxy(path, real)) as proxy:
            words = ("attach", "--data-dir", str(tmp_path))
            session = PtySession(*words, program=("-m", "tui"), size=(140, 40))
            try:
                await seen(session, b"BTC_USDC", 0, 20)
                silent = await _silence(session, proxy)
                lost = await _loss(session, proxy)
                back = await _return(session, proxy)
                status = await asyncio.to_thread(_status, tmp_path)
            finally:
                session.close()
        path.unlink(missing_ok=True)
        real.rename(path)
        assert running.process.poll() is None
        assert len(positions(tmp_path)) == 1
        assert status["open_positions"] == 1
        assert not {"EntriesBlocked", "SessionCrashed"} & set(events(tmp_path))
    record_property("line", "ENGINE SILENT 2 s; LINK LOST 0 s: the engine is gone")
    record_property(
        "figure", f"silence shown after {silent:.1f} s, loss after {lost:.1f} s, back {back:.1f} s"
    )


async def _silence(session: PtySession, proxy: FaultProxy) -> float:
    since, proxy.mode = len(session.output), Mode.BLACKHOLE
    took = await seen(session, b"ENGINE SILENT 2 s", since, 20)
    await seen(session, b"s old", since, 20)  # figures are grey, with their age
    proxy.mode = Mode.PASS
    return took


async def _loss(session: PtySession, proxy: FaultProxy) -> float:
    since, before = len(session.output), proxy.accepted
    proxy.mode = Mode.REFUSE
    proxy.cut()
    took = await seen(session, b"LINK LOST", since, 20)
    await asyncio.sleep(4)
    attempts = proxy.accepted - before
    assert 2 <= attempts <= OFTEN + 30, f"{attempts} attempts in 4 s"  # it tries, and ever slower
    return took


async def _return(session: PtySession, proxy: FaultProxy) -> float:
    since, proxy.mode = len(session.output), Mode.PASS
    return await seen(session, b"\xe2\x97\x8f", since, 20)


def _status(data_dir: Path) -> dict[str, object]:
    done = holdfast("status", "--data-dir", str(data_dir), "--json")
    found: dict[str, object] = json.loads(done.stdout)
    return found
