"""The replay feed: a recording at the pace of its own times, faster, or as fast as it goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.ports.clock import Clock
from engine.ports.venue import FeedItem
from engine.venues.refusals import Refusals
from engine.venues.replay.merge import Item, open_recording

BATCH = 1000
"""Items per batch at most: between two batches everybody else gets a turn."""


class ReplayFeed:
    """Implements engine.ports.venue.Feed over recorded files.

    `clock` paces the delivery and is not the clock of the session: a session over this feed lives
    in recorded time, which it takes from the items. `speed` is recorded seconds per second of
    `clock`; None delivers as fast as the reader asks.
    """

    name = "replay"

    def __init__(
        self,
        paths: Sequence[Path],
        clock: Clock,
        *,
        instruments: dict[InstrumentId, Instrument] | None = None,
        speed: float | None = None,
        refused: Refusals | None = None,
    ) -> None:
        """Open the files; raise FormatError if one cannot be read."""
        self.recording = open_recording(paths, instruments)
        self.refused = refused if refused is not None else Refusals()
        self.position: Nanos | None = None
        """Time of the last item delivered."""
        self._clock = clock
        self._speed = _checked(speed)
        self._anchor: tuple[Nanos, Nanos] | None = None
        """(recorded time, clock's time) that pacing counts from; None: from the next item."""
        self._hurry_to = Nanos(0)
        self._allowance = 0
        """Items that may still be delivered while paused."""
        self._is_paused = False
        self._changed = asyncio.Event()

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def speed(self) -> float | None:
        return self._speed

    async def instruments(self) -> dict[InstrumentId, Instrument]:
        return dict(self.recording.instruments)

    def pause(self) -> None:
        """Deliver nothing more until `resume` or `step`."""
        self._is_paused = True
        self._wake()

    def resume(self) -> None:
        """Go on from where it was paused; the time in between is not caught up."""
        self._is_paused, self._allowance = False, 0
        self._wake()

    def step(self, items: int = 1) -> None:
        """Deliver `items` more and stay paused."""
        self._is_paused = True
        self._allowance += items
        self._wake()

    def set_speed(self, speed: float | None) -> None:
        """Change the pace from here on; raise ValueError unless above 0 (or None: no pace)."""
        self._speed = _checked(speed)
        self._wake()

    def seek(self, at: Nanos) -> None:
        """Deliver everything before `at` without waiting, then go on at the set pace (or paused).

        Nothing is left out, so stops on the way act. Raises ValueError for a time already passed:
        what was traded cannot be taken back, that needs a new session.
        """
        if self.position is not None and at < self.position:
            raise ValueError(f"seek goes forward only: at {self.position}, asked for {at}")
        self._hurry_to = at
        self._wake()

    async def items(self) -> AsyncIterator[list[FeedItem]]:
        """Yield batches in time order; with a pace, one batch per instant that is due."""
        batch: list[FeedItem] = []
        for item in self.recording.items(self.refused):
            if batch and (len(batch) >= BATCH or not self._is_due_with(item, batch)):
                yield self._delivered(batch)
                batch = []
                await asyncio.sleep(0)
            if not batch:
                await self._wait_for(item.at)
            self._allowance -= self._is_paused and item.at >= self._hurry_to
            batch.append(item)
        if batch:
            yield self._delivered(batch)

    def _delivered(self, batch: list[FeedItem]) -> list[FeedItem]:
        self.position = batch[-1].at
        return batch

    def _is_due_with(self, item: Item, batch: list[FeedItem]) -> bool:
        if self._is_held(item.at):
            return False
        return self._delay(item.at) <= 0 or item.at == batch[-1].at

    def _is_held(self, at: Nanos) -> bool:
        return self._is_paused and self._allowance <= 0 and at >= self._hurry_to

    def _delay(self, at: Nanos) -> float:
        """Return the seconds of the pacing clock until an item of time `at` is due."""
        if self._speed is None or at < self._hurry_to or self._is_paused:
            return 0.0
        if self._anchor is None:
            self._anchor = (at, self._clock.monotonic())
        recorded, started = self._anchor
        due = started + (at - recorded) / self._speed
        return (due - self._clock.monotonic()) / SECOND

    async def _wait_for(self, at: Nanos) -> None:
        while True:
            self._changed.clear()
            if self._is_held(at):
                await self._changed.wait()
            elif (delay := self._delay(at)) > 0:
                await self._sleep(delay)
            else:
                return

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not beyond a change of pace, a pause or a seek."""
        async with asyncio.TaskGroup() as group:
            asleep = group.create_task(self._clock.sleep(seconds))
            changed = group.create_task(self._changed.wait())
            await asyncio.wait({asleep, changed}, return_when=asyncio.FIRST_COMPLETED)
            asleep.cancel()
            changed.cancel()

    def _wake(self) -> None:
        self._anchor = None
        self._changed.set()


def _checked(speed: float | None) -> float | None:
    if speed is not None and not 0 < speed < float("inf"):
        raise ValueError(f"speed was {speed}, allowed: above 0, or max")
    return speed
