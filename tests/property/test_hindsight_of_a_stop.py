"""What an orderly end leaves open is judged like what a crash leaves: as if an engine had lived."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.domain.carryover import carryover
from engine.domain.event import Entry, Resumed, SessionEnded, SessionStarted
from engine.domain.evolve import evolve
from engine.domain.ids import Nanos, Seq, SessionId
from engine.domain.market import Tick
from engine.domain.money import Money
from engine.domain.risk import Limits
from engine.domain.session import Mode, SessionStatus
from engine.domain.state import State
from tests.builders import SECOND
from tests.property.test_hindsight_equals_living import (
    RULES,
    Life,
    exits,
    look_back,
    markets,
    told,
)


def ended(life: Life) -> State:
    """Return the state that an engine leaves that is ended in order now."""
    core, now = deepcopy(life.core), life.clock.now()
    assert core.state.session is not None
    core.time(now)
    core.step(SessionEnded(core.state.session.id, SessionStatus.COMPLETED, "engine"), now)
    return core.state


def taken_up(state: State, since: Nanos, at: Nanos, *, is_new: bool) -> State:
    """Return `state` after the next start: the same session goes on, or a new one takes over."""
    step: Resumed | SessionStarted = Resumed(2, "test", since)
    if is_new:
        cash = tuple(Money(a.cash, currency) for currency, a in state.accounts.items())
        new = SessionId("s2")
        step = SessionStarted(
            new, Mode.PAPER, "paper", "test", cash, RULES, Limits(), carried=carryover(state),
            absent_since=since,
        )  # fmt: skip
    return evolve(state, Entry(Seq(state.seq + 1), at, step))


@settings(max_examples=100, deadline=None)
@given(
    ticks=markets(),
    entered=st.tuples(st.integers(1, 15), st.integers(1, 15), st.integers(1, 15)),
    lived=st.integers(2, 40),
    is_new=st.booleans(),
)
def test_the_judgement_after_an_orderly_end_is_what_the_engine_would_have_done(
    ticks: list[Tick], entered: tuple[int, int, int], lived: int, is_new: bool
) -> None:
    lived = min(lived, len(ticks) - 1)
    life = Life()
    life.begin(Limits())
    for number, tick in enumerate(ticks[:lived], start=1):
        life.take(tick)
        for index, when in enumerate(entered):
            if when == number:
                life.buy(index)
    left, since, died = ended(life), life.clock.now(), len(life.entries)
    assume(left.positions and not left.orders)
    until = Nanos(ticks[-1].at + 200 * SECOND)
    then = taken_up(left, since, until, is_new=is_new)
    assert then.absence is not None
    assert (then.absence.since, then.absence.was_stopped) == (since, True)
    for tick in ticks[lived:]:
        life.take(tick)
    life.pass_until(until)
    seen = look_back(then, since, ticks, until)
    findings = {gap.position: told(gap.finding) for gap in seen.gaps if gap.finding is not None}
    assert findings == exits(life.entries[died:], then)
    assert {gap.position for gap in seen.gaps} == set(then.positions)
