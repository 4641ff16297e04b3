"""A long journal for the killed engine to come back from: round trips on the simulated market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.money import Currency
from engine.domain.session import Mode
from engine.ports.clock import Clock
from engine.runtime.core import Core
from engine.stops.initial import InitialStop
from engine.stops.trailing import TrailingStop
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.sim.catalog import sim_instruments
from tests.builders import Desk, session, tick

SHARE = InstrumentId("AAPL")
TRIPS_PER_BATCH = 50
TIGHT = Decimal("0.0005")


async def lay(database: Path, count: int, clock: Clock) -> int:
    """Write a new store with at least `count` entries, as an engine would; return how many."""
    catalog = sim_instruments()
    desk = Desk(Core(catalog))
    desk.now = Nanos(clock.now() - 60 * SECOND)
    currencies = sorted({Currency(i.currency) for i in catalog.values()})
    rules = (InitialStop(pct=Decimal("0.002")), TrailingStop(activation_pct=TIGHT, pct=TIGHT))
    database.parent.mkdir(mode=0o700, parents=True)
    async with SqliteJournal.open(database, Stamp(Mode.PAPER, "paper"), desk.now) as journal:
        desk.start(replace(session("100000000", rules, currencies=currencies), feed="sim"))
        trips = 0
        while desk.state.seq < count:
            for _ in range(TRIPS_PER_BATCH):
                trips += 1
                desk.tick(tick("232.00", desk.now + 1, SHARE))
                desk.open(f"past-{trips}", SHARE, size="1")
                desk.tick(tick("231.00", desk.now + 1, SHARE))
            await journal.append(desk.entries, desk.state)
            desk.entries.clear()
        assert not desk.state.positions
        await journal.checkpoint(desk.state, desk.now)
        return desk.state.seq
