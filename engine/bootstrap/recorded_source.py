"""A recorded day as the source of a live session, and the clock that runs with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import groupby

from engine.bootstrap.options import LiveOptions
from engine.domain.command import ControlFeed
from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.session import Mode
from engine.ports.clock import Clock
from engine.ports.venue import History
from engine.runtime.recorded_clock import RecordedClock
from engine.venues.replay.feed import ReplayFeed
from engine.venues.replay.instruments import load_instruments


class RecordedSource:
    """A recorded day at its pace; the session's clock is the recording's."""

    mode = Mode.REPLAY

    def __init__(self, options: LiveOptions, real: Clock, after: Nanos = Nanos(0)) -> None:
        """Open the files; raises FormatError. `after`: how far a session got that goes on."""
        instruments: dict[InstrumentId, Instrument] = {}
        for path in options.replay_instruments:
            instruments.update(load_instruments(path))
        self._feed = ReplayFeed(
            options.replay_files, real, instruments=instruments, speed=options.replay_speed
        )
        self._path = options.bar_path
        self.history: History | None = None
        self._after = after
        self._feed.seek(Nanos(after + 1))  # what it has traded on is passed over without waiting
        begins = max(self._feed.recording.begins or Nanos(0), after)
        self._clock = RecordedClock(real, begins)
        self.clock: Clock = self._clock

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return await self._feed.instruments()

    async def ticks(self) -> AsyncIterator[list[Tick]]:
        async for batch in self._feed.items():
            new = (item for item in batch if item.at > self._after)
            for at, items in groupby(new, key=lambda item: item.at):
                self._clock.reach(at, self._pace())
                yield [tick for item in items for tick in self._ticks_of(item)]
        self._clock.reach(self._clock.now(), 0.0)

    def _pace(self) -> float:
        return 0.0 if self._feed.is_paused or self._feed.speed is None else self._feed.speed

    def _ticks_of(self, item: Tick | Bar) -> list[Tick]:
        """Return a bar as the four ticks of its path; volume and OI are known at its end."""
        if isinstance(item, Tick):
            return [item]
        first, second = (item.high, item.low) if self._path == "ohlc" else (item.low, item.high)
        opened = Tick(item.instrument, item.open, item.at, source=item.source)
        between = [replace(opened, price=price) for price in (first, second)]
        return [opened, *between, replace(opened, price=item.close, volume=item.volume, oi=item.oi)]

    def control(self, command: ControlFeed) -> None:
        match command.verb:
            case "pause":
                self._feed.pause()
            case "resume":
                self._feed.resume()
            case "step":
                self._feed.step(command.count)
            case "seek" if command.at is not None:
                self._feed.seek(command.at)
            case _:
                self._feed.set_speed(None if command.speed is None else float(command.speed))
        self._clock.reach(self._clock.now(), self._pace())
