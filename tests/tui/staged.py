"""A console on the scripted engine, its frames drawn by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from engine.link.protocol import Welcome
from tests.tui.rig import Rig
from tui.settings import ConsoleSettings


@asynccontextmanager
async def shown(
    size: tuple[int, int] = (120, 36),
    start: Welcome | None = None,
    settings: ConsoleSettings | None = None,
) -> AsyncIterator[tuple[Rig, Pilot[int]]]:
    rig = Rig(settings, start)
    async with rig.app.run_test(size=size) as pilot:
        rig.app.painter.start(1e6)  # frames are drawn by hand
        await frame(rig, pilot)
        yield rig, pilot


async def frame(rig: Rig, pilot: Pilot[int]) -> None:
    await pilot.pause()
    rig.draw()
    await pilot.pause()


def row(rig: Rig, name: str) -> str:
    lines = rig.app.stage.panels["positions"].shown
    return next(line for line in lines if name in line)


def cursor(rig: Rig) -> str | None:
    return rig.app.desk.selected
