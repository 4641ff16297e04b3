"""The queue of decisions (C-18): its count, what it says, and one key for each answer."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from engine.domain import event as ev
from engine.domain.command import Decide
from engine.domain.decision import Choice
from engine.domain.ids import SECOND, Nanos
from tests.tui.asked import readable, said
from tests.tui.rig import NOW, Rig, welcome
from tests.tui.rig_queue import POLICY, asking, findings, ids
from tests.tui.staged import frame, shown
from tui.screens.decisions import DecisionQueue
from tui.settings import ConsoleSettings

QUIET = ConsoleSettings(has_bell=False)


def head(rig: Rig) -> str:
    return " ".join(rig.app.stage.query_one("#header").shown)  # type: ignore[attr-defined]


async def opened(rig: Rig, pilot: Pilot[int]) -> DecisionQueue:
    await pilot.press("D")
    await readable(rig, pilot)
    queue = rig.app.screen
    assert isinstance(queue, DecisionQueue)
    return queue


async def pressed(rig: Rig, pilot: Pilot[int], *keys: str) -> str:
    for key in keys:
        await readable(rig, pilot)
        await pilot.press(key)
        await pilot.pause()
    assert isinstance(rig.app.screen, DecisionQueue)
    rig.app.screen.tick()
    await pilot.pause()
    return said(rig)


def sent(rig: Rig) -> list[tuple[str, Choice]]:
    return [(c.decision, c.choice) for c in rig.link.sent if isinstance(c, Decide)]


@pytest.mark.parametrize(
    ("size", "count"), [((80, 24), " D 3 "), ((120, 36), " 3 TO DECIDE (D) "), ((60, 12), " 3? ")]
)
async def test_the_header_counts_what_waits_in_every_size(
    size: tuple[int, int], count: str
) -> None:
    async with shown(size, asking(), QUIET) as (rig, pilot):
        await frame(rig, pilot)
        assert count in head(rig)
        await pilot.press("2")
        await frame(rig, pilot)
        assert count in head(rig)  # on any screen


async def test_with_nothing_to_decide_there_is_no_count_and_the_queue_says_so() -> None:
    async with shown((120, 36), welcome(), QUIET) as (rig, pilot):
        await frame(rig, pilot)
        assert "DECIDE" not in head(rig)
        await opened(rig, pilot)
        assert "Nothing waits for a decision here." in said(rig)


async def test_it_says_what_was_found_where_and_what_can_be_done() -> None:
    async with shown((140, 50), asking(), QUIET) as (rig, pilot):
        await opened(rig, pilot)
        text = said(rig)
        assert "Decisions: 3 wait" in text
        assert "gone at the venue" in text
        assert "asked 1m30s ago" in text
        assert re.search(r"book at the present price in \d+ s", text)
        assert "at the venue nothing" in text
        assert re.search(r"fill \d\d:\d\d:\d\d bought \d+ at 31.40, fee", text)
        assert "e book at the present price l leave and watch" in text
        assert "\x1b" not in text


async def test_what_books_is_said_first_and_sent_by_y_with_its_command_line_twin() -> None:
    start = asking()
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        rig.tick(findings(start.state)[0].instrument or "", "31.00")
        await opened(rig, pilot)
        text = await pressed(rig, pilot, "e")
        assert sent(rig) == []
        assert "ESTIMATE: book" in text
        assert f"holdfast decide {ids(start)[0]} estimate" in text
        await pressed(rig, pilot, "y")
        assert sent(rig) == [(ids(start)[0], Choice.ESTIMATE)]
        (command,) = rig.link.sent
        assert isinstance(command, Decide)
        assert command.by.startswith("console")


async def test_y_without_a_choice_and_keys_typed_ahead_send_nothing() -> None:
    async with shown((120, 36), asking(), QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pilot.press("y")
        await pressed(rig, pilot, "e")
        await pilot.press("y", "y")  # before it could be read
        await pilot.pause()
        assert sent(rig) == []


async def test_an_estimate_at_a_stale_price_is_not_sent() -> None:
    start = asking()
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        await opened(rig, pilot)
        rig.pass_time(70)
        text = await pressed(rig, pilot, "e", "y")
        assert "the price is stale" in text
        assert sent(rig) == []


async def test_escape_takes_a_choice_back_before_it_closes() -> None:
    async with shown((120, 36), asking(), QUIET) as (rig, pilot):
        await opened(rig, pilot)
        text = await pressed(rig, pilot, "e", "escape")
        assert "nothing was sent" in text
        await readable(rig, pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(rig.app.screen, DecisionQueue)
        assert sent(rig) == []


async def test_a_choice_that_nobody_confirms_is_forgotten() -> None:
    async with shown((120, 36), asking(), QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pressed(rig, pilot, "e")
        rig.pass_time(21)
        text = await pressed(rig, pilot, "y")
        assert "nobody confirmed" in text
        assert sent(rig) == []


async def test_the_cursor_goes_round_and_each_answer_is_for_the_one_it_is_on() -> None:
    start = asking()
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pressed(rig, pilot, "down", "a", "y", "down", "c", "y")
        assert sent(rig) == [(ids(start)[1], Choice.ADOPT), (ids(start)[2], Choice.CANCEL)]
        await pressed(rig, pilot, "down", "l")  # leaving needs no second key
        assert sent(rig)[-1] == (ids(start)[0], Choice.LEAVE)


async def test_the_choice_stays_with_its_decision_when_others_come_and_go() -> None:
    start = asking()
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pressed(rig, pilot, "down", "x")
        rig.link.happen(NOW, ev.DecisionWithdrawn(ids(start)[0], "they agree again"))
        await pressed(rig, pilot, "y")
        assert sent(rig) == [(ids(start)[1], Choice.CLOSE)]


async def test_what_settles_itself_meanwhile_is_not_answered() -> None:
    start = asking(1)
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pressed(rig, pilot, "e")
        rig.link.happen(NOW, ev.DecisionWithdrawn(ids(start)[0], "they agree again"))
        text = await pressed(rig, pilot, "y")
        assert "is settled otherwise; nothing was sent" in text
        assert sent(rig) == []


async def test_what_is_not_offered_says_what_is() -> None:
    async with shown((120, 36), asking(), QUIET) as (rig, pilot):
        await opened(rig, pilot)
        text = await pressed(rig, pilot, "a")
        assert "adopt is not offered for this one: book at the present price" in text


async def test_an_answer_is_seen_accepted_and_what_was_left_stays_in_view() -> None:
    start = asking(1)
    async with shown((120, 36), start, QUIET) as (rig, pilot):
        await opened(rig, pilot)
        await pressed(rig, pilot, "l")
        (command,) = rig.link.sent
        assert isinstance(command, Decide)
        rig.link.happen(
            NOW,
            ev.CommandAccepted(command.id, command.by, "decide"),
            ev.DecisionTaken(command.decision, command.choice, command.by),
        )
        text = await pressed(rig, pilot)
        assert "Answered, and still so" in text
        assert "leave by console" in text
        await readable(rig, pilot)
        await pilot.press("escape")
        await frame(rig, pilot)
        assert "▸ done" in head(rig)
        assert "TO DECIDE" not in head(rig)


async def test_a_new_decision_is_an_alert_until_it_is_answered() -> None:
    async with shown((120, 36), welcome(), QUIET) as (rig, pilot):
        state = rig.app.desk.replica.state
        from engine.domain.questions import question

        decision = question(findings(state)[0], POLICY, Nanos(NOW - SECOND))
        rig.link.happen(NOW, ev.DecisionAsked(decision))
        await frame(rig, pilot)
        waiting = rig.app.desk.alerts.waiting
        assert any(alert.text.startswith("to decide (D): ") for alert in waiting)
        assert "1 TO DECIDE" in head(rig)
        rig.link.happen(NOW, ev.DecisionTaken(decision.id, Choice.LEAVE, "cli"))
        assert not any(alert.text.startswith("to decide") for alert in waiting)


async def test_a_console_that_only_watches_says_so() -> None:
    async with shown((120, 36), asking(), ConsoleSettings(is_read_only=True)) as (rig, pilot):
        await opened(rig, pilot)
        text = await pressed(rig, pilot, "e", "y")
        assert "read-only" in text
        assert sent(rig) == []
