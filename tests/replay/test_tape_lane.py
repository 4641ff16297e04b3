"""The fast lane over a tape writes the journal that the ordinary lane writes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.command import SubmitSignal
from engine.domain.event import Entry, OrderFilled
from engine.domain.ids import CommandId, InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import Currency, price
from engine.domain.order import Side
from engine.domain.state import State
from engine.runtime.blocks import tape_blocks
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.fast_lane import run_blocks
from engine.runtime.replayer import Replayer
from engine.stops.initial import InitialStop
from engine.stops.take_profit import TakeProfit
from engine.stops.trailing import TrailingStop
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from engine.venues.replay.tape import TapeReader, TapeWriter
from tests.builders import SECOND, session, signal

OPENED = 30
"""Ticks before the lanes part."""
USD = Currency("USD")
IDS = [InstrumentId(f"S{n}") for n in range(3)]
TERMS = {i: Instrument(i, Kind.EQUITY, USD) for i in IDS}
RULES = (
    InitialStop(Decimal("0.004")),
    TrailingStop(Decimal("0.002"), Decimal("0.003")),
    TakeProfit(Decimal("0.01")),
)


def a_tape(path: Path, n: int = 20_000) -> Path:
    """A repeatable walk (a linear congruential generator, no library's random)."""
    state, prices = 12345, [10_000, 10_000, 10_000]
    with TapeWriter(path, TERMS.values()) as tape:
        for i in range(n):
            state = (state * 1103515245 + 12345) % 2**31
            which = state // 7 % 3
            prices[which] += state // 1000 % 11 - 5
            tape.write(
                Tick(
                    IDS[which], price(Decimal(prices[which]) / 100), Nanos(SECOND + i * 40_000_000)
                )
            )
    return path


class Reentering:
    """Opens a position whenever one was closed: the churn of the benchmarks."""

    def __init__(self, replayer: Replayer) -> None:
        self.replayer = replayer
        self.count = 0

    def __call__(self, entry: Entry, state: State) -> None:
        if isinstance(entry.event, OrderFilled) and state.closed[-1:] != ():
            trade = state.closed[-1]
            if trade.seq == entry.seq:
                self.enter(trade.instrument, trade.side.opposite)

    def enter(self, instrument: InstrumentId, side: Side) -> None:
        self.count += 1
        wish = signal(f"s{self.count}", instrument, side, "10")
        self.replayer.give(SubmitSignal(CommandId(f"c{self.count}"), wish))


async def journal_of(tape: TapeReader, *, fast: bool, block: int = 1000) -> list[Entry]:
    clock, journal = ManualClock(Nanos(SECOND)), MemoryJournal()
    venue = PaperVenue(clock, PaperSettings(cash={USD: Decimal(10_000_000)}))
    replayer = Replayer(Core(TERMS), venue, clock, journal)
    replayer.give(session(cash="10000000", rules=RULES, currencies=(USD,)))
    replayer.settle()
    again = Reentering(replayer)
    replayer.watch(again)
    ticks = tape.ticks()
    for _ in range(OPENED):  # the first ticks price all three; then four positions on each
        replayer.take(next(ticks))
    for n in range(12):
        again.enter(IDS[n % 3], Side.BUY if n % 2 else Side.SELL)
    if fast:
        await run_blocks(replayer, tape_blocks(tape, tape.decoder(), OPENED, block), IDS)
    else:
        await replayer.run(ticks)
    return await journal.read()


@pytest.mark.parametrize(("n", "block"), [(5_000, 64), (20_000, 1000), (20_000, 1 << 15)])
async def test_the_fast_lane_writes_the_same_journal(tmp_path: Path, n: int, block: int) -> None:
    tape = TapeReader(a_tape(tmp_path / "walk.tape", n))
    fast = await journal_of(tape, fast=True, block=block)
    plain = await journal_of(tape, fast=False)
    assert fast == plain
    assert sum(type(e.event).__name__ == "StopFired" for e in fast) > 50
