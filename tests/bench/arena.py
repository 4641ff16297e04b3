"""A session with P protected positions on a recorded stream, ready to be timed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from engine.domain.command import SubmitSignal
from engine.domain.event import Entry, OrderFilled, OrderRequested, SessionStarted, StopFired
from engine.domain.ids import CommandId, InstrumentId, Nanos, SessionId
from engine.domain.money import Currency, Money, qty
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.session import Mode
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.stop import ExitRule
from engine.ports.journal import Journal
from engine.runtime.blocks import Block, tape_blocks
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.replayer import Replayer
from engine.stops.initial import InitialStop
from engine.stops.take_profit import TakeProfit
from engine.stops.trailing import TrailingStop
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from engine.venues.replay.tape import TapeReader
from tests.bench import peer
from tests.bench.streams import START, Stream, record

OPEN_FROM = 1000
"""By then every instrument has ticked; one position is opened per tick from here on."""
SETUP = 2500
"""Ticks before the timing starts."""
USD = Currency("USD")
CASH = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Levels:
    """Distances of the three rules as ratios of entry (trail: of the peak)."""

    initial: str
    activation: str
    trail: str
    target: str

    @property
    def rules(self) -> tuple[ExitRule, ...]:
        return (
            InitialStop(Decimal(self.initial)),
            TrailingStop(Decimal(self.activation), Decimal(self.trail)),
            TakeProfit(Decimal(self.target)),
        )


CHURN = Levels("0.015", "0.0075", "0.0075", "0.02")
"""Exits all the time at 1 bp a tick."""
STILL = Levels("0.25", "0.01", "0.25", "0.5")
"""Nothing fires within 25 %, and hardly any trailing stop is armed: kind to every engine."""
MOVING = Levels("0.25", "0.0002", "0.25", "0.5")
"""Nothing fires within 25 %; the trailing stops of all longs follow every new high."""


def tape(stream: Stream) -> TapeReader:
    """Return the recording of `stream`, made once and kept in the cache."""
    folder = peer.cache() / "streams"
    folder.mkdir(exist_ok=True)
    name = f"{stream.scenario}-{stream.instruments}-{stream.ticks}-{stream.seed}.tape"
    return TapeReader(record(stream, folder / name))


def started(levels: Levels) -> SessionStarted:
    return SessionStarted(
        SessionId("bench"),
        Mode.REPLAY,
        "paper",
        "replay",
        (Money(CASH, USD),),
        levels.rules,
        Limits(),
    )


class Reentering:
    """Opens a position on the other side whenever one was closed, so that P stays constant."""

    def __init__(self, replayer: Replayer) -> None:
        self._replayer = replayer
        self.opened = self.closed = 0
        replayer.watch(self)

    def __call__(self, entry: Entry, state: State) -> None:
        if isinstance(entry.event, OrderFilled) and state.closed:
            trade = state.closed[-1]
            if trade.seq == entry.seq:
                self.closed += 1
                self.enter(trade.instrument, trade.side.opposite)

    def enter(self, instrument: InstrumentId, side: Side) -> None:
        self.opened += 1
        wish = Signal(f"s{self.opened}", instrument, side, self._replayer.clock.now(), qty=qty("1"))
        self._replayer.give(SubmitSignal(CommandId(f"c{self.opened}"), wish))


@dataclass(slots=True)
class Arena:
    """What is left after the set-up: blocks of records to run, and who is watching."""

    replayer: Replayer
    blocks: Iterator[Block]
    ids: tuple[InstrumentId, ...]
    churn: Reentering
    count: int
    """Records left."""


def prepared(tape: TapeReader, levels: Levels, positions: int, journal: Journal) -> Arena:
    """Open `positions`, one per tick, long and short in turn, all over the instruments."""
    catalog = {instrument.id: instrument for instrument in tape.instruments}
    ids = tuple(catalog)
    clock = ManualClock(START)
    venue = PaperVenue(clock, PaperSettings(cash={USD: CASH}))
    replayer = Replayer(Core(catalog), venue, clock, journal)
    replayer.give(started(levels))
    replayer.settle()
    churn = Reentering(replayer)
    ticks = tape.ticks()
    for number in range(SETUP):
        replayer.take(next(ticks))
        place = number - OPEN_FROM
        if 0 <= place < positions:
            churn.enter(ids[place % len(ids)], Side.SELL if place % 2 else Side.BUY)
            replayer.settle()
    blocks = tape_blocks(tape, tape.decoder(), SETUP)
    return Arena(replayer, blocks, ids, churn, tape.count - SETUP)


@dataclass(frozen=True, slots=True)
class Opening:
    """A position as it entered the market."""

    at: Nanos
    position: str
    index: int
    sign: int
    entry: float


def openings(entries: Iterable[Entry], ids: tuple[InstrumentId, ...]) -> list[Opening]:
    """Return what was opened, in order."""
    asked = {
        e.event.order.id: e.event.order for e in entries if isinstance(e.event, OrderRequested)
    }
    made = []
    for entry in entries:
        if isinstance(entry.event, OrderFilled):
            fill = entry.event.fill
            order = asked[fill.order]
            if order.exit is None:
                index, sign = ids.index(order.instrument), order.side.sign
                made.append(Opening(entry.at, order.position, index, sign, float(fill.price)))
    return made


def exits(entries: Iterable[Entry]) -> list[tuple[Nanos, str, str]]:
    """Return (time, position, reason) of every exit that a rule caused, in order."""
    return [
        (e.at, e.event.position, e.event.reason.code)
        for e in entries
        if isinstance(e.event, StopFired)
    ]


def tape_path(stream: Stream) -> Path:
    return tape(stream).path
