"""P08, P10: a process that stood still asks first and acts then, once, at the price of now."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bootstrap.live import LiveEngine, live_engine
from engine.bootstrap.options import LiveOptions
from engine.bootstrap.waking import SOURCE
from engine.domain.command import ChangeStop, SubmitSignal
from engine.domain.event import EntriesBlocked, Entry, OrderRequested, StopFired
from engine.domain.ids import SECOND, CommandId, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import Price, Qty
from engine.domain.order import Side as OrderSide
from engine.domain.signal import Signal
from engine.domain.truth import VenueTruth
from engine.runtime import standstill
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.standstill import GAP_S, LATE_S, Standstill, Stood
from tests.faults.process_rig import buy, engine, journal, log_lines, until

Record = Callable[[str, object], None]
serial = pytest.mark.serial
BTC = InstrumentId("BTC_USDC-PERPETUAL")


@pytest.mark.parametrize(
    ("pause", "expected"),
    [(LATE_S - 0.1, None), (LATE_S, False), (GAP_S - 0.1, False), (GAP_S, True), (28_800, True)],
)
def test_a_pause_is_nothing_late_or_a_gap_by_its_length(
    pause: float, expected: bool | None
) -> None:
    clock = ManualClock(Nanos(SECOND))
    still = Standstill(clock)
    assert still.look() is None
    clock.set(Nanos(clock.now() + int(pause * SECOND)))
    stood = still.look()
    assert (None if stood is None else stood.is_gap) is expected
    assert stood is None or stood == Stood(Nanos(SECOND), pause)
    assert still.look() is None


class Market:
    """A feed whose next price the test says; every connection begins with a price of now."""

    def __init__(self, live: LiveEngine) -> None:
        self.live, self.price, self.connections = live, Decimal(60_000), 0

    async def ticks(self) -> AsyncIterator[list[Tick]]:
        self.connections += 1
        while True:
            yield [Tick(BTC, Price(self.price), self.live.clock.now(), source="test")]
            await asyncio.sleep(0.02)


async def until_so(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_stop_crossed_meanwhile_exits_once_at_the_price_of_now_after_the_venue_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    monkeypatch.setattr(standstill, "GAP_S", 0.5)
    monkeypatch.setattr(standstill, "LATE_S", 0.4)
    entries: list[Entry] = []
    asked: list[int] = []
    async with live_engine(LiveOptions(tmp_path), SystemClock()) as live, asyncio.TaskGroup() as t:
        market = Market(live)
        monkeypatch.setattr(live.source, "ticks", market.ticks)
        live.engine.subscribe(lambda entry, _state: entries.append(entry))
        t.create_task(live.run())
        await until_so(lambda: BTC in live.core.quotes)
        signal = Signal("s", BTC, OrderSide.BUY, live.clock.now(), qty=Qty(Decimal("0.1")))
        live.submit(SubmitSignal(CommandId("s"), signal, "test"))
        await until_so(lambda: bool(live.core.state.positions))
        (id_,) = live.core.state.positions
        live.submit(ChangeStop(CommandId("c"), id_, "test", Price(Decimal(59_000)), None))
        await until_so(lambda: live.core.state.positions[id_].stop_loss is not None)
        ask = live.venue.account_truth

        async def slowly(since: Nanos) -> VenueTruth:
            await asyncio.sleep(0.3)  # everything else would have time to be sent
            asked.append(live.core.state.seq)
            return await ask(since)

        monkeypatch.setattr(live.venue, "account_truth", slowly)
        market.price = Decimal(58_000)
        before = live.core.state.seq
        time.sleep(0.7)  # the whole process stands still, and the price falls through the stop
        await until_so(lambda: not live.core.state.positions)
        await until_so(lambda: SOURCE not in live.core.state.blocks and len(asked) > 0)
        live.stop("test")
    new = [entry for entry in entries if entry.seq > before]
    orders = [entry for entry in new if isinstance(entry.event, OrderRequested)]
    (fired,) = [entry.event for entry in new if isinstance(entry.event, StopFired)]
    assert asked[0] == before, "something was decided before the venue was asked"
    assert [type(entry.event) for entry in new[:1]] == [EntriesBlocked]
    assert len(orders) == 1
    assert (fired.price, fired.gap) == (Decimal(58_000), Decimal(1_000))
    assert market.connections == 2
    record_property("figure", "orders before the venue was asked: 0; exits of the stop: 1")


def frozen(pid: int, seconds: float) -> float:
    """Stop a process for so long; return when it went on (monotonic)."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)
    return time.monotonic()


@serial
def test_a_suspended_engine_says_so_asks_and_goes_on(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        woke = frozen(running.process.pid, GAP_S + 0.5)
        until(lambda: bool(log_lines(tmp_path, "the venue was asked")), "entries let in again")
        took = time.monotonic() - woke
        buy(tmp_path, "b")
        assert running.signal(signal.SIGTERM) == 128 + signal.SIGTERM
    (told,) = log_lines(tmp_path, "nothing is sent before the venue is asked")
    (blocked,) = [e for e in journal(tmp_path, "EntriesBlocked") if SOURCE in str(e["payload"])]
    (allowed,) = [e for e in journal(tmp_path, "EntriesAllowed") if SOURCE in str(e["payload"])]
    between = range(int(str(blocked["seq"])), int(str(allowed["seq"])))
    sent = [e for e in journal(tmp_path, "OrderRequested") if int(str(e["seq"])) in between]
    assert not log_lines(tmp_path, "event loop stuck")  # it was no task's fault
    assert sent == []
    record_property("line", told)
    record_property("figure", f"{took:.2f} s from SIGCONT until venue and prices were new")


@serial
def test_an_engine_that_gets_no_processor_says_how_late_it_looked(
    tmp_path: Path, record_property: Record
) -> None:
    with engine(tmp_path) as running:
        buy(tmp_path, "a")
        frozen(running.process.pid, LATE_S + 1)
        until(lambda: bool(log_lines(tmp_path, "late: the machine")), "the lateness told")
        assert not log_lines(tmp_path, "stood still for")
    (told, *_) = log_lines(tmp_path, "late: the machine")
    record_property("line", told)
    record_property("figure", "2.5 s without a processor told once, in the first second after it")
