"""After an orderly end the room opens only for what was found; else log and banner say it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.domain import event as ev
from engine.domain.gap import Gap
from engine.domain.ids import SECOND, Nanos
from engine.domain.session import SessionStatus
from engine.domain.state import State
from tests.tui.asked import readable, said
from tests.tui.rig import NOW, Rig, welcome
from tests.tui.rig_crash import FINDINGS, FOUND, question
from tests.tui.staged import shown
from tui.panels import banner
from tui.screens.recovery import RecoveryRoom
from tui.settings import ConsoleSettings

QUIET = ConsoleSettings(has_bell=False)
ENDED = Nanos(FOUND - 88 * SECOND)


def stopped(state: State) -> Iterator[ev.Event]:
    """Yield an orderly end and the start after it."""
    assert state.session is not None
    yield ev.SessionEnded(state.session.id, SessionStatus.COMPLETED, "console")
    yield ev.Resumed(4242, "something was held over the end", ENDED)


def judged(state: State, *fired: str) -> Iterator[ev.Event]:
    for position in state.positions.values():
        found = FINDINGS[position.id] if position.id in fired else None
        yield ev.GapJudged(Gap(position.id, position.instrument, ENDED, FOUND, 120, found))
        if found is not None:
            yield ev.DecisionAsked(question(state, found))


def chips(rig: Rig) -> str:
    lines = banner.project(rig.app.desk, 160)
    return "".join(text for line in lines for text, _ in line)


async def test_where_nothing_was_found_no_room_opens_and_the_banner_says_so_for_a_moment() -> None:
    async with shown((160, 36), welcome(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        for event in stopped(rig.link.state):
            rig.link.happen(NOW, event)
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        assert "that no engine was running" in chips(rig)
        for event in judged(rig.link.state):
            rig.link.happen(NOW, event)
        rig.link.happen(NOW, ev.RecoverySettled("looked back, prices flow"))
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        assert "no rule would have fired" in chips(rig)
        await pilot.press("R")
        await readable(rig, pilot)
        text = said(rig)
        assert "no engine was running for" in text
        assert "crashed" not in text
        assert "cannot be declined" not in text


async def test_where_a_rule_would_have_fired_the_room_opens_and_calls_it_no_crash() -> None:
    async with shown((160, 50), welcome(), QUIET) as (rig, pilot):
        await readable(rig, pilot)
        for event in [*stopped(rig.link.state)]:
            rig.link.happen(NOW, event)
        await readable(rig, pilot)
        assert not isinstance(rig.app.screen, RecoveryRoom)
        for event in [*judged(rig.link.state, "p1")]:
            rig.link.happen(NOW, event)
        await readable(rig, pilot)
        assert isinstance(rig.app.screen, RecoveryRoom)
        text = said(rig)
        assert "would have fired, first tradable 30.05" in text
        assert "crashed" not in text
        assert "1 to decide" in chips(rig)
