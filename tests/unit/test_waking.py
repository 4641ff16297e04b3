"""After a standstill the venue is asked first, but no exit waits for more than is given to that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.bootstrap import waking
from engine.bootstrap.waking import SOURCE, Waking
from engine.domain.ids import SECOND, Nanos
from engine.domain.truth import OpenRow
from engine.runtime.clock import SystemClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.reconciler import Reconciler
from engine.runtime.standstill import GAP_S, Stood
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import CATALOG, session


class HungDisk:
    """Tables of a store whose disk does not answer."""

    async def open_rows(self) -> list[OpenRow]:
        await asyncio.Event().wait()
        return []

    async def mend(self, positions: object) -> list[str]:
        return []


async def test_a_store_that_hangs_after_a_standstill_holds_up_no_exit_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waking, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(waking, "PRICES_SECONDS", 0.0)
    clock = SystemClock()
    engine = Engine(Core(CATALOG), MemoryJournal(), clock)
    await engine.settle(session())
    logbook = Logbook(tmp_path, clock)
    venue = PaperVenue(clock, PaperSettings(cash={}))
    reconciler = Reconciler(engine, venue, clock, logbook, HungDisk())
    awake = Waking(engine, reconciler, clock, logbook)
    async with asyncio.timeout(20):
        await awake.look_around(Stood(Nanos(clock.now() - 60 * SECOND), GAP_S))
    assert engine.waiting == 1  # entries are blocked until the venue was heard
    assert reconciler.good_at is None
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(engine.run())
        while SOURCE not in engine.state.blocks:
            await asyncio.sleep(0)
        running.cancel()
