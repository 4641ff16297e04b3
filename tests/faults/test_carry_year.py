"""T09: a year of sessions, each carried over from the one before through the real store."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from random import Random

from engine.bootstrap.opening import opening_step
from engine.domain.event import SessionStarted
from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.runtime.core import Core
from engine.store.reader import StoreReader
from engine.store.sqlite import SqliteJournal
from tests.builders import CATALOG, INR, Desk
from tests.faults.store_chance import STAMP
from tests.faults.test_standstill import Record
from tests.unit.test_carryover import (
    DAY,
    MARKET,
    OPTIONS,
    closes,
    ends,
    equity,
    opened,
    trades,
)

DAYS = 365


def morning(desk: Desk) -> None:
    """Begin the day after, from the state that the store is shown to lead to."""
    desk.core = Core(CATALOG, desk.state)
    desk.now = Nanos(desk.now + DAY)
    step = opening_step(OPTIONS, desk.state, MARKET, Mode.PAPER, desk.now, desk.entries[-1].at)
    assert isinstance(step, SessionStarted)
    desk.give(step)


async def test_a_year_of_sessions_carries_every_cent_and_every_position(
    tmp_path: Path, record_property: Record
) -> None:
    path, rng, desk = tmp_path / "holdfast.db", Random(9), opened()
    written, held, difference = 0, 0, Decimal(0)
    for day in range(DAYS):
        trades(desk, f"{90 + rng.randrange(400) / 20:.2f}")
        desk.open(f"d{day}", size="75")
        trades(desk, f"{90 + rng.randrange(400) / 20:.2f}")
        while len(desk.state.positions) > 1 + day % 3:
            closes(desk, next(iter(desk.state.positions.values())))
        ends(desk)
        closing, before = equity(desk.state), desk.state.positions
        if day % 20 == 0:  # a process of its own, which recovers what the ones before it wrote
            async with SqliteJournal.open(path, STAMP, desk.now) as journal:
                assert journal.recovered.state == fold(desk.entries[:written])
                await journal.append(desk.entries[written:], desk.state)
            written = len(desk.entries)
        morning(desk)
        difference += abs(equity(desk.state) - closing)
        assert desk.state.accounts[INR].initial == closing
        assert desk.state.positions == before
        held += len(before)
    async with SqliteJournal.open(path, STAMP, Nanos(desk.now + 1)) as journal:
        await journal.append(desk.entries[written:], desk.state)
        assert journal.head == len(desk.entries)
        assert await journal.differences() == []
    with StoreReader.open(path) as reader:
        broken = [proof for proof in reader.balance() if not proof.is_ok]
        assert len(reader.sessions(1000)) == DAYS + 1
    assert broken == []
    assert held > DAYS
    assert difference == 0
    record_property("n", DAYS)
    record_property("seed", 9)
    record_property(
        "figure", f"{DAYS} nights, {held} positions carried: difference {difference:.2f}"
    )
