"""Three sessions in one store: a day that holds a position over night, a crash, a fresh start.

Recorded once from the real core (`python -m tests.past_days` records it anew) and kept by the real
journal; the times are those of a Kolkata morning.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from engine.bootstrap.opening import opening_step
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.event import (
    Entry,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
    StrategyNoted,
)
from engine.domain.evolve import evolve, fold
from engine.domain.ids import CommandId, Nanos, StrategyName
from engine.domain.money import price
from engine.domain.session import Mode, Recovery, SessionStatus
from engine.domain.state import State
from engine.runtime.core import Core
from engine.store.codec import encode_event
from engine.store.rows import entry_of
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import CATALOG, INR, NIFTY, PUT_25900, SECOND, Desk, session, tick

NINE = Nanos(1_764_039_600 * SECOND)
"""2025-11-25 08:30 in Kolkata."""
DAY = 24 * 3600 * SECOND
HOSTILE = "\x1b[2Jnote [red]of[/red] \u202eevil"
STAMP = Stamp(Mode.PAPER, "paper")
RECORDED = Path(__file__).parent / "data" / "past_days.json"


def days() -> list[Entry]:
    """Return the journal: s1 (holds over night), s2 (crashes, resumed, ends), s3 (runs)."""
    return [entry_of(*row) for row in json.loads(RECORDED.read_text(encoding="utf-8"))]


def record() -> None:
    """Record what the core makes of it now."""
    rows = []
    for entry in made():
        kind, version, body = encode_event(entry.event)
        rows.append([entry.seq, entry.at, kind, version, body.decode()])
    RECORDED.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")


def made() -> list[Entry]:
    """Return the journal of the three days as the core writes it."""
    desk = Desk()
    desk.now = NINE
    desk.start(session(currencies=(INR,)))
    first = _trade(desk, "100.00", "a")
    _to(desk, "104.00")
    _close(desk, first)
    _trade(desk, "100.00", "b")
    _to(desk, "100.70")
    _end(desk)
    _next(desk, 1)
    _to(desk, "101.00")
    desk.give(StrategyNoted(StrategyName("s"), HOSTILE))
    held = next(iter(desk.state.positions))
    desk.give(
        ChangeStop(CommandId("stop"), held, "test", stop_loss=price("95.00"), take_profit=None)
    )
    _close(desk, _trade(desk, "101.50", "c"))
    desk.give(ClosePosition(CommandId("refused"), "nobody", "test"))  # type: ignore[arg-type]
    _crash(desk)
    _to(desk, "94.00")  # the stop of b fires
    _end(desk)
    _next(desk, 1)
    _trade(desk, "90.00", "d")
    _to(desk, "91.00")
    return desk.entries


def _to(desk: Desk, last: str) -> None:
    for step in range(1, 4):
        desk.tick(tick(last, desk.now + step * SECOND))
    desk.pass_time(1)


def _trade(desk: Desk, last: str, name: str) -> str:
    desk.tick(tick(last, desk.now + SECOND))
    return desk.open(name).id


def _close(desk: Desk, position: str) -> None:
    command = CommandId(f"close-{len(desk.entries)}")
    desk.give(ClosePosition(command, position, "test"))  # type: ignore[arg-type]


def _end(desk: Desk) -> None:
    assert desk.state.session is not None
    desk.give(SessionEnded(desk.state.session.id, SessionStatus.COMPLETED, "test"))


def _next(desk: Desk, nights: int) -> None:
    desk.core = Core(CATALOG, fold(desk.entries))
    desk.now = Nanos(desk.now + nights * DAY)
    options = LiveOptions(Path("nowhere"), initial_capital=Decimal(100_000))
    market = {NIFTY: PUT_25900}
    last = desk.entries[-1].at
    step = opening_step(options, desk.state, market, Mode.PAPER, desk.now, last)
    assert isinstance(step, SessionStarted)
    desk.give(step)


def _crash(desk: Desk) -> None:
    assert desk.state.session is not None
    last, desk.core = desk.entries[-1].at, Core(CATALOG, fold(desk.entries))
    desk.now = Nanos(desk.now + 720 * SECOND)
    name, held = desk.state.session.id, len(desk.state.positions)
    desk.give(SessionCrashed(name, last, Nanos(desk.now - last), held, 0))
    desk.give(RecoveryDecided(name, Recovery.RESUME, "operator", "the stops stand"))
    desk.give(Resumed(4711, "the engine died"))


async def kept(path: Path, entries: list[Entry]) -> None:
    """Write `entries` as an engine would: in batches, with a checkpoint now and then."""
    async with SqliteJournal.open(path, STAMP, NINE) as journal:
        state = State()
        for number, entry in enumerate(entries):
            state = evolve(state, entry)
            await journal.append([entry], state)
            if isinstance(entry.event, SessionEnded) or number % 7 == 0:
                await journal.checkpoint(state, entry.at)


async def rest(path: Path, entries: list[Entry]) -> None:
    """Write what comes after the entries that are in the store already."""
    async with SqliteJournal.open(path, STAMP, NINE) as journal:
        await journal.append(entries, fold(entries, journal.recovered.state))


if __name__ == "__main__":
    record()
