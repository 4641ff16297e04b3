"""An orderly end with positions open leaves a gap, too: the next start looks back at it (E-63)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bootstrap.opening import opening_step
from engine.bootstrap.options import LiveOptions
from engine.domain.decision import Choice
from engine.domain.event import (
    RecoverySettled,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
)
from engine.domain.gap import Absence, Gap
from engine.domain.ids import Nanos, SessionId
from engine.domain.inputs import GapSeen
from engine.domain.session import Mode, SessionStatus
from engine.store import codec
from tests.builders import CATALOG, SECOND, Desk, session, tick
from tests.unit.test_recovery import start

OPTIONS = LiveOptions(Path("nowhere"), safe_mode_crashes=0)
BEGIN = Nanos(1_764_000_000 * SECOND)
HOUR = 3600
DAY = 24 * HOUR


def stopped(*, is_flat: bool = False) -> Desk:
    """A desk whose engine was ended in order, with a position open unless `is_flat`."""
    desk = Desk()
    desk.now = BEGIN
    desk.start(session())
    desk.tick(tick("100", BEGIN))
    if not is_flat:
        desk.open("a")
    desk.now = Nanos(BEGIN + 60 * SECOND)
    end(desk)
    return desk


def end(desk: Desk) -> None:
    assert desk.state.session is not None
    desk.give(SessionEnded(desk.state.session.id, SessionStatus.COMPLETED, "engine"))


def absence(desk: Desk) -> Absence:
    assert desk.state.absence is not None
    return desk.state.absence


@pytest.mark.parametrize(("away", "step"), [(300, Resumed), (3 * DAY, SessionStarted)])
def test_a_start_after_an_orderly_end_looks_back_from_its_last_entry(
    away: int, step: type[Resumed | SessionStarted]
) -> None:
    desk = stopped()
    ended_at = desk.entries[-1].at
    desk.now = Nanos(desk.now + away * SECOND)
    assert start(desk, OPTIONS)
    assert isinstance(desk.events[-1], step)
    found = absence(desk)
    assert (found.since, found.found_at) == (ended_at, desk.now)
    assert (found.session, found.positions, found.was_stopped) == (SessionId("s1"), 1, True)
    assert not found.is_settled
    assert not desk.state.crashes, "nothing crashed"


def test_with_nothing_open_there_is_nothing_to_look_back_at() -> None:
    desk = stopped(is_flat=True)
    desk.now = Nanos(desk.now + 300 * SECOND)
    assert start(desk, OPTIONS)
    assert desk.state.absence is None


def test_a_recording_stands_still_while_nobody_runs_it() -> None:
    desk = stopped()
    step = opening_step(OPTIONS, desk.state, CATALOG, Mode.REPLAY, desk.now, desk.now)
    assert isinstance(step, Resumed)
    assert step.absent_since is None


def test_an_old_journal_opens_with_nothing_to_look_back_at() -> None:
    desk = stopped()
    kind, version, _ = codec.encode_event(Resumed())
    old = codec.decode_event(kind, version, b'{"pid":1,"reason":"goes on"}')
    assert isinstance(old, Resumed)
    desk.give(old)
    assert desk.state.absence is None


def test_another_end_before_it_was_judged_adds_to_the_time() -> None:
    desk = stopped()
    first = desk.entries[-1].at
    for _ in range(2):
        desk.now = Nanos(desk.now + 300 * SECOND)
        assert start(desk, OPTIONS)
        end(desk)
    assert start(desk, OPTIONS)
    assert (absence(desk).since, absence(desk).was_stopped) == (first, True)


def test_a_crash_before_it_was_judged_adds_to_the_time_and_is_called_one() -> None:
    desk = stopped()
    first = desk.entries[-1].at
    assert start(desk, OPTIONS)
    desk.now = Nanos(desk.now + 300 * SECOND)
    assert start(desk, OPTIONS)
    assert any(isinstance(event, SessionCrashed) for event in desk.events)
    assert (absence(desk).since, absence(desk).was_stopped) == (first, False)


def test_once_it_is_settled_the_next_end_is_a_gap_of_its_own() -> None:
    desk = stopped()
    assert start(desk, OPTIONS)
    (held,) = desk.state.positions.values()
    found = absence(desk)
    desk.give(RecoverySettled("too soon"))
    assert not absence(desk).is_settled, "nothing was judged yet"
    gap = Gap(held.id, held.instrument, found.since, found.found_at, 0)
    desk.give(GapSeen((gap,), (), Choice.KEEP))
    desk.give(RecoverySettled("nothing would have fired"))
    assert absence(desk).is_settled
    desk.now = Nanos(desk.now + 300 * SECOND)
    end(desk)
    last = desk.entries[-1].at
    assert start(desk, OPTIONS)
    assert absence(desk).since == last


@settings(max_examples=40, deadline=None)
@given(kills=st.lists(st.integers(0, 3), max_size=4), away=st.sampled_from([5, 300, 3 * DAY]))
def test_it_begins_at_the_same_moment_wherever_and_however_often_the_start_is_killed(
    kills: list[int], away: int
) -> None:
    desk = stopped()
    ended_at = desk.entries[-1].at
    desk.now = Nanos(desk.now + away * SECOND)
    for steps in kills:
        start(desk, OPTIONS, steps)
    assert start(desk, OPTIONS)
    assert absence(desk).since == ended_at
    assert absence(desk).held == tuple(desk.state.positions)
    assert not absence(desk).is_settled
