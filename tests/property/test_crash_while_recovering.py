"""A crash during a recovery changes nothing of what is found of the gap (E-63, E-66)."""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.carryover import mark_of
from engine.domain.event import (
    Entry,
    Event,
    Peak,
    PeaksRaised,
    QuotesMarked,
    Resumed,
    SessionCrashed,
)
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos, Seq
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.domain.risk import Limits
from engine.domain.state import State
from engine.runtime.core import Core
from tests.builders import CATALOG, NIFTY, SECOND
from tests.property.test_hindsight_equals_living import BEGIN, Life, look_back, markets

price = attrgetter("price")


def evolved(state: State, at: Nanos, *events: Event) -> State:
    for event in events:
        state = evolve(state, Entry(Seq(state.seq + 1), at, event))
    return state


def found_crashed(state: State, since: Nanos, at: Nanos) -> State:
    """Return `state` as the successor of an engine that died takes it up."""
    assert state.session is not None
    held = len(state.positions)
    crash = SessionCrashed(state.session.id, since, Nanos(at - since), held, len(state.orders))
    return evolved(state, at, crash, Resumed())


def seen_by_another(state: State, ticks: list[Tick]) -> State:
    """Return `state` after a life that saw `ticks`, journaled them, and died before it had judged
    anything.
    """
    at = ticks[-1].at
    core = Core(CATALOG, state)
    for tick in ticks:
        core.see(tick)
    held = sorted(state.extremes)
    own = {id_: [t for t in ticks if t.instrument == id_] for id_ in held}
    peaks = tuple(
        Peak(id_, max(mine, key=price).price, min(mine, key=price).price)
        for id_, mine in own.items()
        if mine
    )
    marks = tuple(mark_of(core.quotes[id_]) for id_ in held if id_ in core.quotes)
    return evolved(state, at, PeaksRaised(peaks), QuotesMarked(marks))


@settings(max_examples=100, deadline=None)
@given(ticks=markets(), lived=st.integers(2, 40), second=st.integers(0, 40))
def test_what_a_life_saw_that_died_in_the_recovery_is_no_part_of_the_judgement(
    ticks: list[Tick], lived: int, second: int
) -> None:
    lived = min(lived, len(ticks) - 1)
    life = Life()
    life.begin(Limits())
    for number, tick in enumerate(ticks[:lived]):
        life.take(tick)
        if number < 3:
            life.buy(number)
    since, until = life.entries[-1].at, Nanos(ticks[-1].at + 200 * SECOND)
    once = found_crashed(life.core.state, since, ticks[lived].at)
    later = seen_by_another(once, ticks[min(lived + second, len(ticks) - 1) :])
    twice = found_crashed(later, ticks[-1].at, until)
    assert look_back(twice, since, ticks, until).gaps == look_back(once, since, ticks, until).gaps


def test_an_exit_due_before_the_second_life_began_is_found_by_the_third() -> None:
    """Seen by hand: the question stood there, beside `no rule would have fired`."""
    told = ("100", "120", "100", "118", "119")
    ticks = [
        Tick(NIFTY, Price(Decimal(p)), Nanos(BEGIN + (n + 1) * SECOND), Decimal(75))
        for n, p in enumerate(told)
    ]
    life = Life()
    life.begin(Limits())
    life.take(ticks[0])
    life.buy(0)
    since, until = life.entries[-1].at, Nanos(ticks[-1].at + SECOND)
    once = found_crashed(life.core.state, since, ticks[3].at)
    twice = found_crashed(seen_by_another(once, ticks[3:]), ticks[-1].at, until)
    (gap,) = look_back(twice, since, ticks, until).gaps
    assert gap.finding is not None
    assert (gap.finding.fired_at, gap.finding.first_tradable) == (ticks[2].at, Decimal(100))
    assert gap.samples == len(ticks) - 1
