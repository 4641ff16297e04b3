"""The console over a store with a past: waiting for answers by what was told, never by time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from engine.domain.event import SessionCrashed
from engine.link.archive import Archive
from tests.linked import PATIENCE
from tests.past_days import days, kept
from tests.tui.rig import Rig
from tests.tui.staged import frame, shown
from tui.past_stage import PastStage
from tui.settings import ConsoleSettings


async def until(pilot: Pilot[int], is_so: Callable[[], bool]) -> None:
    """Return once `is_so`; fail after a patience that no machine needs."""
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await pilot.pause()
            await asyncio.sleep(0.005)


@asynccontextmanager
async def with_past(
    tmp_path: Path, size: tuple[int, int] = (120, 36), theme: str = "dark"
) -> AsyncIterator[tuple[Rig, Pilot[int]]]:
    """Yield a console whose engine has the three sessions of `tests.past_days` in its store."""
    path = tmp_path / "holdfast.db"
    await kept(path, days())
    async with shown(size, settings=ConsoleSettings(theme=theme, has_bell=False)) as (rig, pilot):
        rig.link.past = Archive(path)
        yield rig, pilot


async def listed(rig: Rig, pilot: Pilot[int]) -> None:
    """Show the sessions, and wait until everything about them was told."""
    await pilot.press("6")
    known = rig.app.desk.sessions
    await until(pilot, lambda: not known.is_asking and len(known.proofs) == 3)
    await frame(rig, pilot)


async def opened(rig: Rig, pilot: Pilot[int], session: str) -> PastStage:
    """Open the time line of a session and wait until all of it is there."""
    rig.app.act("past.open", session)
    past = rig.app.past
    assert past is not None
    await until(pilot, lambda: past.bringing.is_over and past.is_current)
    await frame(rig, pilot)
    return past


def s2() -> str:
    """Return the name of the session that crashed and was resumed."""
    return next(e.event.session for e in days() if isinstance(e.event, SessionCrashed))
