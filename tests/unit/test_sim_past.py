"""The simulated market says what it did while nobody listened."""

from __future__ import annotations

import pytest

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.ports.venue import GapUnknown, History
from engine.runtime.clock import ManualClock
from engine.venues.sim.feed import SimFeed

BEGAN = Nanos(1_764_000_000 * SECOND)
NIFTY = InstrumentId("NIFTY")
BTC = InstrumentId("BTC_USDC-PERPETUAL")


async def told(since: int, until: int, *names: InstrumentId) -> list[Tick]:
    feed = SimFeed(ManualClock(BEGAN), began=BEGAN)
    assert isinstance(feed, History)
    seconds = (Nanos(BEGAN + since * SECOND), Nanos(BEGAN + until * SECOND))
    batches = [batch async for batch in feed.between(*seconds, names)]
    return [item for batch in batches for item in batch if isinstance(item, Tick)]


async def heard(seconds: float) -> list[Tick]:
    """Listen from the beginning, without missing anything."""
    feed = SimFeed(ManualClock(BEGAN), speed=None, duration_s=seconds)
    batches = [batch async for batch in feed.items()]
    return [item for batch in batches for item in batch if isinstance(item, Tick)]


async def test_the_gap_is_what_a_listener_would_have_heard() -> None:
    """Of the index to the digit; where ticks have a spread, who paid it is another throw."""
    lived = [(t.at, t.price) for t in await heard(30) if t.instrument == NIFTY]
    since, until = BEGAN + 10 * SECOND, BEGAN + 20 * SECOND
    wanted = [(at, price) for at, price in lived if since < at <= until]
    found = await told(10, 20, NIFTY)
    assert [(t.at, t.price) for t in found] == wanted
    assert len(wanted) == 50


async def test_only_what_was_asked_for_in_time_order_and_within_the_gap() -> None:
    found = await told(5, 15, NIFTY, BTC)
    assert {t.instrument for t in found} == {NIFTY, BTC}
    times = [t.at for t in found]
    assert times == sorted(times)
    assert BEGAN + 5 * SECOND < times[0] <= times[-1] <= BEGAN + 15 * SECOND


async def test_the_same_seed_tells_the_same_past() -> None:
    assert await told(0, 20, BTC) == await told(0, 20, BTC)


@pytest.mark.parametrize(("since", "until"), [(-5, 5), (0, 7 * 3600)])
async def test_what_is_not_known_is_said(since: int, until: int) -> None:
    with pytest.raises(GapUnknown):
        await told(since, until, BTC)
