"""A start finds what a dead engine left, says so, decides, and can itself be killed anywhere."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bootstrap.opening import CRASH_LOOP, opening_step
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ResumeEntries, SubmitSignal
from engine.domain.errors import IllegalTransition
from engine.domain.event import (
    DecisionAsked,
    EntriesBlocked,
    OrderRequested,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
    SessionStarted,
    SignalRefused,
    StopFired,
)
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, Nanos, Seq, SessionId
from engine.domain.inputs import Opening
from engine.domain.risk import SAFE_MODE, LatchCause, Limits
from engine.domain.session import Mode, Recovery, SessionStatus
from engine.domain.state import State
from engine.runtime.core import Core
from engine.store.projections import project
from engine.store.tables import SESSIONS
from tests.builders import CATALOG, SECOND, Desk, session, signal, tick

RESUME = LiveOptions(Path("nowhere"))
FRESH = replace(RESUME, recovery_flat=Recovery.FRESH)
OVERNIGHT = 24 * 3600.0


def working() -> Desk:
    """Return a desk that made one trade and lost on it: 75 x (100 - 70)."""
    desk = Desk()
    desk.now = Nanos(1_764_000_000 * SECOND)
    desk.start(session(limits=Limits(daily_loss=Decimal(3000))))
    desk.tick(tick("100", desk.now))
    desk.open("a")
    desk.tick(tick("70", desk.now + SECOND))
    assert not desk.state.positions
    desk.tick(tick("100", desk.now + SECOND))
    return desk


def next_step(
    desk: Desk, options: LiveOptions, mode: Mode = Mode.PAPER
) -> Opening | EntriesBlocked | DecisionAsked:
    last_at = desk.entries[-1].at if desk.entries else desk.now
    return opening_step(options, desk.state, CATALOG, mode, desk.now, last_at)


def killed(desk: Desk) -> None:
    """Go on in a new process, which knows nothing but the journal."""
    desk.core = Core(CATALOG, fold(desk.entries))


def start(desk: Desk, options: LiveOptions, steps: int = 99, mode: Mode = Mode.PAPER) -> bool:
    """Take up to `steps` steps of a start; return whether it came to its end."""
    killed(desk)
    for _ in range(steps):
        step = next_step(desk, options, mode)
        desk.give(step)
        if isinstance(step, SessionStarted | Resumed):
            return True
    return False


def kinds(desk: Desk, of: type | tuple[type, ...] = object) -> list[str]:
    return [type(event).__name__ for event in desk.events if isinstance(event, of)]


OPENING = (SessionStarted, SessionCrashed, RecoveryDecided, Resumed, EntriesBlocked)


def test_a_dead_engines_session_is_journaled_as_crashed_with_what_was_found() -> None:
    desk = working()
    desk.open("b")
    last = desk.entries[-1].at
    desk.now = Nanos(last + 90 * SECOND)
    assert start(desk, RESUME)
    assert kinds(desk, OPENING) == [
        "SessionStarted",
        "SessionCrashed",
        "RecoveryDecided",
        "Resumed",
    ]
    (found,) = [e for e in desk.events if isinstance(e, SessionCrashed)]
    assert found == SessionCrashed(SessionId("s1"), last, Nanos(90 * SECOND), 1, 0)
    assert desk.state.session is not None
    assert desk.state.session.status is SessionStatus.ACTIVE


@pytest.mark.parametrize("options", [RESUME, FRESH])
def test_with_a_position_open_nobody_can_decline(options: LiveOptions) -> None:
    desk = working()
    desk.open("b")
    before = desk.state
    assert start(desk, options)
    (decision,) = [e for e in desk.events if isinstance(e, RecoveryDecided)]
    assert (decision.choice, decision.by) == (Recovery.RESUME, "engine")
    assert desk.state.positions == before.positions
    assert desk.state.session is not None
    declined = RecoveryDecided(desk.state.session.id, Recovery.FRESH, "ravi", "I want to")
    killed(desk)
    desk.give(next_step(desk, options))
    with pytest.raises(IllegalTransition, match="open positions"):
        desk.give(declined)


def test_a_working_order_alone_cannot_be_declined() -> None:
    desk = working()
    desk.holds = True
    desk.give(SubmitSignal(CommandId("c-b"), signal("b", at=desk.now)))
    assert desk.state.orders
    assert not desk.state.positions
    assert start(desk, FRESH)
    assert kinds(desk, OPENING)[-1] == "Resumed"
    assert desk.state.orders


def test_orders_that_outlived_an_orderly_end_make_the_session_go_on() -> None:
    desk = working()
    desk.holds = True
    desk.give(SubmitSignal(CommandId("c-b"), signal("b", at=desk.now)))
    desk.give(SessionEnded(SessionId("s1"), SessionStatus.COMPLETED, "test"))
    assert start(desk, RESUME)
    assert kinds(desk, OPENING)[-1] == "Resumed"


@pytest.mark.parametrize("options", [RESUME, FRESH])
def test_flat_goes_by_the_configuration_and_keeps_the_days_figures(options: LiveOptions) -> None:
    desk = working()
    before = desk.state.accounts
    assert start(desk, options)
    (decision,) = [e for e in desk.events if isinstance(e, RecoveryDecided)]
    assert (decision.choice, decision.by) == (options.recovery_flat, "configuration")
    ending = "SessionStarted" if options is FRESH else "Resumed"
    assert kinds(desk, OPENING)[-1] == ending
    for currency, account in desk.state.accounts.items():
        assert account.cash == before[currency].cash
        assert account.lost_today == before[currency].lost_today
        assert account.trades_today == before[currency].trades_today
        assert account.wins_today == before[currency].wins_today
    losses = {c: a.lost_today for c, a in desk.state.accounts.items()}
    assert losses["INR"] == 2250  # type: ignore[index]


def test_starting_fresh_does_not_reset_the_daily_loss_limit() -> None:
    """75 x 30 are lost already: 75 x 10 more reach the limit of 3000."""
    desk = working()
    fresh = replace(FRESH, limits=Limits(daily_loss=Decimal(3000)))
    assert start(desk, fresh)
    desk.tick(tick("100", desk.now + SECOND))
    desk.open("b")
    desk.tick(tick("90.05", desk.now + SECOND))
    assert desk.state.latch is None
    desk.tick(tick("90.00", desk.now + SECOND))
    assert desk.state.latch is not None
    assert desk.state.latch.cause is LatchCause.RISK_LIMIT


def test_a_new_day_counts_from_nothing() -> None:
    desk = working()
    desk.give(SessionEnded(SessionId("s1"), SessionStatus.COMPLETED, "test"))
    desk.now = Nanos(desk.now + int(OVERNIGHT) * SECOND)
    assert start(desk, RESUME)
    assert all(a.earlier is None for a in desk.state.accounts.values())
    assert sum(a.cash for a in desk.state.accounts.values()) == 200_000 - 2250


def test_a_signal_that_acted_before_a_crash_does_not_act_in_the_fresh_session() -> None:
    desk = working()
    assert start(desk, FRESH)
    desk.tick(tick("100", desk.now + SECOND))
    desk.give(SubmitSignal(CommandId("again"), signal("a", at=desk.now)))
    assert isinstance(desk.events[-1], SignalRefused)
    assert not desk.state.positions


@settings(max_examples=60, deadline=None)
@given(
    holds=st.booleans(),
    is_fresh=st.booleans(),
    kills=st.lists(st.integers(0, 3), max_size=4),
    away=st.integers(0, 100),
)
def test_recovery_ends_the_same_wherever_and_however_often_it_is_killed(
    holds: bool, is_fresh: bool, kills: list[int], away: int
) -> None:
    options = replace(FRESH if is_fresh else RESUME, safe_mode_crashes=0)
    ends: list[State] = []
    for cuts in ([], kills):
        desk = working()
        if holds:
            desk.open("b")
        desk.now = Nanos(desk.now + away * SECOND)
        for steps in cuts:
            start(desk, options, steps)
        assert start(desk, options)
        ends.append(comparable(desk.state))
        assert fold(desk.entries) == desk.state
    assert ends[0] == ends[1]


def comparable(state: State) -> State:
    """Return `state` without counts of entries and crashes, and a fresh session's name."""
    assert state.session is not None
    return replace(
        state,
        seq=Seq(0),
        crashes=(),
        handled=dict.fromkeys(state.handled, Seq(0)),
        session=replace(state.session, id=SessionId(""), carried=None),
    )


def test_a_decision_that_was_journaled_stands_although_the_configuration_changed() -> None:
    desk = working()
    assert not start(desk, FRESH, steps=2)
    assert desk.state.session is not None
    assert desk.state.session.choice is Recovery.FRESH
    assert start(desk, RESUME)
    assert kinds(desk, OPENING)[-1] == "SessionStarted"
    assert kinds(desk, RecoveryDecided) == ["RecoveryDecided"]


def test_the_third_crash_in_ten_minutes_blocks_entries_until_a_person_resumes() -> None:
    desk = working()
    desk.open("b")
    for number in range(1, 4):
        desk.now = Nanos(desk.now + 60 * SECOND)
        assert start(desk, RESUME)
        assert (SAFE_MODE in desk.state.blocks) == (number == 3)
    desk.tick(tick("100", desk.now + SECOND))
    desk.give(SubmitSignal(CommandId("no"), signal("c", at=desk.now)))
    assert isinstance(desk.events[-1], SignalRefused)
    assert SAFE_MODE in desk.events[-1].reason
    desk.tick(tick("70", desk.now + SECOND))  # exits go on
    assert kinds(desk, StopFired) == ["StopFired", "StopFired"]
    assert not desk.state.positions
    desk.give(ResumeEntries(CommandId("r"), "ravi", "operator"))
    assert SAFE_MODE not in desk.state.blocks
    desk.give(SubmitSignal(CommandId("yes"), signal("d", at=desk.now)))
    assert kinds(desk, OrderRequested)[-1:] == ["OrderRequested"]


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.REPLAY])
def test_crashes_far_apart_or_of_a_recorded_day_are_no_crash_loop(mode: Mode) -> None:
    desk = working()
    gap = CRASH_LOOP if mode is Mode.PAPER else SECOND
    for _ in range(5):
        desk.now = Nanos(desk.now + gap)
        assert start(desk, RESUME, mode=mode)
    assert SAFE_MODE not in desk.state.blocks


def test_the_sessions_table_shows_crashed_then_active_again() -> None:
    desk = working()
    desk.now = Nanos(desk.now + 90 * SECOND)
    before = desk.state
    started = next(iter(desk.entries))
    start(desk, RESUME)
    status, end = SESSIONS.columns.index("status"), SESSIONS.columns.index("end_time")
    seen = []
    state = before
    for entry in desk.entries[before.seq :]:
        after = fold([entry], state)
        for row in project(state, [entry], after).sessions.values():
            seen.append((row[status], row[end] is None))
        state = after
    assert started.seq == 1
    assert seen == [("crashed", False), ("active", True)]
