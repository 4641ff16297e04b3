"""Changing stop and target of a live position (E-18): the risk is seen before it is taken."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain import event as ev
from engine.domain.command import ChangeStop
from engine.domain.ids import CommandId, PositionId
from engine.domain.money import Qty
from tests.tui.asked import readable, said, select
from tests.tui.rig import NOW, Rig, price
from tui.book import Figures
from tui.screens.levels import LevelsDialog
from tui.ticket import AmountError, figures_now, part_of, stop_objection


def _dialog(rig: Rig) -> LevelsDialog:
    assert isinstance(rig.app.screen, LevelsDialog)
    return rig.app.screen


async def test_arrow_keys_move_by_one_tick_and_shifted_by_ten() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("up")
        assert _dialog(rig).values["stop"] == Decimal("2890.05")
        await pilot.press("shift+up", "down", "down")
        assert _dialog(rig).values["stop"] == Decimal("2890.45")
        await pilot.press("y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ChangeStop)
        assert command.position == "p5"
        assert command.stop_loss == Decimal("2890.45")
        assert command.take_profit is None


async def test_a_typed_price_shows_what_it_would_cost_before_it_is_set() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press(*"2900.5")
        text = said(rig)
        assert "2900.5_" in text
        assert "was 2,890.00" in text
        assert "At 2,900.50: P&L -5,360.00 INR (-4,085.00 from here), 1.39% away." in text
        await pilot.press("y")
        await pilot.pause()
        assert [c.stop_loss for c in rig.link.sent if isinstance(c, ChangeStop)] == [
            Decimal("2900.5")
        ]


async def test_tab_goes_to_the_target_and_c_leaves_it_to_the_rules() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("tab", *"3100")
        assert _dialog(rig).values["take_profit"] == 3100
        await pilot.press("tab", "c", "y")
        await pilot.pause()
        (command,) = rig.link.sent
        assert isinstance(command, ChangeStop)
        assert command.stop_loss is None
        assert command.take_profit == 3100


@pytest.mark.parametrize(
    ("position", "typed", "reason"),
    [
        ("p5", "2950", "the stop of a long stands below the price 2,941.35"),
        ("p6", "1500", "the stop of a short stands above the price 1,512.35"),
        ("p5", "2900.03", "no multiple of the tick size 0.05"),
        ("p5", "2.9.0", "a price above 0 is needed"),
        ("p5", "0", "a price above 0 is needed"),
    ],
)
async def test_a_stop_that_cannot_stand_is_refused_with_the_reason(
    position: str, typed: str, reason: str
) -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, position)
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press(*typed, "y")
        await pilot.pause()
        assert rig.link.sent == []
        assert reason in said(rig)


async def test_stops_of_a_position_that_is_being_closed_cannot_be_changed() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p8")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press(*"700", "y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "a close is in flight" in said(rig)


async def test_nothing_changed_sends_nothing() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "nothing is changed yet" in said(rig)


async def test_enter_after_a_change_asks_for_y_instead_of_throwing_it_away() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("up", "enter")
        await readable(rig, pilot)
        assert "press y to set it" in said(rig)
        assert rig.link.sent == []
        await pilot.press("y")
        await pilot.pause()
        assert len(rig.link.sent) == 1


async def test_digits_and_arrows_typed_ahead_are_dropped() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e", "up", "1")
        assert _dialog(rig).values["stop"] == 2890
        assert _dialog(rig).typing is None


async def test_a_stop_that_somebody_else_changed_meanwhile_is_looked_at_again() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press("up")
        changed = ev.StopChanged(
            PositionId("p5"), price("2900.00"), None, CommandId("cli-1"), "cli"
        )
        rig.link.happen(NOW, changed)
        await pilot.press("y")
        await pilot.pause()
        assert rig.link.sent == []
        assert "somebody changed it meanwhile" in said(rig)
        assert "was 2,900.00" in said(rig)


async def test_a_looser_stop_and_a_closer_rule_are_named() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(80, 24)) as pilot:
        await select(rig, pilot, "p5")
        await pilot.press("e")
        await readable(rig, pilot)
        await pilot.press(*"2100")
        assert "LOOSER than before (2,890.00)" in said(rig)
        assert "rule stands closer" in said(rig)


async def test_every_rule_stands_in_the_dialog_with_its_level_and_why() -> None:
    rig = Rig()
    async with rig.app.run_test(size=(120, 36)) as pilot:
        await select(rig, pilot, "p1")
        await pilot.press("e")
        await pilot.pause()
        text = said(rig)
        assert "initial armed 22.50 48.89%" in text
        assert "trailing armed 30.15 11.11%" in text
        assert "take profit idle" in text


async def _figures(position: str) -> Figures:
    rig = Rig()
    async with rig.app.run_test() as pilot:
        await pilot.pause()
        item = figures_now(rig.app.desk.replica, PositionId(position), rig.clock.monotonic())
        assert item is not None
        return item


@pytest.mark.parametrize(
    ("position", "at", "is_target", "is_wrong"),
    [
        ("p5", "2941.30", False, False),
        ("p5", "2941.35", False, True),
        ("p5", "2941.35", True, True),
        ("p5", "2941.40", True, False),
        ("p6", "1512.40", False, False),
        ("p6", "1512.35", False, True),
        ("p6", "1512.30", True, False),
        ("p6", "1512.40", True, True),
    ],
)
async def test_a_stop_or_target_at_the_price_or_beyond_is_on_the_wrong_side(
    position: str, at: str, is_target: bool, is_wrong: bool
) -> None:
    item = await _figures(position)
    objection = stop_objection(price(at), item, is_target=is_target)
    assert ("wrong side" in objection) is is_wrong


@pytest.mark.parametrize(
    ("held", "lot", "typed", "wanted"),
    [
        ("225", "75", "50%", "75"),
        ("225", "75", "99.9%", "150"),
        ("225", "75", "100%", "225"),
        ("225", "75", "149", "75"),
        ("225", "75", "225", "225"),
        ("100", "75", "100%", "100"),
        ("1,000", "1", "1,000", "1000"),
        ("0.015", "0.001", "33%", "0.004"),
    ],
)
async def test_a_part_is_rounded_down_to_lots_and_all_of_it_is_never_cut(
    held: str, lot: str, typed: str, wanted: str
) -> None:
    item = await _figures("p1")
    assert item.instrument is not None
    position = replace(item.position, qty=Qty(Decimal(held.replace(",", ""))))
    instrument = replace(item.instrument, lot_size=Decimal(lot))
    assert part_of(typed, position, instrument) == Decimal(wanted)


@pytest.mark.parametrize("typed", ["", "0", "-75", "NaN", "1e400", "200%", "226", "10", "abc", "%"])
async def test_a_part_that_cannot_be_closed_is_refused_with_what_is_allowed(typed: str) -> None:
    item = await _figures("p1")
    position = replace(item.position, qty=Qty(Decimal(225)))
    with pytest.raises(AmountError, match=r"a quantity|more than|less than one lot"):
        part_of(typed, position, item.instrument)
