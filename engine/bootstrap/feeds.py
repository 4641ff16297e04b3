"""The feed of a live session, and the clock that goes with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from engine.bootstrap.opening import goes_on
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ControlFeed
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Tick
from engine.domain.session import Mode
from engine.domain.state import State
from engine.ports.clock import Clock
from engine.ports.venue import Feed, History
from engine.venues import FEEDS, adapter


class Source(Protocol):
    """A feed and the time it lives in."""

    clock: Clock
    mode: Mode
    history: History | None
    """What its market did while nobody listened; None: it cannot say."""

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        """Return the terms of everything it can price."""

    def ticks(self) -> AsyncIterator[list[Tick]]:
        """Yield batches of ticks until it ends."""

    def control(self, command: ControlFeed) -> None:
        """Do what an accepted command says."""


class LiveSource:
    """Prices of now."""

    mode = Mode.PAPER

    def __init__(self, feed: Feed, clock: Clock) -> None:
        self.clock = clock
        self._feed = feed
        self.history: History | None = feed if isinstance(feed, History) else None

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return await self._feed.instruments()

    async def ticks(self) -> AsyncIterator[list[Tick]]:
        async for batch in self._feed.items():
            yield [item for item in batch if isinstance(item, Tick)]

    def control(self, command: ControlFeed) -> None:
        """Nothing can be controlled here; the engine refused the command."""


def source_of(options: LiveOptions, clock: Clock, state: State, last_at: Nanos) -> Source:
    """Return the feed that `options` name, for a session that goes on: where `state` left it.

    `last_at`: when the journal's last entry was made.
    """
    if options.feed == "replay":
        from engine.bootstrap.recorded_source import RecordedSource  # files and formats, only here

        return RecordedSource(options, clock, last_at if goes_on(state) else Nanos(0))
    session = state.session
    feed: Feed = adapter(FEEDS, options.feed)(
        clock,
        seed=options.sim_seed,
        speed=options.sim_speed,
        pace=options.sim_pace,
        began=session.started_at if session is not None and goes_on(state) else None,
    )
    return LiveSource(feed, clock)
