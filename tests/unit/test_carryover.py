"""A new day takes over cash and positions exactly, and says what the session before made."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bootstrap.opening import opening_step, paper_settings, past_of
from engine.bootstrap.options import LiveOptions
from engine.domain.carryover import carryover, tied, unrealised
from engine.domain.command import ClosePosition
from engine.domain.errors import IllegalTransition
from engine.domain.event import OrderFilled, SessionEnded, SessionStarted, StopFired
from engine.domain.evolve import evolve, fold
from engine.domain.ids import CommandId, FillId, Nanos, SessionId
from engine.domain.money import Money, Qty, price, qty
from engine.domain.narrate import narrate
from engine.domain.order import Fill, Order
from engine.domain.position import Position
from engine.domain.session import Mode, SessionStatus
from engine.domain.state import State
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.store.memory import MemoryJournal
from engine.venues.paper.venue import PaperVenue
from tests.builders import CATALOG, INR, NIFTY, PUT_25900, SECOND, Desk, session, tick

OPTIONS = LiveOptions(
    Path("nowhere"), rules={"trailing": {"activation_pct": Decimal("0.1"), "pct": Decimal("0.1")}}
)
MARKET = {NIFTY: PUT_25900}
DAY = 24 * 3600 * SECOND
NINE = Nanos(1_764_039_600 * SECOND)
"""2025-11-25 08:30 in Kolkata."""


def opened(at: int = NINE) -> Desk:
    desk = Desk()
    desk.now = Nanos(at)
    desk.start(session(currencies=(INR,)))
    return desk


def trades(desk: Desk, last: str) -> None:
    desk.tick(tick(last, desk.now + SECOND))


def closes(desk: Desk, position: Position, part: str | None = None) -> None:
    size = None if part is None else qty(part)
    command = CommandId(f"close-{len(desk.entries)}")
    desk.give(ClosePosition(command, position.id, "test", qty=size))


def ends(desk: Desk) -> None:
    assert desk.state.session is not None
    desk.give(SessionEnded(desk.state.session.id, SessionStatus.COMPLETED, "test"))


def next_day(desk: Desk) -> SessionStarted:
    """Start a new process on the day after and return how it begins."""
    desk.core = Core(CATALOG, fold(desk.entries))
    desk.now = Nanos(desk.now + DAY)
    step = opening_step(OPTIONS, desk.state, MARKET, Mode.PAPER, desk.now, desk.entries[-1].at)
    assert isinstance(step, SessionStarted)
    desk.give(step)
    return step


def equity(state: State) -> Decimal:
    return state.accounts[INR].cash + tied(state, INR) + unrealised(state, INR)


def test_three_days_with_a_position_held_over_one_night_are_exact() -> None:
    desk = opened()
    trades(desk, "100.00")
    first = desk.open("a")
    trades(desk, "104.00")
    closes(desk, first)
    trades(desk, "100.00")
    held = desk.open("b")
    trades(desk, "100.70")
    ends(desk)
    assert equity(desk.state) == Decimal("100352.50")

    begun = next_day(desk)
    account = desk.state.accounts[INR]
    assert account.initial == Decimal("100352.50")
    assert account.cash == Decimal("92800.00")
    assert (account.realised, account.trades) == (Decimal(0), 0)
    assert desk.state.positions == {held.id: replace(held)}
    assert begun.carried is not None
    (result,) = begun.carried.results
    assert (result.pnl, result.trades, result.wins) == (Decimal("352.50"), 1, 1)
    trades(desk, "101.00")
    trades(desk, "102.40")
    closes(desk, held)
    ends(desk)
    assert equity(desk.state) == Decimal("100480.00")
    assert desk.state.closed[-1].pnl == Decimal("180.00")  # the trade counts from its own entry

    begun = next_day(desk)
    assert desk.state.accounts[INR].initial == desk.state.accounts[INR].cash == Decimal(100480)
    assert begun.carried is not None
    (result,) = begun.carried.results
    assert (result.pnl, result.trades, result.wins) == (Decimal("127.50"), 1, 1)


def test_the_log_announces_date_result_trades_win_rate_and_what_is_held() -> None:
    desk = opened()
    trades(desk, "100.00")
    first = desk.open("a")
    trades(desk, "104.00")
    closes(desk, first)
    desk.open("b")
    ends(desk)
    next_day(desk)
    said = narrate(desk.entries[-1], desk.state)
    assert said is not None
    assert (
        "carried over from session s1 of 2025-11-25: P&L +300.00 INR (1 trades, 100 % won), "
        "equity 100,300; 1 positions held over night" in said.text
    )


def test_a_peak_and_an_armed_trailing_stop_live_through_the_night() -> None:
    desk = opened()
    trades(desk, "30.00")
    held = desk.open("a")
    trades(desk, "33.50")
    desk.pass_time(1)
    ends(desk)
    next_day(desk)
    assert desk.state.peak(held) == price("33.50")
    trades(desk, "30.20")
    assert held.id in desk.state.positions
    trades(desk, "30.15")
    assert [e.reason.code for e in desk.events if isinstance(e, StopFired)] == ["trailing_stop_hit"]
    assert not desk.state.positions


def test_what_is_held_cannot_be_left_behind() -> None:
    desk = opened()
    trades(desk, "100.00")
    desk.open("a")
    ends(desk)
    taken = carryover(desk.state)
    assert taken is not None
    begins = session(currencies=(INR,))
    for wrong in (None, replace(taken, positions=()), taken):  # the last: with cash that is not its
        with pytest.raises(IllegalTransition):
            desk.give(replace(begins, session=SessionId("s2"), carried=wrong))


def test_the_session_closes_at_the_last_price_although_no_mark_was_due() -> None:
    desk = opened()
    trades(desk, "100.00")
    desk.open("a")
    desk.pass_time(16)
    trades(desk, "101.00")
    assert desk.state.marks[NIFTY].last == price("100.00")
    ends(desk)
    assert desk.state.marks[NIFTY].last == price("101.00")


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.integers(1000, 4000),
            st.sampled_from(["open", "part", "close", "night", "night"]),
            st.integers(0, 300),
        ),
        min_size=2,
        max_size=14,
    )
)
def test_money_is_conserved_over_any_number_of_nights(
    steps: list[tuple[int, str, int]],
) -> None:
    """Opening equity + realised + change of open profit - fees is closing equity, each session."""
    desk = opened()
    fee = Decimal(0)

    def fill(order: Order) -> OrderFilled:
        last = desk.core.quotes[order.instrument].last
        left = Qty(desk.state.orders[order.id].remaining)
        return OrderFilled(
            Fill(FillId(f"{order.id}-f"), order.id, last, left, Money(fee, INR), desk.now)
        )

    desk.fill = fill  # type: ignore[method-assign]
    before = equity(desk.state)
    for number, (cents, what, cost) in enumerate(steps):
        fee = Decimal(cost) / 100
        trades(desk, f"{Decimal(cents // 5 * 5) / 100}")
        held = list(desk.state.positions.values())
        if what == "open":
            desk.open(f"s{number}", size="150")
        elif what == "night":
            ends(desk)
            closing = equity(desk.state)
            next_day(desk)
            assert equity(desk.state) == closing == desk.state.accounts[INR].initial
        elif held:
            closes(desk, held[0], "75" if what == "part" and held[0].qty > 75 else None)
        account = desk.state.accounts[INR]
        assert account.cash + tied(desk.state, INR) == account.booked
    assert before == 100_000
    state = State()
    for entry in desk.entries:
        state = evolve(state, entry)
    assert state == desk.state


async def test_the_venue_of_the_new_day_has_the_same_book() -> None:
    desk = opened()
    trades(desk, "100.00")
    first = desk.open("a")
    trades(desk, "104.00")
    held = desk.open("b")
    closes(desk, first)
    ends(desk)
    next_day(desk)
    closes(desk, held)
    journal = MemoryJournal()
    await journal.append(desk.entries, desk.state)
    past = await past_of(journal)
    venue = PaperVenue(ManualClock(desk.now), paper_settings(OPTIONS, desk.state, past.cash))
    past.teach(venue)
    assert len(past.fills) == 4
    account = venue.book()["account"]
    assert Decimal(account["cash"]["INR"]) == desk.state.accounts[INR].cash
