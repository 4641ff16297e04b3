"""The log tells what happened in plain sentences with their figures."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import get_args

import pytest

from engine.domain import event as ev
from engine.domain.command import SubmitSignal
from engine.domain.event import Entry, Event
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId, PositionId, Seq, StrategyName
from engine.domain.narrate import _SENTENCES, narrate
from engine.domain.narrate_plain import PLAIN
from engine.domain.order import Order
from engine.domain.risk import LatchCause
from engine.domain.state import State
from engine.domain.strategy import Phase
from engine.domain.wording import label, labelled, legible, number, price
from tests.builders import SECOND, Desk, signal, tick
from tests.histories import History

SILENT = {ev.PeaksRaised, ev.QuotesMarked, ev.StrategyRemembered}


def said(event: Event, state: State | None = None) -> str:
    record = narrate(Entry(Seq(1), Nanos(0), event), state or State())
    assert record is not None
    return record.text


def story(desk: Desk) -> list[str]:
    """Return the sentences of all entries, told with the state at the very end."""
    orders = {
        e.event.order.id: e.event.order
        for e in desk.entries
        if isinstance(e.event, ev.OrderRequested)
    }
    told = [narrate(entry, desk.state, orders) for entry in desk.entries]
    return [record.text for record in told if record is not None]


def test_a_trailing_exit_is_told_from_signal_to_profit() -> None:
    desk = Desk().start()
    desk.tick(tick("30.00", SECOND))
    desk.open("a")
    desk.tick(tick("33.50", 2 * SECOND))
    desk.tick(tick("30.10", 3 * SECOND))
    text = story(desk)
    assert "signals may buy NIFTY25DEC25900PUT" in text
    assert "bought 75 NIFTY25DEC25900PUT at 30.00" in text
    assert (
        "trailing stop of NIFTY25DEC25900PUT fired at 30.10 (level 30.15, gap 0.05): closing 75"
        in text
    )
    assert "sold 75 NIFTY25DEC25900PUT at 30.10: trailing stop hit, P&L +7.50 INR (+0.33 %)" in text
    assert not any("25900PE" in line for line in text)


def test_a_refused_signal_says_who_wanted_what_and_why_not() -> None:
    desk = Desk().start()
    desk.give(SubmitSignal(CommandId("c"), signal("a")))
    assert story(desk)[-1].startswith("signals wanted to buy NIFTY25DEC25900PUT, refused: no ")


def test_every_kind_of_entry_has_a_sentence_but_those_for_machines() -> None:
    told = set(PLAIN) | set(_SENTENCES)
    assert told | SILENT == set(get_args(Event))
    assert not told & SILENT


def test_any_legal_journal_can_be_told_with_its_first_and_with_its_last_state() -> None:
    history = History(seed=11).run(400)
    for state in (State(), history.state):
        for entry in history.entries:
            record = narrate(entry, state)
            assert (record is None) == (type(entry.event) in SILENT)
            if record is not None:
                assert record.text
                assert record.at == entry.at


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (ev.FeedChanged("kite", False, "silent for 3.1 s"), "kite is down: silent for 3.1 s"),
        (
            ev.FlattenLatched(LatchCause.RISK_LIMIT, "daily loss 500", "engine"),
            (
                "FLATTEN by engine (risk limit): daily loss 500; entries blocked, "
                "everything is being closed"
            ),
        ),
        (
            ev.StrategyChanged(
                StrategyName("oi"), "oi_momentum", Phase.POSITION_OPEN, "exit of NIFTY25DEC25900CE"
            ),
            "oi is in a position, waits for exit of NIFTY25DEC25900CALL",
        ),
        (
            ev.CloseRearmed(PositionId("p"), OrderId("o"), "rate_limited", Nanos(SECOND // 4)),
            (
                "close of position p failed (rate_limited): its stops act again from "
                "00:00:00.250000 UTC"
            ),
        ),
        (
            ev.OrderTimedOut(OrderId("o")),
            "order o: no answer in time, its outcome is unknown; asking the venue",
        ),
    ],
)
def test_what_is_said_without_any_state(event: Event, text: str) -> None:
    assert said(event) == text


def test_figures_keep_all_their_digits() -> None:
    assert number(Decimal("1234567.000120")) == "1,234,567.00012"
    assert number(Decimal("-0.5")) == "-0.5"
    assert number(Decimal(-1500)) == "-1,500"
    assert [price(Decimal(p)) for p in ("30", "30.1", "30.125")] == ["30.00", "30.10", "30.125"]


def test_option_names_are_call_and_put_wherever_they_stand() -> None:
    assert label(InstrumentId("NIFTY2620323300CE")) == "NIFTY2620323300CALL"
    assert label(InstrumentId("PEACE")) == "PEACE"
    assert labelled("sold NIFTY25DEC25900PE, PERIOD") == "sold NIFTY25DEC25900PUT, PERIOD"


def test_a_partial_fill_says_of_how_many() -> None:
    desk = Desk().start()
    desk.tick(tick("30.00", SECOND))
    desk.holds = True
    desk.give(SubmitSignal(CommandId("c"), signal("a", size="150")))

    def half(order: Order) -> ev.OrderFilled:
        whole = desk.fill(order)
        return replace(whole, fill=replace(whole.fill, qty=Decimal(75)))  # type: ignore[arg-type]

    desk.answer(half)
    assert story(desk)[-1] == "bought 75 of 150 NIFTY25DEC25900PUT at 30.00"


@pytest.mark.parametrize(
    ("value", "tick", "text"),
    [
        ("151.464425072278", "0.05", "151.4644"),
        ("4420.9000", "0.05", "4420.90"),
        ("97000", "0.5", "97000.00"),
        ("0.123456789", "0.00001", "0.1234568"),
    ],
)
def test_a_level_is_told_two_digits_finer_than_its_ticks(value: str, tick: str, text: str) -> None:
    assert legible(Decimal(value), Decimal(tick)) == text
