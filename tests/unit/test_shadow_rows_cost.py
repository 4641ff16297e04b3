"""A flatten leaves a shadow of every position: entries that touch none must not look at them."""

from __future__ import annotations

import pytest

from engine.domain.command import Flatten, PauseEntries
from engine.domain.ids import SECOND, CommandId
from engine.domain.risk import LatchCause
from engine.domain.shadow import Shadow
from engine.store.projections import project
from tests.builders import Desk, session, tick


def test_entries_that_touch_no_shadow_compare_none(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk().start(session())
    desk.tick(tick("30", SECOND))
    for number in range(5):
        desk.open(f"s{number}")
    desk.give(Flatten(CommandId("f"), "alice", LatchCause.OPERATOR, "enough"))
    assert len(desk.state.shadows) == 5
    before = desk.state
    new = desk.give(PauseEntries(CommandId("p"), "alice", "alice", "lunch"))

    def compared(_self: Shadow, _other: object) -> bool:
        raise AssertionError("a shadow was compared with another")

    monkeypatch.setattr(Shadow, "__eq__", compared)
    assert len(new) > 1
    assert not project(before, new, desk.state).shadows
