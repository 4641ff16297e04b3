"""Brings a feed's prices to the engine, through the door that judges them."""

from __future__ import annotations

import asyncio
from typing import Final

from engine.bootstrap.feeds import Source
from engine.bootstrap.tending import flowing
from engine.domain.session import Mode
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.runtime.monitor import Monitor
from engine.runtime.strategist import Strategist

STRATEGY_STEP_S: Final = 0.25


async def supply(
    source: Source,
    engine: Engine,
    monitor: Monitor,
    executor: Executor,
    strategist: Strategist,
) -> None:
    """Feed `engine` until the feed ends; a recording waits for what each instant led to."""
    is_recording = source.mode is Mode.REPLAY
    # A recording can wait for whoever is to see it from the start.
    while is_recording and not strategist.is_ready:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    clock, accept = source.clock, monitor.accept
    lost = monitor.feed_lost
    async for batch in flowing(source.ticks, clock, lost, is_recording=is_recording):
        now = clock.now()
        await engine.offer([tick for tick in batch if accept(tick, now)])
        # Its orders fill at its prices: three places to look at, once per recorded instant.
        while is_recording and (  # noqa: ASYNC110
            engine.waiting or engine.is_busy or not executor.is_idle
        ):
            await asyncio.sleep(0)


async def pass_time(strategist: Strategist, clock: Clock) -> None:
    """Let time pass for strategies, for ever: bars end in a silent market, too."""
    while True:
        await clock.sleep(STRATEGY_STEP_S)
        strategist.on_time(clock.now())
