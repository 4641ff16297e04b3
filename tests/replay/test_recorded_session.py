"""A recorded day as the feed of a live session: whole engine, real store, the day's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ControlFeed
from engine.domain.event import CommandAccepted, CommandRefused, Entry
from engine.domain.ids import CommandId, InstrumentId, Nanos
from engine.domain.order import Side
from engine.domain.session import Mode
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.runtime.clock import SystemClock
from engine.venues.paper.settings import Fees

SYMBOL = InstrumentId("NIFTY25DEC25900PE")
START = 1_764_568_800_000_000_000  # 2025-12-01T06:00:00Z, 11:30 in Mumbai
RULES: dict[str, dict[str, Any]] = {
    "initial": {"pct": Decimal("0.25")},
    "trailing": {"activation_pct": Decimal("0.10"), "pct": Decimal("0.10")},
    "end_of_day": {"time": None},
}
DAY = ["30.00", "30.05", "33.50", "33.00", "30.15", "29.90"]


def recorded(directory: Path, prices: Iterable[str] = DAY) -> Path:
    path = directory / "day.csv"
    rows = [f"{(START + i * 10**9) // 10**6},{SYMBOL},{p},75" for i, p in enumerate(prices)]
    path.write_text("time,symbol,price,volume\n" + "\n".join(rows) + "\n")
    return path


@asynccontextmanager
async def session(
    directory: Path, file: Path, speed: float | None = None
) -> AsyncIterator[LiveEngine]:
    options = LiveOptions(
        directory / "data",
        feed="replay",
        replay_files=(file,),
        replay_speed=speed,
        rules=RULES,
        fees=Fees(),
    )
    async with live_engine(options, SystemClock()) as live:
        yield live


async def until(live: LiveEngine, what: str) -> None:
    """Return once the log says `what`."""
    heard = asyncio.Event()
    live.logbook.subscribe(lambda record: heard.set() if what in record.text else None)
    if any(what in record.text for record in live.logbook.recent):
        return
    async with asyncio.timeout(20):
        await heard.wait()


async def test_the_worked_example_trades_on_the_days_own_time(tmp_path: Path) -> None:
    async with session(tmp_path, recorded(tmp_path)) as live:
        live.strategist.offer([Signal("s1", SYMBOL, Side.BUY, Nanos(START))])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(live.run())
            await until(live, "feed has ended")
            await until(live, "trailing stop hit, P&L")
            live.stop("test")
        (trade,) = live.core.state.closed
        assert live.core.state.session is not None
        assert live.core.state.session.mode is Mode.REPLAY
    assert trade.reason.code == "trailing_stop_hit"
    assert trade.reason.level == Decimal("30.15")
    assert START <= trade.exit_at < START + 3600 * 10**9


async def life(directory: Path, file: Path, items: int | None) -> State:
    """Return the state that a session comes to; it is killed after `items` more prices."""
    async with session(directory, file) as live:
        if live.core.state.absence is None:
            live.strategist.offer([Signal("s1", SYMBOL, Side.BUY, Nanos(START + 10**9))])
        if items is not None:
            live.source.control(ControlFeed(CommandId("p"), "step", "test", count=items))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(live.run())
            if items is None:
                await until(live, "feed has ended")
                await until(live, "P&L")
                live.stop("test")
            else:
                while not (live.core.ticks and live.core.state.positions):
                    await asyncio.sleep(0.01)
                running.cancel()  # nobody ends it: the next life finds it crashed
        return live.core.state


async def test_a_recorded_day_goes_on_where_a_killed_session_stood(tmp_path: Path) -> None:
    """Its clock stood still meanwhile: the prices before the entry are no prices of now."""
    file = recorded(tmp_path, ["20.00", *DAY])
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = await life(tmp_path / "whole", file, None)
    for items in (2, 1):
        held = await life(tmp_path / "cut", file, items)
        assert len(held.positions) == 1
    cut = await life(tmp_path / "cut", file, None)
    assert len(cut.crashes) == 2
    for (one,), (other,) in ((whole.closed, cut.closed),):
        assert one.reason == other.reason
        assert one.reason.code == "trailing_stop_hit"
        assert (one.entry_at, one.entry) == (other.entry_at, other.entry)
        assert (one.exit_at, one.exit) == (other.exit_at, other.exit)


async def test_a_paused_day_stands_still_and_goes_on_step_by_step(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    async with session(tmp_path, file, speed=1000) as live:
        answers: dict[str, str] = {}

        def hear(entry: Entry, state: State) -> None:
            match entry.event:
                case CommandAccepted(command=id_, text=text):
                    answers[id_] = text
                case CommandRefused(command=id_, reason=reason):
                    answers[id_] = reason

        live.engine.subscribe(hear)
        live.source.control(ControlFeed(CommandId("p"), "pause", "test"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(live.run())
            live.submit(ControlFeed(CommandId("s"), "step", "test", count=2))
            while live.core.ticks < 2:
                await asyncio.sleep(0.01)
            stood = live.clock.now()
            assert live.clock.now() == stood
            assert live.core.ticks == 2
            live.submit(ControlFeed(CommandId("b"), "seek", "test", at=Nanos(START - 10**9)))
            live.submit(ControlFeed(CommandId("x"), "rewind", "test"))
            live.submit(ControlFeed(CommandId("r"), "resume", "test"))
            await until(live, "feed has ended")
            while "r" not in answers:
                await asyncio.sleep(0.01)
            live.stop("test")
    assert answers["s"] == "feed step 2"
    assert "forward only" in answers["b"]
    assert "unknown verb rewind" in answers["x"]
    assert live.core.ticks == len(DAY)


async def test_a_simulated_feed_cannot_be_controlled(tmp_path: Path) -> None:
    async with live_engine(LiveOptions(tmp_path, rules=RULES), SystemClock()) as live:
        entries = await live.engine.settle(ControlFeed(CommandId("p"), "pause", "test"))
    (entry,) = entries
    assert isinstance(entry.event, CommandRefused)
    assert "cannot be controlled" in entry.event.reason


@pytest.mark.parametrize("first", ["replay", "sim"])
async def test_a_store_of_one_kind_is_refused_for_the_other(tmp_path: Path, first: str) -> None:
    from engine.ports.journal import JournalRefused

    file = recorded(tmp_path)
    second = "sim" if first == "replay" else "replay"
    data = tmp_path / "data"
    for feed, is_refused in ((first, False), (second, True)):
        options = LiveOptions(data, feed=feed, replay_files=(file,), rules=RULES)
        if is_refused:
            with pytest.raises(JournalRefused):
                async with live_engine(options, SystemClock()):
                    pass
        else:
            async with live_engine(options, SystemClock()):
                pass
