"""T05: the wall clock steps an hour forth and back under the whole engine; stops are not late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bootstrap.live import live_engine
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ChangeStop, SubmitSignal
from engine.domain.event import Entry, StopFired
from engine.domain.ids import SECOND, CommandId, Nanos
from engine.domain.money import Price, Qty
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.runtime.clock import SystemClock
from tests.faults.test_standstill import BTC, Market, Record, until_so

HOUR = 3600 * SECOND


class SteppingClock(SystemClock):
    """The system's clock after somebody set the time: durations go on as they were."""

    def __init__(self) -> None:
        self.shift = 0

    def now(self) -> Nanos:
        return Nanos(super().now() + self.shift)


@pytest.mark.parametrize("step", [HOUR, -HOUR, 24 * HOUR], ids=["+1 h", "-1 h", "+1 d"])
async def test_a_stop_is_not_late_when_the_wall_clock_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record, step: int
) -> None:
    clock = SteppingClock()
    entries: list[Entry] = []
    async with live_engine(LiveOptions(tmp_path), clock) as live, asyncio.TaskGroup() as tasks:
        market = Market(live)
        monkeypatch.setattr(live.source, "ticks", market.ticks)
        live.engine.subscribe(lambda entry, _state: entries.append(entry))
        tasks.create_task(live.run())
        await until_so(lambda: BTC in live.core.quotes)
        signal = Signal("s", BTC, Side.BUY, clock.now(), qty=Qty(Decimal("0.1")))
        live.submit(SubmitSignal(CommandId("s"), signal, "test"))
        await until_so(lambda: bool(live.core.state.positions))
        (id_,) = live.core.state.positions
        live.submit(ChangeStop(CommandId("c"), id_, "test", Price(Decimal(59_000)), None))
        await until_so(lambda: live.core.state.positions[id_].stop_loss is not None)
        clock.shift = step
        market.price = Decimal(58_000)
        began = time.monotonic()
        await until_so(_is_fired(entries))
        took = time.monotonic() - began
        await until_so(lambda: not live.core.state.positions)
        live.stop("test")
    assert [entry.seq for entry in entries] == list(range(entries[0].seq, entries[-1].seq + 1))
    assert sum(isinstance(entry.event, StopFired) for entry in entries) == 1
    record_property("figure", f"stop fired {took * 1000:.0f} ms after the price, clock stepped")


def _is_fired(entries: list[Entry]) -> Callable[[], bool]:
    return lambda: any(isinstance(entry.event, StopFired) for entry in entries)
