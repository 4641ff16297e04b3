"""The short form of `tests/faults/lost_answers.py`, and what it found once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engine.domain.command import CancelOrder, SubmitSignal
from engine.domain.event import OrderCancelled, OrderFilled
from engine.domain.ids import CommandId
from engine.domain.inputs import VenueReport
from engine.domain.money import qty
from engine.domain.risk import Limits
from tests.builders import NIFTY, session, signal
from tests.faults.lost_answers import CASH, Desk, lost
from tests.faults.sim_bugs import WIRE_BUGS
from tests.faults.virtual import VirtualLoop

ANSWERS = 1_500


def test_of_bad_answers_none_leads_to_an_order_twice_one_forgotten_or_a_cent_more() -> None:
    verdict = lost(ANSWERS, 7)
    assert verdict.is_clean, [*verdict.duplicates, *verdict.forgotten, *verdict.invented][:5]
    assert verdict.answers >= ANSWERS
    assert verdict.fills > verdict.orders > ANSWERS / 4
    assert len(verdict.kinds) > 15


@pytest.mark.parametrize("bug", WIRE_BUGS)
def test_the_harness_finds_a_planted_bug(bug: str) -> None:
    with WIRE_BUGS[bug]():
        verdict = lost(ANSWERS, 7)
    assert not verdict.is_clean


def desk_of(tmp_path: Path, story: Callable[[Desk], Awaitable[None]]) -> Desk:
    """Let a story happen at a desk with a good wire, in virtual time; return the desk."""
    loop = VirtualLoop()
    desk = Desk(loop, 1, tmp_path)

    async def told() -> None:
        await desk.engine.settle(session(cash=f"{CASH:f}", rules=(), limits=Limits()))
        async with asyncio.TaskGroup() as tasks:
            ways = (desk.engine.run(), desk.engine.run_timer(), desk.executor.run(), desk._market())
            running = [tasks.create_task(way) for way in ways]
            await asyncio.sleep(2.5)
            await story(desk)
            for task in running:
                task.cancel()

    try:
        loop.run_until_complete(told())
    finally:
        loop.close()
    return desk


def buy(desk: Desk, lots: int = 1) -> None:
    wish = signal("a", NIFTY, size=f"{75 * lots}", at=desk.clock.now())
    desk.engine.submit(SubmitSignal(CommandId("buy"), wish))


def test_an_order_whose_last_word_was_lost_is_asked_about(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.mood.lost = 1.0
        buy(desk)
        await asyncio.sleep(1.0)
        desk.mood.lost = 0.0
        assert desk.state.orders
        await asyncio.sleep(20.0)

    desk = desk_of(tmp_path, story)
    assert not desk.state.orders
    assert [position.qty for position in desk.state.positions.values()] == [qty("75")]
    assert len(desk.sent) == 1


def test_word_of_a_cancel_is_believed_after_the_fills_that_it_overtook(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.venue.report = _keeps_fills_back(desk)
        buy(desk, lots=10)  # more than one tick has: it is filled in parts
        await asyncio.sleep(0.5)
        (order,) = desk.state.orders
        desk.engine.submit(CancelOrder(CommandId("cancel"), order, "test"))
        await asyncio.sleep(5.0)

    desk = desk_of(tmp_path, story)
    kinds = [type(entry.event) for entry in desk.entries]
    assert kinds.index(OrderFilled) < kinds.index(OrderCancelled)
    assert not desk.state.orders
    assert {NIFTY: desk.state.positions[next(iter(desk.state.positions))].qty} == (
        desk.venue.positions()
    )


def _keeps_fills_back(desk: Desk) -> Callable[[VenueReport], None]:
    def answer(report: VenueReport) -> None:
        if not isinstance(report, OrderFilled):
            desk.wire.report(report)

    return answer
