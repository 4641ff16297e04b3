"""Looking back at a gap ends the shadows that an engine that lived would have ended in it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.event import Entry, ShadowEnded
from engine.domain.ids import CommandId, Nanos
from engine.domain.market import Tick
from engine.domain.money import price, rounded
from engine.domain.risk import Limits
from engine.domain.shadow import watched
from tests.builders import CATALOG, SECOND
from tests.property.test_hindsight_equals_living import Life, look_back, markets


def touch(life: Life, which: int, number: int, deed: str) -> None:
    """Close a position by hand, or move its stop close to the price."""
    held = list(life.core.state.positions.values())
    if not held:
        return
    position = held[which % len(held)]
    command = CommandId(f"h{number}")
    if deed == "close":
        life.replayer.give(ClosePosition(command, position.id, "console"))
    else:
        last = life.core.quotes[position.instrument].last
        step = CATALOG[position.instrument].tick_size
        stop = price(rounded(last * (100 - position.side.sign) / 100, step))
        life.replayer.give(ChangeStop(command, position.id, "console", stop, None))
    life.replayer.settle()


def endings(entries: list[Entry]) -> dict[str, tuple[object, ...]]:
    return {
        e.event.shadow: (e.at, e.event.reason, e.event.price, e.event.pnl)
        for e in entries
        if isinstance(e.event, ShadowEnded)
    }


@settings(max_examples=120, deadline=None)
@given(
    ticks=markets(),
    touched=st.lists(
        st.tuples(st.integers(2, 25), st.integers(0, 2), st.sampled_from(("close", "restop"))),
        max_size=5,
    ),
    lived=st.integers(3, 40),
)
def test_what_ends_in_a_gap_is_what_the_engine_would_have_ended(
    ticks: list[Tick], touched: list[tuple[int, int, str]], lived: int
) -> None:
    lived = min(lived, len(ticks) - 1)
    life = Life()
    life.begin(Limits())
    for number, tick in enumerate(ticks[:lived], start=1):
        life.take(tick)
        if number <= 3:
            life.buy(number - 1)
        for index, (when, which, deed) in enumerate(touched):
            if when == number:
                touch(life, which, index, deed)
    then, died = life.core.state, len(life.entries)
    since, until = life.entries[-1].at, Nanos(ticks[-1].at + 200 * SECOND)
    for tick in ticks[lived:]:
        life.take(tick)
    life.pass_until(until)
    seen = look_back(then, since, ticks, until)
    found = {e.shadow: (e.fired_at, e.reason, e.price, e.pnl) for e in seen.shadows}
    assert found == endings(life.entries[died:])
    assert set(found) <= {shadow.id for shadow in watched(then.shadows)}
