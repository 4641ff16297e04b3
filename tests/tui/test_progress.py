"""What became of a command ends in done, filled or refused (C-3)."""

from __future__ import annotations

import pytest

from engine.domain import command as cmd
from engine.domain import event as ev
from engine.domain.command import Command
from engine.domain.event import Entry, Event
from engine.domain.ids import SECOND, CommandId, Nanos, PositionId, Seq, StrategyName
from engine.domain.money import Price
from engine.domain.order import Side
from engine.domain.risk import LatchCause
from tests.tui.rig_script import D, _fill, _order
from tui.progress import Progress, Step

C = CommandId("c")
P = PositionId("p5")


def steps(command: Command, *events: Event) -> list[Step]:
    """Return the steps that a command was shown at, event by event."""
    progress, seen = Progress(), []
    progress.follow(command, "it", Nanos(0))
    for number, event in enumerate(events):
        progress.apply(Entry(Seq(number), Nanos(number), event), Nanos(number))
        seen.append(progress.told[C].step)
    return seen


@pytest.mark.parametrize(
    "command",
    [
        cmd.PauseEntries(C, "console", "operator", "lunch"),
        cmd.ResumeEntries(C, "console", "operator"),
        cmd.ControlStrategy(C, StrategyName("nifty"), "pause", "console"),
        cmd.ControlFeed(C, "pause", "console"),
        cmd.LiftLatch(C, "console", "looked at it"),
    ],
)
def test_what_causes_no_order_is_done_once_accepted(command: Command) -> None:
    assert steps(command, ev.CommandAccepted(C, "console", "x")) == [Step.DONE]
    assert steps(command, ev.CommandRefused(C, "console", "no")) == [Step.REFUSED]


def test_a_stop_change_is_done_with_the_new_stop() -> None:
    command = cmd.ChangeStop(C, P, "console", Price(D(9)), None)
    accepted = ev.CommandAccepted(C, "console", "stop")
    changed = ev.StopChanged(P, Price(D(9)), None, C, "console")
    assert steps(command, accepted, changed) == [Step.ACCEPTED, Step.DONE]


def test_a_flatten_is_done_when_flat_and_not_with_its_first_fill() -> None:
    command = cmd.Flatten(C, "console", LatchCause.OPERATOR, "enough")
    order = _order("o", "TCS", Side.SELL, "10", "p5")
    told = steps(
        command,
        ev.CommandAccepted(C, "console", "flatten"),
        ev.FlattenLatched(LatchCause.OPERATOR, "enough", "console", C),
        ev.OrderRequested(order, cause=C),
        ev.OrderFilled(_fill("o", "TCS", "10", "10", Nanos(0))),
        ev.FlatVerified(),
    )
    assert told == [Step.ACCEPTED, *[Step.COMMITTED] * 3, Step.DONE]


def test_a_command_without_an_answer_stays_on_screen_for_a_minute() -> None:
    progress = Progress()
    progress.follow(cmd.PauseEntries(C, "console", "operator", ""), "pause", Nanos(0))
    assert progress.newest(Nanos(59 * SECOND)) is not None
    assert progress.newest(Nanos(61 * SECOND)) is None
