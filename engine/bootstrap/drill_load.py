"""What a drill keeps an engine busy with: entries, closes and moved stops, from a seed.

After a kill the newest commands, of which nobody knows whether they arrived, are said again with
the same ids: each must act once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random  # noqa: TID251 (the drill's edge; always seeded)
from typing import Final

from engine.domain.command import (
    ChangeStop,
    ClosePosition,
    Command,
    LiftLatch,
    ResumeEntries,
    SubmitSignal,
)
from engine.domain.ids import CommandId, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.money import Price, rounded_down
from engine.domain.order import Side
from engine.domain.position import Position
from engine.domain.signal import Signal
from engine.domain.state import State

SAID_AGAIN: Final = 4
"""Newest commands of a killed engine that are sent to the next one too."""
BY: Final = "drill"
UNBLOCKED: Final = 0.2
"""Share of the commands that lift what holds entries back, while something does."""


class Chance(Random):
    """The drill's only chance: one seed, one drill."""


class Load:
    """Makes commands out of chance and of what is open."""

    def __init__(self, rng: Chance, name: str, wanted: int) -> None:
        """`name` goes into every id; `wanted`: about so many positions are kept open."""
        self._rng = rng
        self._name = name
        self._wanted = wanted
        self._count = 0
        self._last: deque[Command] = deque(maxlen=SAID_AGAIN)

    def opening(self, state: State) -> Iterator[Command]:
        """Yield what a new engine hears first: what the last one may not have heard."""
        yield from tuple(self._last)

    def next(
        self,
        state: State,
        quotes: dict[InstrumentId, Quote],
        instruments: Sequence[Instrument],
        now: Nanos,
    ) -> Command | None:
        """Return the next command; None: there is nothing to do yet."""
        dice = self._rng.random()
        if (state.blocks or state.latch) and dice < UNBLOCKED:
            return self._unblocking(state)
        held = [p for p in state.positions.values() if p.close is None]
        dice = self._rng.random()
        if held and (len(held) >= self._wanted or dice < 0.1):
            position = self._rng.choice(held)
            command = self._close(position) if dice < 0.7 else self._stop(position, state, quotes)
        else:
            command = self._entry(quotes, instruments, now)
        if command is not None:
            self._last.append(command)
        return command

    def _entry(
        self, quotes: dict[InstrumentId, Quote], instruments: Sequence[Instrument], now: Nanos
    ) -> Command | None:
        priced = [i for i in instruments if i.is_tradable and i.id in quotes]
        if not priced:
            return None
        instrument = self._rng.choice(priced)
        id_ = self._id()
        signal = Signal(
            id=id_,
            instrument=instrument.id,
            side=self._rng.choice((Side.BUY, Side.SELL)),
            at=now,
            qty=None,
            reason=BY,
        )
        return SubmitSignal(CommandId(f"signal-{id_}"), signal, BY)

    def _unblocking(self, state: State) -> Command:
        """Return what a person would do on the copy after so many crashes."""
        if state.latch is not None:
            return LiftLatch(self._id(), BY, "a drill on a copy")
        return ResumeEntries(self._id(), BY, self._rng.choice(tuple(state.blocks)))

    def _close(self, position: Position) -> Command:
        return ClosePosition(self._id(), position.id, BY, note="a drill")

    def _stop(
        self, position: Position, state: State, quotes: dict[InstrumentId, Quote]
    ) -> Command | None:
        """Return a stop some way from the price: near enough to be hit now and then."""
        quote = quotes.get(position.instrument)
        if quote is None:
            return None
        away = Decimal(self._rng.randint(1, 40)) / 1000
        tick = state.instruments[position.instrument].tick_size
        stop = rounded_down(quote.last * (1 - position.side.sign * away), tick)
        if stop <= 0:
            return None
        return ChangeStop(self._id(), position.id, BY, Price(stop), position.take_profit)

    def _id(self) -> CommandId:
        self._count += 1
        return CommandId(f"{self._name}-{self._count}")


def fresh(quotes: dict[InstrumentId, Quote], moved: Sequence[Quote]) -> None:
    """Enter newest quotes into `quotes`; those that only the journal remembers are no prices."""
    for quote in moved:
        if quote.source != "journal":
            quotes[quote.instrument] = replace(quote)
