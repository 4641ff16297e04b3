"""Shadows of exits that are in flight: refused, filled in parts, or too late (E-27, E-28)."""

from __future__ import annotations

from dataclasses import replace

from engine.domain.command import Flatten
from engine.domain.ids import CommandId
from engine.domain.money import price, qty
from engine.domain.risk import LatchCause
from engine.domain.shadow import Deed
from tests.builders import PUT_25900, SECOND, Desk, session, tick
from tests.unit.test_shadows import RULES, close, desk, prices, shadow, sides


def test_a_rejected_close_is_no_intervention_and_one_filled_in_part_is_a_trim() -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", size="150")
    on.holds = True
    close(on)
    on.answer(on.reject)
    assert not on.state.shadows
    on.pass_time(1)
    close(on)
    order = on.waiting[0]
    part = on.fill(order)
    on.report(replace(part, fill=replace(part.fill, qty=qty("75"))))
    assert (shadow(on).deed, shadow(on).is_settled) == (Deed.CLOSED, False)
    on.answer(on.cancel)
    assert (shadow(on).deed, shadow(on).is_settled) == (Deed.TRIMMED, True)
    assert shadow(on).position.qty == 75


def test_fills_in_parts_make_one_shadow_at_the_average() -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", size="150")
    on.holds = True
    close(on)
    whole = on.fill(on.waiting[0])
    part = replace(whole.fill, id="p1", qty=qty("75"), price=price("31.00"))  # type: ignore[arg-type]
    on.report(replace(whole, fill=part))
    prices(on, "22.50")  # the shadow of the first part ends before the second is filled
    on.report(replace(whole, fill=replace(whole.fill, qty=qty("75"), price=price("22.00"))))
    of = shadow(on)
    assert of.exit_price(PUT_25900) == price("26.50")
    assert of.position.qty == 150
    assert sides(on) == ("-525.00", "-1125.00", "600.00")


def test_a_close_of_a_flatten_that_is_asked_again_is_still_the_persons() -> None:
    on = desk()
    on.holds = True
    on.give(Flatten(CommandId("f"), "cli", LatchCause.OPERATOR, "news"))
    on.answer(on.reject)
    assert not on.state.shadows
    on.pass_time(2)
    on.answer(on.fill)
    assert [(s.deed, s.by) for s in on.state.shadows.values()] == [(Deed.FLATTENED, "cli")]


def test_a_level_that_was_passed_while_the_close_was_in_flight_ends_its_shadow_at_once() -> None:
    on = desk()
    on.holds = True
    close(on)
    prices(on, "22.00")  # nobody judges what is closing
    on.answer(on.fill)
    ending = shadow(on).ending
    assert ending is not None
    assert (ending.reason.code, ending.price) == ("stop_loss_hit", price("22.00"))
