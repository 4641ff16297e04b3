"""S-10: levels, direction, trading strike, as tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.instrument import Right
from engine.domain.oi_history import OiHistory, compared
from engine.domain.option_chain import (
    Level,
    Levels,
    chains,
    direction,
    greatest,
    levels,
    nearest_expiry,
    otm_strike,
    strikes_within,
)
from tests.strategy_desk import UNDERLYING, option_id, small_chain

STRIKES = tuple(map(Decimal, (25850, 25900, 25950, 26000)))


@pytest.mark.parametrize(
    ("spot", "right", "strike"),
    [
        ("25946.95", Right.PUT, "25900"),
        ("25946.95", Right.CALL, "25950"),
        ("25950", Right.CALL, "25950"),
        ("25950", Right.PUT, "25900"),
        ("25950.05", Right.CALL, "26000"),
        ("25850", Right.PUT, None),
        ("25850", Right.CALL, "25850"),
        ("26000.05", Right.CALL, None),
        ("26000.05", Right.PUT, "26000"),
        ("1", Right.PUT, None),
        ("1", Right.CALL, "25850"),
    ],
)
def test_the_trading_strike_is_the_nearest_out_of_the_money(
    spot: str, right: Right, strike: str | None
) -> None:
    expected = None if strike is None else Decimal(strike)
    assert otm_strike(STRIKES, Decimal(spot), right) == expected


def test_an_empty_chain_has_no_trading_strike() -> None:
    assert otm_strike((), Decimal(25900), Right.CALL) is None
    assert otm_strike((), Decimal(25900), Right.PUT) is None


def at(call: tuple[int, int], put: tuple[int, int]) -> Levels:
    return Levels(
        Level(Decimal(call[0]), Decimal(call[1])), Level(Decimal(put[0]), Decimal(put[1]))
    )


@pytest.mark.parametrize(
    ("spot", "found", "expected"),
    [
        ("25980", at((26000, 10), (25900, 99)), Right.CALL),
        ("25920", at((26000, 99), (25900, 10)), Right.PUT),
        ("25950", at((26000, 11), (25900, 10)), Right.CALL),
        ("25950", at((26000, 10), (25900, 11)), Right.PUT),
        ("25946.95", at((26000, 35123625), (26000, 17592275)), Right.CALL),
        ("25946.95", at((26000, 17592275), (26000, 35123625)), Right.PUT),
        ("25950", at((26000, 10), (25900, 10)), Right.CALL),
    ],
)
def test_the_nearer_level_gives_the_direction_and_the_larger_oi_breaks_a_tie(
    spot: str, found: Levels, expected: Right
) -> None:
    right, why = direction(Decimal(spot), found)
    assert right is expected
    assert f"spot {spot}" in why


def test_levels_are_logged_with_their_values_and_strikes() -> None:
    found = at((26000, 35123625), (26000, 17592275))
    assert found.text() == "Max Call OI: 35,123,625 @ 26000, Max Put OI: 17,592,275 @ 26000"


def test_levels_are_sought_only_within_the_given_strikes_of_spot() -> None:
    chain = chains(small_chain(range(25500, 26550, 50)), UNDERLYING)[""]
    oi = {
        option_id(strike, right): Decimal(value)
        for strike, right, value in (
            (25900, Right.CALL, 5),
            (26050, Right.CALL, 9),
            (26500, Right.CALL, 1000),
            (25800, Right.PUT, 7),
            (25950, Right.PUT, 3),
            (25500, Right.PUT, 1000),
        )
    }
    found = levels(chain, oi, Decimal("25946.95"), 3)
    assert found == at((26050, 9), (25800, 7))
    assert levels(chain, oi, Decimal("25946.95"), 0) is None


def test_within_counts_strikes_on_either_side_of_the_nearest() -> None:
    assert strikes_within(STRIKES, Decimal("25946.95"), 1) == STRIKES[1:4]
    assert strikes_within(STRIKES, Decimal(25925), 0) == (Decimal(25900),)
    assert strikes_within(STRIKES, Decimal(1), 1) == STRIKES[:2]
    assert strikes_within((), Decimal(1), 5) == ()
    many = tuple(Decimal(strike) for strike in range(25000, 27000, 50))
    assert len(strikes_within(many, Decimal("25946.95"), 5)) == 11


def test_of_equal_open_interest_the_strike_nearer_spot_wins_then_the_lower() -> None:
    equal = dict.fromkeys(STRIKES, Decimal(5))
    assert greatest(equal, Decimal(25940)) == Level(Decimal(25950), Decimal(5))
    assert greatest(equal, Decimal(25925)) == Level(Decimal(25900), Decimal(5))
    assert greatest({}, Decimal(1)) is None


def test_the_nearest_expiry_that_has_not_passed_is_traded() -> None:
    expiries = ["2026-02-10", "2026-02-03", "2026-01-27"]
    assert nearest_expiry(expiries, "2026-01-29") == "2026-02-03"
    assert nearest_expiry(expiries, "2026-02-03") == "2026-02-03"
    assert nearest_expiry(expiries, "2026-02-11") is None
    assert nearest_expiry([""], "2026-02-11") == ""


def test_falling_needs_every_one_of_the_last_bars_to_fall() -> None:
    history = OiHistory(4)
    option = option_id(25900, Right.PUT)
    seen: list[bool] = []
    for value in (100, 130, 120, 110, 105, 105, 104):
        history.add(option, Decimal(value))
        seen.append(history.is_falling(option, 3))
    assert seen == [False, False, False, False, True, False, False]
    assert not history.is_below_open(option)
    history.add(option, Decimal(99))
    assert history.is_below_open(option)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (17592275, 17192275, ("17.6M", "17.2M")),
        (17592275, 17592200, ("17,592,275", "17,592,200")),
        (999999, 17592200, ("999,999", "17,592,200")),
    ],
)
def test_counts_are_as_short_as_they_can_be_told_apart(
    one: int, other: int, expected: tuple[str, str]
) -> None:
    assert compared(Decimal(one), Decimal(other)) == expected
