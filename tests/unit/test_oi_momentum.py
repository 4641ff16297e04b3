"""S-10, decision by decision, through the real core with a venue that fills at once."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.command import ClosePosition
from engine.domain.event import SignalAccepted, SignalRefused
from engine.domain.ids import SECOND, CommandId, InstrumentId, Nanos, PositionId, StrategyName
from engine.domain.instrument import Right
from engine.domain.market import Bar, Tick
from engine.domain.money import price, qty
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.strategy import Advice, Close, Holding, Moment, Phase
from engine.strategies.oi_momentum import OiMomentum, OiMomentumSettings
from tests.strategy_desk import (
    UNDERLYING,
    StrategyDesk,
    moment_of,
    option_id,
    small_chain,
    spec,
)

NAME = StrategyName("oi")
PUT_25900 = option_id(25900, Right.PUT)
Row = tuple[str, int, int]
"""LTP, OI, VWAP of an option in a bar."""


def strategy(**more: Any) -> OiMomentum:
    chosen = OiMomentumSettings(underlying=UNDERLYING, strikes_around=1, **more)
    made = OiMomentum(NAME, chosen)
    made.on_start(small_chain(), None, moment_of("09:00"))
    return made


def bars(
    clock: str,
    spot: str | None = "25946.95",
    quiet: tuple[InstrumentId, ...] = (),
    day: str = "2026-01-29",
    rows: dict[InstrumentId, Row] | None = None,
) -> Moment:
    """All options at LTP 30, VWAP 31, and OI that makes it a PUT day, but for what `rows` say."""
    at = moment_of(clock, day)
    start = moment_of("09:15", day)
    closes: dict[InstrumentId, Close] = {}
    if spot is not None:
        closes[UNDERLYING] = Close(bar_of(UNDERLYING, at, spot), None, start)
    for id_, item in small_chain().items():
        if item.strike is None or id_ in quiet:
            continue
        usual = 500 if item.right is Right.PUT else 100
        last, oi, vwap = (rows or {}).get(id_, ("30", usual, 31))
        closes[id_] = Close(bar_of(id_, at, last, oi), Decimal(vwap), start)
    return Moment(at, Nanos(at + 300 * SECOND), closes)


def bar_of(id_: InstrumentId, at: Nanos, last: str, oi: int | None = None) -> Bar:
    p = price(last)
    return Bar(id_, at, p, p, p, p, None, None if oi is None else Decimal(oi), 300)


GOOD: dict[InstrumentId, Row] = {PUT_25900: ("33", 490, 31)}
"""Unwinding, and above VWAP."""


WHY_PUT = (
    "DIRECTION PUT: spot 25946.95 is 3.05 from max call OI strike 25950 and 3.05 from max put "
    "OI strike 25950: a tie, the larger OI decides "
    "(Max Call OI: 100 @ 25950, Max Put OI: 500 @ 25950)"
)


def test_the_first_complete_bar_fixes_levels_direction_and_strike() -> None:
    advice = strategy().on_bars(bars("09:15"))
    assert advice.notes == (
        "Max Call OI: 100 @ 25950, Max Put OI: 500 @ 25950",
        WHY_PUT,
        "STRIKE none → 25900 (spot 25946.95)",
        "NO ENTRY: entry window opens 09:30",
    )
    assert (advice.phase, advice.waits_for) == (Phase.ANALYZING, "entry window opens 09:30")


def test_incomplete_data_is_waited_for_and_said() -> None:
    made = strategy()
    quiet = (option_id(25950, Right.CALL), option_id(26000, Right.PUT))
    advice = made.on_bars(bars("09:15", quiet=quiet))
    assert advice.waits_for == "first complete data: OI of 4 of 6 options known"
    advice = made.on_bars(bars("09:20", spot=None))
    assert advice.waits_for == "a tick of IDX: none in this bar"
    assert made.on_bars(bars("09:25")).notes[0].startswith("Max Call OI")


def test_levels_and_direction_stay_for_the_day_and_are_found_anew_the_next() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    other = {option_id(25950, Right.CALL): ("30", 900, 31)}
    assert not any("OI:" in note for note in made.on_bars(bars("09:35", rows=other)).notes)
    notes = made.on_bars(bars("09:15", day="2026-01-30", rows=other)).notes
    assert notes[0] == "Max Call OI: 900 @ 25950, Max Put OI: 500 @ 25950"
    assert notes[1].startswith("DIRECTION CALL")
    assert notes[2] == "STRIKE none → 25950 (spot 25946.95)"


def test_bars_from_before_the_session_decide_nothing() -> None:
    made = strategy()
    assert made.on_bars(bars("09:05")) == Advice()
    assert made.memory()["day"]["levels"] is None


def test_an_option_that_unwinds_above_its_vwap_is_bought() -> None:
    made = strategy(qty=qty("75"))
    made.on_bars(bars("09:15"))
    advice = made.on_bars(bars("09:30", rows=GOOD))
    (signal,) = advice.signals
    assert (signal.instrument, signal.side, signal.qty) == (PUT_25900, Side.BUY, Decimal(75))
    assert signal.at == moment_of("09:35")
    assert signal.reason == "25900 PUT: OI 490 below open 500; LTP 33 above VWAP 31.00"
    assert dict(signal.inputs)["oi_open"] == "500"
    assert advice.phase is Phase.ENTERING
    assert advice.notes[-1].startswith("ENTRY 25900 PUT")


@pytest.mark.parametrize(
    ("row", "waits_for"),
    [
        (("33", 500, 31), "25900 PUT: OI 500 not below open 500, not falling 3 bars"),
        (("31", 490, 31), "25900 PUT: LTP 31 not above VWAP 31.00"),
        (
            ("30", 501, 31),
            "25900 PUT: OI 501 not below open 500, not falling 3 bars; LTP 30 not above VWAP 31.00",
        ),
    ],
)
def test_what_is_missing_for_an_entry_is_said(row: Row, waits_for: str) -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    advice = made.on_bars(bars("09:30", rows={PUT_25900: row}))
    assert not advice.signals
    assert (advice.phase, advice.waits_for) == (Phase.ANALYZING, waits_for)
    assert advice.notes == (f"NO ENTRY: {waits_for}",)
    again = made.on_bars(bars("09:35", rows={PUT_25900: row}))
    assert again.notes == (), "the same kind of reason is noted once"


def test_open_interest_that_falls_bar_after_bar_unwinds_even_above_its_open() -> None:
    made = strategy(falling_bars=2)
    made.on_bars(bars("09:15"))
    assert not made.on_bars(bars("09:30", rows={PUT_25900: ("33", 540, 31)})).signals
    assert not made.on_bars(bars("09:35", rows={PUT_25900: ("33", 530, 31)})).signals
    (signal,) = made.on_bars(bars("09:40", rows={PUT_25900: ("33", 520, 31)})).signals
    assert "OI 520 falling 2 bars, not below open 500" in signal.reason


def test_an_option_without_a_tick_in_the_bar_is_never_entered_on_its_old_price() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    made.on_bars(bars("09:20", rows=GOOD))  # outside the window: remembered, not entered
    advice = made.on_bars(bars("09:30", quiet=(PUT_25900,)))
    assert not advice.signals
    assert advice.waits_for == "a tick of 25900 PUT: none in this bar"


def test_no_spot_in_the_bar_means_no_new_strike_and_no_entry() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    advice = made.on_bars(bars("09:30", spot=None, rows=GOOD))
    assert not advice.signals
    assert advice.waits_for == "a tick of IDX: none in this bar"


@pytest.mark.parametrize(
    ("clock", "enters"),
    [("09:25", False), ("09:29", False), ("09:30", True), ("14:30", True), ("14:31", False)],
)
def test_the_window_is_compared_with_the_time_of_the_bar(clock: str, enters: bool) -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    assert bool(made.on_bars(bars(clock, rows=GOOD)).signals) is enters


def test_the_bar_of_14_30_counts_however_late_it_is_handled() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    late = bars("14:30:25", rows=GOOD)
    assert made.on_bars(replace(late, ends=moment_of("14:59"))).signals


def test_after_the_window_the_reason_is_that_it_closed() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    assert made.on_bars(bars("14:35", rows=GOOD)).waits_for == "entry window closed 14:30"


def test_the_strike_follows_the_spot_while_flat_and_rests_while_a_position_is_open() -> None:
    made = strategy()
    made.on_bars(bars("09:15", spot="25880"))
    assert "STRIKE 25850 → 25900 (spot 25946.95)" in made.on_bars(bars("09:20")).notes
    made.on_bars(bars("09:30", rows=GOOD))
    made.on_opened(holding())
    assert made.on_bars(bars("09:35", spot="25880")) == Advice()
    made.on_closed(holding(), "stop_loss_hit", Decimal(-1), moment_of("09:38"))
    assert "STRIKE 25900 → 25850 (spot 25880)" in made.on_bars(bars("09:40", spot="25880")).notes


def holding() -> Holding:
    return Holding(PositionId("p"), PUT_25900, Side.BUY, qty("75"), price("33"), moment_of("09:35"))


def test_while_one_entry_or_position_is_open_there_is_no_second() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    assert made.on_bars(bars("09:30", rows=GOOD)).signals
    assert not made.on_bars(bars("09:35", rows=GOOD)).signals
    made.on_opened(holding())
    assert not made.on_bars(bars("09:40", rows=GOOD)).signals


def test_after_an_exit_it_cools_down_and_says_how_long() -> None:
    made = strategy(cooldown_s=342)
    made.on_bars(bars("09:15"))
    made.on_bars(bars("09:30", rows=GOOD))
    made.on_opened(holding())
    advice = made.on_closed(holding(), "stop_loss_hit", Decimal(-1), moment_of("09:40"))
    assert (advice.phase, advice.waits_for) == (Phase.COOLDOWN, "cooldown 342 s")
    advice = made.on_bars(bars("09:40", rows=GOOD))
    assert (advice.phase, advice.waits_for) == (Phase.COOLDOWN, "cooldown 42 s")
    assert made.on_bars(bars("09:45", rows=GOOD)).signals


def test_a_refused_entry_is_tried_again_at_the_next_bar_as_another_signal() -> None:
    made = strategy()
    made.on_bars(bars("09:15"))
    (first,) = made.on_bars(bars("09:30", rows=GOOD)).signals
    advice = made.on_refused(first, "stale feed")
    assert advice.phase is Phase.ANALYZING
    assert "stale feed" in (advice.waits_for or "")
    (second,) = made.on_bars(bars("09:35", rows=GOOD)).signals
    assert second.id != first.id


def test_no_strike_out_of_the_money_is_a_reason() -> None:
    made = strategy()
    made.on_bars(bars("09:15", spot="25860"))
    advice = made.on_bars(bars("09:30", spot="25850"))
    assert advice.notes[0] == "STRIKE 25850 → none, no OTM PUT (spot 25850)"
    assert advice.waits_for == "a strike out of the money"


def test_labels_are_call_and_put_only() -> None:
    made = strategy()
    text = repr(made.on_bars(bars("09:15"))) + repr(made.on_bars(bars("09:30", rows=GOOD)))
    assert "PE'" not in text
    assert " CE" not in text
    assert "25900 PUT" in text


def test_without_its_underlying_it_says_what_there_is() -> None:
    made = OiMomentum(NAME, OiMomentumSettings(underlying=InstrumentId("BANKNIFTY")))
    with pytest.raises(Exception, match=r"BANKNIFTY .* there are options on: IDX"):
        made.on_start(small_chain(), None, Nanos(0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bar_seconds": 0}, "bar_seconds is at least 1, was 0"),
        ({"falling_bars": 0}, "falling_bars is at least 1"),
        ({"strikes_around": -1}, "strikes_around is at least 0"),
        ({"cooldown_s": -1}, "cooldown_s is at least 0"),
        ({"window_start": "9:30"}, "window_start is a time HH:MM, was '9:30'"),
        ({"window_end": "24:00"}, "window_end is a time HH:MM"),
        ({"window_start": "15:00"}, "window_start is not after window_end"),
        ({"qty": Decimal(0)}, "qty is above 0"),
    ],
)
def test_wrong_parameters_are_refused_by_name(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OiMomentumSettings(**wrong)


def test_a_market_that_never_closes_has_no_window_and_starts_with_its_first_data() -> None:
    catalog = small_chain(is_always_open=True)
    settings_ = {"underlying": "IDX", "strikes_around": "1", "bar_seconds": "60"}
    desk = StrategyDesk([spec("oi_momentum", **settings_)], catalog)
    desk.begin(Limits(default_qty=Decimal(75)))
    at = moment_of("03:00")
    for minute, oi in enumerate((100, 90, 80)):
        for id_ in catalog:
            last = "25946.95" if id_ == UNDERLYING else str(30 + minute)
            tick = Tick(id_, price(last), Nanos(at + minute * 60 * SECOND), Decimal(10))
            tick.oi = None if id_ == UNDERLYING else Decimal(oi)
            desk.tick(tick)
    desk.tick(Tick(UNDERLYING, price("25946"), Nanos(at + 180 * SECOND)))
    desk.tick(Tick(option_id(25950, Right.CALL), price("33"), Nanos(at + 181 * SECOND)))
    (accepted,) = desk.of(SignalAccepted)
    assert accepted.signal.instrument == option_id(25950, Right.CALL)
    assert desk.record("oi_momentum").phase is Phase.POSITION_OPEN
    assert not desk.of(SignalRefused)
    (position,) = desk.state.positions
    desk.command(ClosePosition(CommandId("c"), position, "console"))
    assert desk.record("oi_momentum").phase is Phase.COOLDOWN
    assert desk.record("oi_momentum").waits_for == "cooldown 300 s"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["bars", "bars", "bars", "opened", "closed", "refused"]),
        st.integers(25860, 25990),
        st.integers(60, 140),
        st.integers(25, 40),
        st.booleans(),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 30))
def test_restored_at_any_step_it_decides_as_if_never_interrupted(
    steps: list[tuple[str, int, int, int, bool]], cut: int
) -> None:
    whole, broken = strategy(cooldown_s=600), strategy(cooldown_s=600)
    for number, step in enumerate(steps):
        if number == cut:
            memory = json.loads(json.dumps(broken.memory()))
            broken = strategy(cooldown_s=600)
            broken.restore(memory)
        assert play(broken, number, step) == play(whole, number, step)
    assert broken.memory() == whole.memory()


def play(made: OiMomentum, number: int, step: tuple[str, int, int, int, bool]) -> Advice:
    what, spot, oi, last, is_quiet = step
    clock = f"{9 + (15 + 5 * number) // 60:02}:{(15 + 5 * number) % 60:02}"
    entry = made.memory()["entry"]
    if what == "opened" and entry:
        return made.on_opened(holding())
    if what == "closed" and made.memory()["phase"] == "position_open":
        return made.on_closed(holding(), "manual", Decimal(1), moment_of(clock))
    if what == "refused" and entry:
        signal = made._entry
        assert signal is not None
        return made.on_refused(signal, "stale feed")
    quiet = (option_id(25950, Right.PUT),) if is_quiet else ()
    rows: dict[InstrumentId, Row] = {
        id_: (str(last), oi, 31) for id_ in small_chain() if id_ != UNDERLYING
    }
    rows[option_id(25950, Right.PUT)] = ("30", 500, 31)
    return made.on_bars(bars(clock, spot=str(spot), quiet=quiet, rows=rows))
