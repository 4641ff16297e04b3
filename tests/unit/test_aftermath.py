"""After a crash: the gap is looked back at, and entries wait until everything flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.bootstrap import aftermath as module
from engine.bootstrap.aftermath import ATTEMPTS, FLOW_SECONDS, Aftermath
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ControlFeed
from engine.domain.decision import Choice
from engine.domain.event import RecoveryDecided, Resumed, SessionCrashed
from engine.domain.evolve import fold
from engine.domain.ids import InstrumentId, Nanos, SessionId
from engine.domain.instrument import Instrument
from engine.domain.log import LogRecord
from engine.domain.market import Tick
from engine.domain.risk import RECOVERY
from engine.domain.session import Mode, Recovery
from engine.ports.clock import Clock
from engine.ports.venue import FeedItem, GapUnknown, History
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.store.memory import MemoryJournal
from tests.builders import CATALOG, SECOND, Desk, session, tick

BEGIN = Nanos(1_764_000_000 * SECOND)
FOUND = Nanos(BEGIN + 60 * SECOND)


class Told:
    """A market's past, as it is told."""

    def __init__(self, *ticks: Tick, fails: Exception | None = None, hangs: bool = False) -> None:
        self._ticks, self._fails, self._hangs = ticks, fails, hangs

    async def between(
        self, since: Nanos, until: Nanos, instruments: Collection[InstrumentId]
    ) -> AsyncIterator[list[FeedItem]]:
        if self._hangs:
            await asyncio.Event().wait()
        for item in self._ticks:
            yield [item]
        if self._fails is not None:
            raise self._fails


class Prices:
    """Where prices come from: nowhere, unless a test says so."""

    def __init__(self, clock: Clock, history: History | None, mode: Mode = Mode.PAPER) -> None:
        self.clock, self.history, self.mode = clock, history, mode

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return dict(CATALOG)

    async def ticks(self) -> AsyncIterator[list[Tick]]:
        silence: tuple[list[Tick], ...] = ()
        for batch in silence:
            yield batch

    def control(self, command: ControlFeed) -> None:
        """Nothing to control."""


class Life:
    """An engine that took over from one that died with a position open."""

    def __init__(self, path: Path, history: History | None, *, is_recorded: bool = False) -> None:
        desk = Desk()
        desk.now = BEGIN
        desk.start(session())
        desk.tick(tick("100", BEGIN))
        self.held = desk.open("a").id
        desk.give(SessionCrashed(SessionId("s1"), BEGIN, Nanos(FOUND - BEGIN), 1, 0))
        desk.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
        desk.give(Resumed())
        self.journal = MemoryJournal()
        self.entries = desk.entries
        self.clock = ManualClock(FOUND)
        self.engine = Engine(Core(CATALOG, fold(desk.entries)), self.journal, self.clock)
        self.logbook = Logbook(path, self.clock)
        self.lines: list[LogRecord] = []
        self.logbook.subscribe(self.lines.append)
        mode = Mode.REPLAY if is_recorded else Mode.PAPER
        source = Prices(self.clock, history, mode)
        self.options = LiveOptions(path, recovery_gap=Choice.KEEP)
        self.aftermath = Aftermath(self.options, self.engine, source, self.logbook)
        self.connected = 0
        self.aftermath.connect_anew = self._connect

    def _connect(self) -> None:
        self.connected += 1

    @property
    def is_settled(self) -> bool:
        absence = self.engine.state.absence
        return absence is not None and absence.is_settled

    @property
    def block(self) -> str:
        return self.engine.state.blocks.get(RECOVERY, "")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self.journal.append(self.entries, self.engine.state)
        await self.aftermath.lock()
        async with asyncio.TaskGroup() as tasks:
            work = [tasks.create_task(self.engine.run()), tasks.create_task(self.aftermath.run())]
            yield
            for task in work:
                task.cancel()

    async def until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(100_000):
            if is_so():
                return
            await asyncio.sleep(0)
        raise AssertionError("never")

    def price(self, last: str) -> None:
        self.engine.submit(tick(last, self.clock.now()))


async def test_it_is_settled_once_the_gap_is_judged_and_prices_flow(tmp_path: Path) -> None:
    life = Life(tmp_path, Told(tick("101", BEGIN + SECOND), tick("74", BEGIN + 2 * SECOND)))
    async with life.running():
        assert life.block
        life.price("99")
        await life.until(lambda: life.is_settled)
        assert not life.block
        absence = life.engine.state.absence
        assert absence is not None
        gap = absence.gaps[life.held]
        assert (gap.since, gap.samples) == (BEGIN, 2)
        assert gap.finding is not None
        assert gap.finding.reason.code == "stop_loss_hit"
        assert life.held in life.engine.state.positions, "the policy says: keep"


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (None, "tells nothing of the past"),
        (Told(fails=GapUnknown("the candles end at 11:40")), "the candles end at 11:40"),
        (Told(tick("74", BEGIN + SECOND), fails=ValueError("torn")), "ValueError: torn"),
        (Told(hangs=True), "was not told within"),
    ],
)
async def test_what_cannot_be_known_is_said_and_closes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, history: History | None, why: str
) -> None:
    monkeypatch.setattr(module, "LOOK_BACK_SECONDS", 0.05)
    life = Life(tmp_path, history)
    async with life.running():
        life.price("99")
        async with asyncio.timeout(30):
            while not life.is_settled:
                await asyncio.sleep(0.005)
        absence = life.engine.state.absence
        assert absence is not None
        gap = absence.gaps[life.held]
        assert why in gap.unknown
        assert gap.finding is None
        assert life.held in life.engine.state.positions


async def test_without_prices_it_connects_anew_then_alerts_and_goes_on_looking(
    tmp_path: Path,
) -> None:
    life = Life(tmp_path, Told())
    async with life.running():
        await life.until(lambda: "attempts" in life.block)
        waited = (life.clock.now() - FOUND) / SECOND
        assert waited >= ATTEMPTS * FLOW_SECONDS
        assert life.connected == ATTEMPTS - 1
        alerts = [line for line in life.lines if line.level == "critical"]
        assert len(alerts) == 1
        assert "no price of" in alerts[0].text
        assert life.held in life.engine.state.positions
        life.price("99")
        await life.until(lambda: life.is_settled)
        assert not life.block


async def test_a_recording_stood_still_and_needs_no_settling(tmp_path: Path) -> None:
    life = Life(tmp_path, None, is_recorded=True)
    async with life.running():
        assert life.is_settled
        assert not life.block
        absence = life.engine.state.absence
        assert absence is not None
        gap = absence.gaps[life.held]
        assert (gap.since, gap.until, gap.unknown) == (BEGIN, BEGIN, "")
