"""The reconciler as a whole: foreign trades on the paper account, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.command import Decide, Reconcile
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.event import DecisionAsked, DecisionWithdrawn, Event, OrderFilled
from engine.domain.ids import CommandId, Nanos, OrderId
from engine.domain.money import price, qty
from engine.domain.order import Side
from engine.domain.questions import Policy
from engine.domain.reconcile import Action, Found
from engine.domain.truth import OpenOrder, VenueTruth
from engine.runtime.reconcile_log import RUN
from engine.runtime.reconciler import Reconciler
from tests.builders import INR, NIFTY, PUT_25900, SECOND, tick
from tests.contract.told_venue import flat
from tests.unit.test_reconciler import Bench


class Watched(Bench):
    """A bench whose account somebody else trades on, too."""

    def __init__(self, directory: Path, policy: Policy | None = None) -> None:
        super().__init__(directory)
        self.events: list[Event] = []
        self.engine.subscribe(lambda entry, _state: self.events.append(entry.event))
        if policy is not None:
            means = (self.engine, self.venue, self.clock, self.logbook)
            self.reconciler = Reconciler(*means, policy=policy)

    async def somebody(self, side: Side, size: str, at: str, *, is_told: bool = True) -> None:
        """Trade behind the engine's back."""
        self.price(at)
        await self.settled()
        assert self.venue.elsewhere.trade(PUT_25900, side, qty(size), is_told=is_told)

    def price(self, at: str) -> None:
        now = self.clock.now()
        self.venue.on_tick(tick(at, now))
        self.engine.submit(tick(at, now))

    async def take(self, choice: Choice) -> None:
        (decision,) = self.pending
        self.engine.submit(Decide(CommandId(f"d-{len(self.events)}"), decision.id, choice, "cli"))
        await self.settled()

    @property
    def pending(self) -> list[Decision]:
        return list(self.engine.state.decisions.values())

    def held(self) -> list[tuple[Side, str]]:
        return [(p.side, f"{p.qty:f}") for p in self.engine.state.positions.values()]

    def is_money_the_same(self) -> bool:
        """Whether cash here is what the venue's own book has."""
        return self.engine.state.accounts[INR].cash == self.venue.account()[INR]


@pytest.fixture
async def bench(tmp_path: Path) -> Watched:
    bench = Watched(tmp_path)
    await bench.opened()
    return bench


async def test_a_close_behind_the_engines_back_is_booked_at_the_venues_price(
    bench: Watched,
) -> None:
    await bench.somebody(Side.SELL, "75", "33")
    assert await bench.run() == [(Found.GONE, Action.SETTLE)]
    (trade,) = bench.engine.state.closed
    assert (trade.reason.code, trade.exit, trade.pnl) == (
        "closed_at_venue",
        price("33"),
        Decimal(225),
    )
    assert await bench.run() == []
    assert not bench.pending
    assert bench.is_money_the_same()


@pytest.mark.parametrize(
    ("side", "size", "left"),
    [
        (Side.BUY, "75", [(Side.BUY, "150")]),
        (Side.SELL, "150", [(Side.SELL, "75")]),
    ],
)
async def test_an_enlargement_and_a_flip_are_taken_over_and_settle(
    bench: Watched, side: Side, size: str, left: list[tuple[Side, str]]
) -> None:
    await bench.somebody(side, size, "33")
    assert await bench.run() == [(Found.DIFFERS, Action.SETTLE)]
    assert bench.held() == left
    assert await bench.run() == []
    assert bench.is_money_the_same()


async def test_what_was_adopted_is_closed_by_its_stop_also_at_the_venue(bench: Watched) -> None:
    await bench.somebody(Side.SELL, "150", "33")
    await bench.run()
    bench.price("60")  # far against the short
    await bench.settled()
    (exit_,) = bench.engine.state.orders.values()
    bench.venue.place(exit_.order, PUT_25900)
    await bench.settled()
    assert not bench.engine.state.positions
    assert bench.venue.positions() == {}
    assert await bench.run() == []
    assert bench.is_money_the_same()


async def test_a_close_that_no_fill_tells_of_is_asked_once_and_estimated_once(
    bench: Watched,
) -> None:
    await bench.somebody(Side.SELL, "75", "33", is_told=False)
    await bench.run()
    assert await bench.run() == [(Found.GONE, Action.ASK)]
    for _ in range(3):
        await bench.run()
    assert sum(isinstance(event, DecisionAsked) for event in bench.events) == 1
    bench.price("34")
    await bench.take(Choice.ESTIMATE)
    (trade,) = bench.engine.state.closed
    assert (trade.exit, trade.reason.note[:16]) == (price("34"), "estimated: 34.00")
    assert await bench.run() == []
    assert bench.blocks == {}


async def test_a_difference_that_goes_away_takes_its_question_along(bench: Watched) -> None:
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    assert [d.matter for d in bench.pending] == [Matter.GONE]
    bench.venue.change = lambda truth: truth
    await bench.run()
    assert not bench.pending
    assert any(isinstance(event, DecisionWithdrawn) for event in bench.events)
    assert bench.held() == [(Side.BUY, "75")]


async def test_a_failed_run_withdraws_nothing(bench: Watched) -> None:
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    bench.venue.failure = OSError("down")
    await bench.run()
    assert len(bench.pending) == 1


async def test_what_is_left_is_not_asked_again_blocks_entries_and_shows_in_health(
    bench: Watched,
) -> None:
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    await bench.take(Choice.LEAVE)
    for _ in range(4):
        assert await bench.run() == [(Found.GONE, Action.ASK)]
    assert not bench.pending
    assert f"venue:{NIFTY}" in bench.blocks
    vitals = bench.reconciler.vitals(bench.clock.now())
    assert (len(vitals.asking), len(vitals.left)) == (0, 1)
    assert ("gone_at_venue asks a person", 1) in vitals.outcomes
    bench.venue.change = lambda truth: truth
    await bench.run()
    assert not bench.engine.state.answers
    assert bench.blocks == {}


async def test_another_difference_is_another_question(bench: Watched) -> None:
    sizes = [Decimal(150)]
    bench.venue.change = lambda truth: replace(truth, positions={NIFTY: sizes[-1]})
    await bench.run()
    await bench.run()
    (first,) = bench.pending
    sizes.append(Decimal(225))
    await bench.run()
    assert not bench.pending
    await bench.run()
    (second,) = bench.pending
    assert first.id != second.id
    assert second.there == 225


async def test_a_restart_of_the_reconciler_asks_nothing_twice(bench: Watched) -> None:
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    before = bench.pending
    means = (bench.engine, bench.venue, bench.clock, bench.logbook)
    bench.reconciler = Reconciler(*means)
    assert await bench.run() == [(Found.GONE, Action.AGAIN)]
    assert await bench.run() == [(Found.GONE, Action.ASK)]
    assert bench.pending == before


async def test_an_unknown_position_is_adopted_with_its_fills_and_agrees(tmp_path: Path) -> None:
    bench = Watched(tmp_path)
    await bench.opened()
    await bench.somebody(Side.SELL, "75", "33")
    await bench.run()
    await bench.somebody(Side.SELL, "75", "35")
    await bench.run()
    assert await bench.run() == [(Found.UNKNOWN_HERE, Action.ASK)]
    await bench.take(Choice.ADOPT)
    assert bench.held() == [(Side.SELL, "75")]
    (position,) = bench.engine.state.positions.values()
    assert position.entry == 35
    assert await bench.run() == []
    assert bench.is_money_the_same()


async def test_what_no_fill_tells_of_is_adopted_at_the_venues_average(bench: Watched) -> None:
    await bench.somebody(Side.SELL, "150", "33", is_told=False)
    await bench.run()
    assert await bench.run() == [(Found.DIFFERS, Action.ASK)]
    await bench.take(Choice.ESTIMATE)
    await bench.run()
    await bench.somebody(Side.SELL, "75", "35", is_told=False)
    await bench.run()
    await bench.run()
    (decision,) = bench.pending
    assert (decision.choices[0], decision.average) == (Choice.ADOPT, Decimal(34))
    await bench.take(Choice.ADOPT)
    (position,) = bench.engine.state.positions.values()
    assert (position.qty, position.entry) == (Decimal(150), Decimal(34))
    assert await bench.run() == []


async def test_an_adopted_position_alone_is_known_by_its_fills_when_it_is_closed_elsewhere(
    bench: Watched,
) -> None:
    await bench.somebody(Side.SELL, "150", "33")
    await bench.run()
    await bench.somebody(Side.BUY, "75", "30")
    assert await bench.run() == [(Found.GONE, Action.SETTLE)]
    assert [trade.pnl for trade in bench.engine.state.closed] == [225, 225]
    assert bench.is_money_the_same()


async def test_a_strangers_order_is_cancelled_once_a_person_says_so(bench: Watched) -> None:
    order = bench.venue.elsewhere.rest(PUT_25900, Side.BUY, qty("75"), price("10"))
    await bench.run()
    await bench.run()
    assert [d.subject for d in bench.pending] == [order.id]
    assert f"venue:{NIFTY}" in bench.blocks
    await bench.take(Choice.CANCEL)
    assert bench.reconciler._is_wanted
    await bench.run(1)
    assert bench.venue.cancelled == [order.id]
    await bench.run()
    assert not bench.engine.state.answers
    assert bench.blocks == {}


async def test_an_order_of_ours_among_strangers_is_not_asked_about(bench: Watched) -> None:
    ours = OpenOrder(OrderId("s1-999"), NIFTY, Side.SELL, Decimal(75))
    bench.venue.change = lambda truth: replace(truth, orders=(ours,))
    await bench.run()
    await bench.run()
    assert not bench.pending


async def test_the_policy_answers_in_time(tmp_path: Path) -> None:
    policy = Policy({Matter.GONE: Choice.ESTIMATE}, wait=Nanos(10 * SECOND))
    bench = Watched(tmp_path, policy)
    await bench.opened()
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    (decision,) = bench.pending
    assert decision.due_at == decision.asked_at + 10 * SECOND


async def test_a_live_fill_during_the_query_is_not_counted_twice(
    bench: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venue answers as of before our own exit; the exit is reported while it answers."""
    await bench.somebody(Side.SELL, "75", "33")
    answer = type(bench.venue).account_truth

    async def slow(self: object, since: Nanos) -> VenueTruth:
        truth = await answer(bench.venue, since)
        (position,) = bench.engine.state.positions.values()
        bench.price("10")  # its stop fires meanwhile
        await bench.settled()
        (exit_,) = bench.engine.state.orders.values()
        bench.venue.place(exit_.order, PUT_25900)
        await bench.settled()
        assert position.id not in bench.engine.state.positions
        return truth

    monkeypatch.setattr(type(bench.venue), "account_truth", slow)
    await bench.run()
    monkeypatch.undo()
    fills = [event.fill.id for event in bench.events if isinstance(event, OrderFilled)]
    assert len(fills) == len(set(fills)) == 2
    assert not bench.engine.state.positions
    await bench.run()
    assert await bench.run() == [(Found.UNKNOWN_HERE, Action.ASK)]  # both were filled: it is short


async def test_a_run_on_command_says_everything_again_and_what_it_asks(bench: Watched) -> None:
    bench.venue.change = flat
    await bench.run()
    await bench.run()
    bench.engine.submit(Reconcile(CommandId("r1"), "cli"))
    await bench.settled()
    said = len(bench.logbook.recent)
    await bench.run(1)
    new = [record for record in list(bench.logbook.recent)[said:] if record.source == "reconcile"]
    assert len(new) == 2
    assert RUN in dict(new[-1].fields)
    assert bench.reconciler.counts == {Found.GONE: 1}


async def test_three_hundred_wrong_empty_answers_close_nothing_and_ask_once(
    bench: Watched,
) -> None:
    await bench.somebody(Side.BUY, "75", "31")
    await bench.run()
    held = bench.engine.state.positions
    bench.venue.change = flat
    for _ in range(300):
        await bench.run()
    assert bench.engine.state.positions == held
    assert len(bench.pending) == 1
