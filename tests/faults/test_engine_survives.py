"""Whatever fails beside the engine, or is told to it: it goes on watching open positions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ClosePosition, Command, ControlFeed, SubmitSignal
from engine.domain.event import CommandRefused, Entry, FeedChanged, OrderFilled, SignalRefused
from engine.domain.ids import CommandId, InstrumentId, Nanos, PositionId
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.runtime.clock import SystemClock

SIM = InstrumentId("BTC-PERPETUAL")
NAN = Decimal("NaN")


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[LiveEngine]:
    """Yield a whole engine at work on the simulated market."""
    options = LiveOptions(directory)
    async with live_engine(options, SystemClock()) as live, asyncio.TaskGroup() as tasks:
        tasks.create_task(live.run())
        yield live
        live.stop("test")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


async def trades(live: LiveEngine) -> PositionId:
    """Return a position that was opened just now."""
    before = set(live.core.state.positions)
    ticks = live.core.ticks
    await until(lambda: live.core.ticks > ticks)
    symbol = next(i for i in live.core.quotes if live.catalog[i].is_tradable)
    id_ = f"t{ticks}"
    signal = Signal(id_, symbol, Side.BUY, live.clock.now(), qty=None)
    live.engine.submit(SubmitSignal(CommandId(id_), signal, "test"))
    await until(lambda: bool(set(live.core.state.positions) - before))
    (opened,) = set(live.core.state.positions) - before
    return opened


async def test_a_feed_that_raises_is_told_of_and_connected_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_engine(LiveOptions(tmp_path), SystemClock()) as live:
        flows, lives = live.source.ticks, 0

        async def torn() -> AsyncIterator[list[Tick]]:
            nonlocal lives
            lives += 1
            if lives == 2:
                raise RuntimeError("no route to the exchange")
            async for batch in flows():
                yield batch
                if lives == 1 and live.core.ticks > 50:
                    raise OSError("connection reset")

        monkeypatch.setattr(live.source, "ticks", torn)
        told: list[FeedChanged] = []
        live.engine.subscribe(
            lambda e, _s: told.append(e.event) if isinstance(e.event, FeedChanged) else None
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(live.run())
            await until(lambda: lives == 3 and [t.is_up for t in told] == [False, True])
            await trades(live)
            live.stop("test")
    assert "connection reset" in told[0].why or "no route" in told[0].why


async def test_a_listener_that_raises_is_told_of_and_the_others_hear_everything(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as live:
        heard: list[object] = []

        def torn(*_: object) -> None:
            raise KeyError("a reader's mistake")

        live.engine.subscribe(torn, torn)
        live.engine.subscribe(lambda entry, _state: heard.append(entry.event))
        live.reports.watch(torn)
        await trades(live)
        assert any(isinstance(event, OrderFilled) for event in heard)
        ticks = live.core.ticks
        await until(lambda: live.core.ticks > ticks + 20)
    assert any("a reader's mistake" in record.text for record in live.logbook.recent)


@pytest.mark.parametrize(
    "command",
    [
        ClosePosition(CommandId("x"), PositionId("?"), "t", seen_price=Price(Decimal(0))),
        ClosePosition(CommandId("x"), PositionId("?"), "t", seen_price=Price(NAN)),
        ClosePosition(
            CommandId("x"), PositionId("?"), "t", seen_price=Price(Decimal(1)), slack=NAN
        ),
        ControlFeed(CommandId("x"), "speed", "t", speed=Decimal("sNaN")),
        SubmitSignal(CommandId("x"), Signal("x", SIM, Side.BUY, Nanos(1), confidence=NAN), "test"),
    ],
)
async def test_a_command_with_a_number_that_is_none_ends_nothing(
    tmp_path: Path, command: Command
) -> None:
    async with running(tmp_path) as live:
        opened = await trades(live)
        if isinstance(command, ClosePosition):
            object.__setattr__(command, "position", opened)
        if isinstance(command, SubmitSignal):
            object.__setattr__(
                command.signal, "instrument", live.core.state.positions[opened].instrument
            )
        refused: list[CommandRefused | SignalRefused] = []

        def hear(entry: Entry, _state: State) -> None:
            if isinstance(entry.event, CommandRefused | SignalRefused):
                refused.append(entry.event)

        live.engine.subscribe(hear)
        live.submit(command)
        await trades(live)
        await until(lambda: bool(refused))
