"""The time line: the same panels at a moment of a session, moved through by keys (C-15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.evolve import fold
from engine.domain.ids import SECOND, Nanos
from tests.past_days import HOSTILE, days
from tests.tui.past_rig import opened, s2, with_past
from tests.tui.rig import NOW, Rig
from tests.tui.staged import frame
from tui import formatting as fmt
from tui.actions import ACTIONS
from tui.past.kinds import Kind, kind_of
from tui.past_stage import PastStage

STARTS = [e.seq for e in days() if isinstance(e.event, ev.SessionStarted)]
FIRST, LAST = STARTS[1], STARTS[2] - 1
"""Where the second session lies in the journal."""


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[tuple[Rig, Pilot[int], PastStage]]:
    async with with_past(tmp_path) as (rig, pilot):
        yield rig, pilot, await opened(rig, pilot, s2())


def place(past: PastStage) -> int:
    assert past.player is not None
    return past.player.position


async def test_it_begins_at_the_first_entry_and_says_loudly_that_this_is_the_past(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    _, _, past = at
    assert place(past) == 1
    assert past.line is not None
    assert (past.line.record.first, past.line.record.last) == (FIRST, LAST)
    banner = past.query_one("#banner").shown[0]  # type: ignore[attr-defined]
    assert banner.startswith(" PAST 2025-11-26 08:30:")
    assert f"entry 1 of {LAST - FIRST + 1} · HELD x1 · session {s2()}" in banner


async def test_every_figure_is_that_of_the_fold_of_the_prefix(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    entries = days()
    for position in range(1, LAST - FIRST + 2):
        state = fold(entries[: FIRST - 1 + position])
        assert past.desk.replica.state == state
        rows = "\n".join(past.panels["positions"].shown)
        for held in state.positions.values():
            assert fmt.symbol(held.instrument) in rows
            assert fmt.price(held.entry, state.instruments[held.instrument]) in rows
        head = past.query_one("#header").shown[0]  # type: ignore[attr-defined]
        realised = sum((a.realised - a.fees for a in state.accounts.values()), Decimal(0))
        assert f"realised {fmt.signed_money(realised, 'INR')}" in head
        await pilot.press("right_square_bracket")
        await frame(rig, pilot)
    assert place(past) == LAST - FIRST + 1


async def test_keys_step_and_jump_to_exits_troubles_and_fills(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    entries = days()[FIRST - 1 : LAST]

    def of(kind: Kind) -> list[int]:
        return [n for n, e in enumerate(entries, 1) if kind_of(e.event) is kind]

    for key, back, kind in (
        ("full_stop", "comma", Kind.EXIT),
        ("greater_than_sign", "less_than_sign", Kind.TROUBLE),
        ("o", "O", Kind.FILL),
    ):
        await pilot.press("left_parenthesis")
        assert place(past) == 0
        for wanted in of(kind):
            await pilot.press(key)
            assert place(past) == wanted
        await pilot.press(key)
        assert "after this" in rig.app.desk.alerts.waiting[-1].text
        for wanted in of(kind)[-2::-1]:
            await pilot.press(back)
            assert place(past) == wanted
    await pilot.press("right_parenthesis")
    assert place(past) == len(entries)
    await pilot.press("left_square_bracket", "left_square_bracket")
    assert place(past) == len(entries) - 2
    await pilot.press("left_curly_bracket")
    assert place(past) == 0
    await pilot.press("right_curly_bracket")
    assert place(past) == len(entries)


async def test_it_plays_by_the_clock_and_a_higher_speed_plays_faster(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    player = past.player
    assert player is not None
    begun = player.now
    await pilot.press("space")
    past.beat()
    rig.clock.set(Nanos(NOW + 2 * SECOND))
    past.beat()
    assert player.now == begun + 2 * SECOND
    assert "PLAYING x1" in past.told()
    assert rig.app.desk.paused_at is None
    await pilot.press("plus", "plus", "plus")
    rig.clock.set(Nanos(NOW + 3 * SECOND))
    past.beat()
    assert player.now == begun + 12 * SECOND
    await pilot.press(*["plus"] * 12)
    assert "x1000" in past.told()
    rig.clock.set(Nanos(NOW + 3603 * SECOND))
    past.beat()
    assert place(past) == LAST - FIRST + 1
    assert "HELD" in past.told()
    await pilot.press(*["minus"] * 12)
    assert "x1 " in past.told()


async def test_a_typed_time_is_gone_to_and_a_wrong_one_is_said(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, past = at
    entries = days()[FIRST - 1 : LAST]
    resumed = next(e for e in entries if isinstance(e.event, ev.Resumed))
    text = fmt.clock(resumed.at, "Asia/Kolkata")
    await pilot.press("colon", *f"at {text}", "enter")
    await frame(rig, pilot)
    second = resumed.at // SECOND
    assert place(past) == len([e for e in entries if e.at // SECOND <= second])
    await pilot.press("at", *"25:99", "enter")
    await frame(rig, pilot)
    assert "a time is 10:41 or 10:41:07" in rig.app.desk.alerts.waiting[-1].text


async def test_whatever_acts_is_refused_with_words(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    before = len(rig.app.screen_stack)
    acting = [action.id for action in ACTIONS if action.needs_lease]
    assert len(acting) > 10
    for action in acting:
        rig.app.desk.alerts.acknowledge()
        rig.app.act(action)
        await pilot.pause()
        assert rig.link.sent == []
        assert len(rig.app.screen_stack) == before
        assert "this is the past" in rig.app.desk.alerts.waiting[-1].text


async def test_nothing_hostile_in_the_journal_commands_the_screen(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    await pilot.press("5", "right_parenthesis")
    await frame(rig, pilot)
    text = rig.text()
    assert HOSTILE not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "of" in text


async def test_health_that_was_never_journaled_is_said_to_be_unknown(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    await pilot.press("4")
    await frame(rig, pilot)
    assert "never journaled: unknown of the past" in rig.text()


async def test_the_keys_of_the_past_stand_in_help_and_key_line(
    at: tuple[Rig, Pilot[int], PastStage],
) -> None:
    rig, pilot, _ = at
    keys = rig.text().splitlines()[-1]
    for word in ("[ Back", "] On", ". Exit", "> Error"):
        assert word in keys
    await pilot.press("question_mark", *"error, refusal")
    await pilot.pause()
    assert "Go to the next error, refusal or crash" in rig.text()
