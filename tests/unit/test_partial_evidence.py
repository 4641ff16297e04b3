"""Fills that explain a part of a difference are booked as they were, once, whatever is chosen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.command import Decide
from engine.domain.decision import Choice
from engine.domain.event import OrderFilled
from engine.domain.evidence import news
from engine.domain.ids import CommandId
from engine.domain.money import price, qty
from engine.domain.truth import VenueTruth
from tests.builders import NIFTY, Desk
from tests.foreign import bought, sold
from tests.truths import truth_of
from tests.unit.test_decisions import ask, desk


def chosen(held: Desk, truth: VenueTruth, choice: Choice) -> None:
    decision = ask(held, truth)
    assert choice in decision.choices
    held.give(Decide(CommandId("d"), decision.id, choice, "alice"))
    assert not held.state.decisions


def test_booking_a_part_of_a_reduction_books_its_fill_and_asks_of_the_rest_anew() -> None:
    held = desk()
    position = held.open("a", size="225")
    fill = sold("v1", "75", "33")
    truth = replace(truth_of(held), positions={NIFTY: Decimal(75)}, fills=(fill,))
    chosen(held, truth, Choice.BOOK)
    left = held.state.positions[position.id]
    assert (left.qty, left.realised) == (Decimal(150), Decimal(225))


def test_adopting_at_an_average_takes_the_known_fills_and_the_rest_at_what_is_implied() -> None:
    held = desk()
    position = held.open("a")
    fill = bought("v1", "75", "40")
    averages = {NIFTY: Decimal(32)}
    right = truth_of(held)
    truth = replace(right, positions={NIFTY: Decimal(225)}, fills=(fill,), averages=averages)
    chosen(held, truth, Choice.ADOPT)
    grown = held.state.positions[position.id]
    assert (grown.qty, grown.entry) == (Decimal(225), price("32"))
    told = [e.fill for e in held.events if isinstance(e, OrderFilled)]
    assert [f.price for f in told[-2:]] == [price("40"), price("26")]
    assert [f.qty for f in told[-2:]] == [qty("75"), qty("75")]
    assert news(held.state, (fill,), NIFTY) == ()  # it proves nothing a second time


def test_an_unknown_position_with_a_part_of_its_fills_keeps_them() -> None:
    held = desk()
    fill = bought("v1", "75", "40")
    averages = {NIFTY: Decimal(32)}
    right = truth_of(held)
    truth = replace(right, positions={NIFTY: Decimal(150)}, fills=(fill,), averages=averages)
    chosen(held, truth, Choice.ADOPT)
    (position,) = held.state.positions.values()
    assert (position.qty, position.entry) == (Decimal(150), price("32"))
    assert news(held.state, (fill,), NIFTY) == ()
