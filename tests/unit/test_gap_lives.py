"""What a gap asks over several lives, beside new positions, partial exits and unsellable ones."""

from __future__ import annotations

from dataclasses import replace
from functools import partialmethod

import pytest

from engine.domain.command import ClosePosition
from engine.domain.decision import Choice
from engine.domain.event import EntriesAllowed, Peak, RecoveryDecided, Resumed, SessionCrashed
from engine.domain.evolve import fold
from engine.domain.ids import SECOND, CommandId, Nanos, SessionId
from engine.domain.money import price, qty
from engine.domain.recovery import unsettled
from engine.domain.risk import RECOVERY
from engine.domain.session import Recovery
from engine.runtime.core import Core
from tests.builders import CATALOG, NIFTY, Desk, tick
from tests.unit.test_gap_decisions import AWAY, BEGIN, crashed, found, seen


def test_what_was_opened_after_the_crash_needs_no_look_back() -> None:
    desk, held = crashed()
    assert held is not None
    assert unsettled(desk.state) == "looking back at 1 positions"
    desk.give(EntriesAllowed(RECOVERY))
    late = desk.open("late")  # an entry that was in flight, or what somebody adopted
    assert late.id != held.id
    desk.give(seen(replace(found(held), finding=None)))
    assert unsettled(desk.state) == ""


def test_a_life_without_a_person_answers_what_the_last_one_asked_a_person() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held), due_at=None))
    assert desk.state.decisions
    desk.core = Core(CATALOG, fold(desk.entries))
    desk.give(SessionCrashed(SessionId("s1"), BEGIN, Nanos(AWAY * SECOND), 1, 0))
    desk.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
    desk.give(Resumed())
    desk.tick(tick("101", desk.now))
    desk.give(seen(found(held), is_answered=True))
    assert not desk.state.decisions
    assert not desk.state.positions


def test_the_peak_of_a_gap_is_nothing_to_what_was_opened_after_it() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(EntriesAllowed(RECOVERY))
    late = desk.open("late")
    peaks = (Peak(NIFTY, price("160"), price("95")),)
    desk.give(seen(replace(found(held), finding=None), peaks=peaks))
    assert desk.state.peak(late) == price("101")
    desk.tick(tick("101.5", desk.now + SECOND))
    assert late.id in desk.state.positions


@pytest.mark.parametrize("is_answered", [True, False])
def test_what_cannot_be_booked_in_the_gap_is_closed_now(is_answered: bool) -> None:
    desk, held = crashed()
    assert held is not None
    gap, due_at = found(held, None), Nanos(desk.now + SECOND)
    desk.give(seen(gap, policy=Choice.BOOK, due_at=due_at, is_answered=is_answered))
    desk.pass_time(2)
    assert not desk.state.decisions
    assert not desk.state.positions


def test_closing_a_part_by_hand_leaves_the_question_about_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Desk, "open", partialmethod(Desk.open, size="150"))
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held), due_at=None))
    desk.give(ClosePosition(CommandId("part"), held.id, by="alice", qty=qty("75")))
    assert [d.position for d in desk.state.decisions.values()] == [held.id]
    desk.give(ClosePosition(CommandId("rest"), held.id, by="alice"))
    desk.pass_time(1)
    assert not desk.state.decisions
