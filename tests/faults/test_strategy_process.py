"""A strategy in its own process: raising, looping, crashing, printing. Others go on (S-6)."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.domain.event import StrategyFailed
from engine.domain.ids import SECOND, Nanos
from engine.domain.inputs import Input
from engine.domain.market import Tick
from engine.domain.money import price
from engine.domain.strategy import Phase
from engine.runtime.strategist import Strategist
from engine.runtime.strategy_host import StrategyHost
from engine.runtime.strategy_loading import StrategySpec
from engine.runtime.strategy_process import ProcessHost
from tests.builders import NIFTY, PUT_25900
from tests.strategy_desk import DATA, StrategyDesk, recorded_catalog, recorded_ticks, spec

SAMPLES = Path(__file__).parents[1] / "unit" / "sample_strategies.py"
PATIENCE_S = 60.0


class Inbox(deque[Input]):
    """Says when something arrived, so that no test waits by the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = asyncio.Event()

    def append(self, item: Input, /) -> None:
        super().append(item)
        self.arrived.set()


class Floor:
    """A desk whose strategies live in processes of their own."""

    def __init__(self, *specs: StrategySpec, limit_s: float = 5.0) -> None:
        self.hosts: list[ProcessHost] = []
        self.limit_s = limit_s
        self.desk = StrategyDesk([], {NIFTY: PUT_25900})
        self.inbox = Inbox()
        self.desk.inbox = self.inbox
        self.desk.strategist = Strategist(specs, self.host, self.inbox.append, self.desk.clock)
        self.desk.begin()

    def host(self, chosen: StrategySpec) -> StrategyHost:
        made = ProcessHost(chosen, self.limit_s)
        self.hosts.append(made)
        return made

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.inbox.arrived.clear()
                self.desk.drain()
                if is_true():
                    return
                await self.inbox.arrived.wait()

    async def answered(self) -> None:
        """Wait until every strategy has answered all it was asked."""
        await self.until(lambda: all(host.is_idle for host in self.hosts))

    async def is_ready(self, *names: str) -> None:
        await self.until(lambda: all(self.phase(name) is Phase.ANALYZING for name in names))

    def phase(self, name: str) -> Phase:
        return self.desk.record(name).phase

    def tick(self, minute: float, last: str = "30") -> None:
        self.desk.tick(Tick(NIFTY, price(last), Nanos(int(minute * 60 * SECOND))))

    async def failed(self) -> StrategyFailed:
        await self.until(lambda: bool(self.desk.of(StrategyFailed)))
        return self.desk.of(StrategyFailed)[0]

    async def close(self) -> None:
        await self.desk.strategist.stop()
        for host in self.hosts:
            await host.close()
            assert host.pid is None or not _is_alive(host.pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def sample(name: str, **settings: str) -> StrategySpec:
    return spec(f"{SAMPLES}:{name}", name.lower(), **settings)


async def test_it_decides_and_enters_from_its_own_process() -> None:
    floor = Floor(sample("Buyer"))
    await floor.is_ready("buyer")
    floor.tick(0.5)
    floor.tick(1.5, "31")
    await floor.until(lambda: floor.phase("buyer") is Phase.ENTERING)
    floor.tick(1.6, "32")
    await floor.until(lambda: floor.phase("buyer") is Phase.POSITION_OPEN)
    (position,) = floor.desk.state.positions.values()
    assert str(position.entry) == "32"
    await floor.close()


@pytest.mark.parametrize(
    ("name", "why", "trace"),
    [
        ("Raiser", "RuntimeError: planted at bars", "sample_strategies.py"),
        ("Quitter", "SystemExit: enough", "sample_strategies.py"),
        ("Crasher", "its process ended", "Segmentation fault"),
        ("Nobody", "has no class 'Nobody'", "StrategyLoadError"),
    ],
)
async def test_whatever_it_raises_marks_it_failed_and_the_other_goes_on(
    name: str, why: str, trace: str
) -> None:
    floor = Floor(sample(name), sample("Counter"))
    await floor.is_ready("counter")
    if name != "Nobody":
        await floor.is_ready(name.lower())
    floor.tick(0.5)
    floor.tick(1.5)
    failed = await floor.failed()
    assert why in failed.why
    assert trace in failed.traceback
    floor.tick(2.5)
    await floor.until(lambda: floor.desk.notes()[-1:] == ["bar 2"])
    assert floor.phase(name.lower()) is Phase.FAILED
    assert floor.phase("counter") is Phase.ANALYZING
    await floor.close()


@pytest.mark.parametrize("name", ["Looper", "Unstoppable"])
async def test_an_endless_loop_is_killed_its_place_is_kept_and_no_tick_waits_for_it(
    name: str,
) -> None:
    floor = Floor(sample(name), sample("Counter"), limit_s=1.0)
    await floor.is_ready(name.lower(), "counter")
    for minute in range(1000):  # returns although the looping one answers nothing
        floor.tick(minute + 0.5)
    failed = await floor.failed()
    assert failed.why in {"no answer within 1 s", "257 requests behind"}
    pid = floor.hosts[0].pid
    assert pid is not None
    await floor.hosts[0].close()
    assert not _is_alive(pid)
    await floor.close()


async def test_the_traceback_of_an_endless_loop_names_its_line() -> None:
    floor = Floor(sample("Looper"), limit_s=1.0)
    await floor.is_ready("looper")
    floor.tick(0.5)
    floor.tick(1.5)
    failed = await floor.failed()
    assert failed.why == "no answer within 1 s"
    assert "in on_bars" in failed.traceback
    await floor.close()


async def test_what_it_prints_never_reaches_the_protocol() -> None:
    floor = Floor(sample("Printer"))
    await floor.is_ready("printer")
    floor.tick(0.5)
    floor.tick(1.5)
    floor.tick(2.5)
    await floor.until(lambda: floor.desk.notes() == ["bar 1", "bar 2"])
    assert not floor.desk.of(StrategyFailed)
    await floor.close()


async def test_it_sees_no_credential_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITVAVO_API_SECRET", "canary")
    floor = Floor(sample("Secretive"))
    await floor.is_ready("secretive")
    floor.tick(0.5)
    floor.tick(1.5)
    await floor.until(lambda: bool(floor.desk.notes()))
    assert floor.desk.notes() == ["sees None"]
    await floor.close()


async def test_killed_from_outside_it_is_failed_and_starts_again_with_its_memory() -> None:
    floor = Floor(sample("Counter"))
    await floor.is_ready("counter")
    floor.tick(0.5)
    floor.tick(1.5)
    await floor.until(lambda: floor.desk.notes() == ["bar 1"])
    pid = floor.hosts[0].pid
    assert pid is not None
    os.kill(pid, 9)
    floor.tick(2.5)
    assert "its process ended" in (await floor.failed()).why
    again = StrategyDesk([], {NIFTY: PUT_25900}, state=floor.desk.state)
    assert '"bars":1' in again.record("counter").memory.replace(" ", "")
    await floor.close()


def remembered(desk: StrategyDesk) -> object:
    return json.loads(desk.record("oi_momentum").memory)["strategy"]


@pytest.mark.skipif(not DATA.is_dir(), reason="recorded days are not at hand")
async def test_a_day_in_its_own_process_is_the_day_in_line() -> None:
    day = "2026-01-29"
    ticks = list(recorded_ticks(day))
    inline = StrategyDesk([spec("oi_momentum")], recorded_catalog(day)).begin()
    for item in ticks:
        inline.tick(item)
    floor = Floor()
    floor.desk = StrategyDesk([], recorded_catalog(day))
    floor.desk.inbox = floor.inbox
    floor.desk.strategist = Strategist(
        [spec("oi_momentum")], floor.host, floor.inbox.append, floor.desk.clock
    )
    floor.desk.begin()
    await floor.is_ready("oi_momentum")
    for number, item in enumerate(ticks):
        floor.desk.tick(item)
        if number % 195 == 0 and number:  # the first tick of a snapshot may have ended a bar
            await floor.answered()
    await floor.answered()
    assert floor.desk.notes()[:3] == inline.notes()[:3]
    assert [note for note in floor.desk.notes() if note.startswith("STRIKE")] == [
        note for note in inline.notes() if note.startswith("STRIKE")
    ]
    assert remembered(floor.desk) == remembered(inline)
    await floor.close()
