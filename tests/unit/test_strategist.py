"""Life and death of strategies as the journal tells it (S-2, S-3, S-4, S-5, S-6)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.command import ClosePosition, ControlStrategy
from engine.domain.event import (
    OrderRejected,
    SignalAccepted,
    SignalRefused,
    StrategyFailed,
    StrategyNoted,
)
from engine.domain.ids import SECOND, CommandId, Nanos, StrategyName
from engine.domain.inputs import Proof, Reported
from engine.domain.market import Tick
from engine.domain.money import ZERO, price
from engine.domain.strategy import Phase
from engine.runtime.strategy_host import InlineHost, StrategyHost
from engine.runtime.strategy_loading import StrategyLoadError, StrategySpec, load
from tests.builders import NIFTY, PUT_25900
from tests.foreign import sold
from tests.strategy_desk import StrategyDesk, spec

SAMPLES = Path(__file__).with_name("sample_strategies.py")
CATALOG = {NIFTY: PUT_25900}


def sample(name: str, **settings: str) -> StrategySpec:
    return spec(f"{SAMPLES}:{name}", name.lower(), **settings)


def desk_of(*specs: StrategySpec) -> StrategyDesk:
    return StrategyDesk(specs, CATALOG).begin()


def tick(minute: float, last: str = "30") -> Tick:
    return Tick(NIFTY, price(last), Nanos(int(minute * 60 * SECOND)), Decimal(1))


def control(desk: StrategyDesk, name: str, verb: str) -> None:
    id_ = CommandId(f"{verb}-{len(desk.entries)}")
    desk.command(ControlStrategy(id_, StrategyName(name), verb, "console"))


def test_a_decision_acts_on_the_first_tick_after_its_bar_and_the_phases_tell() -> None:
    desk = desk_of(sample("Buyer"))
    desk.tick(tick(0.5, "30"))
    assert not desk.state.positions
    desk.tick(tick(1.5, "31"))
    (position,) = desk.state.positions.values()
    assert position.entry == Decimal(31)
    desk.command(ClosePosition(CommandId("c"), position.id, "console"))
    assert desk.phases("buyer") == [
        "starting",
        "analyzing",
        "entering",
        "position_open",
        "exiting",
        "cooldown",
    ]
    assert desk.of(StrategyNoted)[0].text == "bar 1"


def test_an_order_that_the_venue_rejects_is_told_as_a_refusal() -> None:
    desk = desk_of(sample("Buyer"))
    desk.holds = True
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    assert desk.record("buyer").phase is Phase.ENTERING
    order = desk.waiting.pop()
    desk.command(Reported(OrderRejected(order.id, "insufficient_funds")))
    assert desk.record("buyer").phase is Phase.ANALYZING
    assert "insufficient_funds" in desk.record("buyer").waits_for


def test_a_paused_strategy_keeps_listening_but_nothing_of_it_is_entered() -> None:
    desk = desk_of(sample("Buyer"))
    control(desk, "buyer", "pause")
    for minute in range(3):
        desk.tick(tick(minute + 0.5))
    assert desk.record("buyer").phase is Phase.PAUSED
    assert [event.reason for event in desk.of(SignalRefused)] == ["strategy buyer is paused"] * 2
    control(desk, "buyer", "resume")
    assert desk.record("buyer").phase is Phase.ANALYZING
    desk.tick(tick(3.5))
    assert desk.record("buyer").phase is Phase.POSITION_OPEN
    assert desk.notes() == ["bar 1", "bar 2", "bar 3"]


def test_a_stopped_strategy_hears_nothing_and_starts_with_its_memory() -> None:
    desk = desk_of(sample("Counter"))
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    control(desk, "counter", "stop")
    desk.tick(tick(2.5))
    desk.tick(tick(3.5))
    assert desk.record("counter").phase is Phase.STOPPED
    control(desk, "counter", "start")
    desk.tick(tick(4.5))
    desk.tick(tick(5.5))
    assert desk.notes()[-1].startswith("bar ")
    assert desk.phases("counter")[-3:] == ["stopped", "starting", "analyzing"]
    assert desk.notes()[0] == "bar 1"
    assert desk.notes()[-1] != "bar 1"


@pytest.mark.parametrize("phase", ["pause", "stop"])
def test_paused_and_stopped_survive_a_restart(phase: str) -> None:
    desk = desk_of(sample("Counter"))
    control(desk, "counter", phase)
    again = StrategyDesk([sample("Counter")], CATALOG, state=desk.state).begin()
    assert again.entries == []
    expected = {"pause": Phase.PAUSED, "stop": Phase.STOPPED}[phase]
    assert again.record("counter").phase is expected


def test_what_ran_resumes_by_itself_with_its_position() -> None:
    desk = desk_of(sample("Buyer"))
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    assert desk.state.positions
    again = StrategyDesk([sample("Buyer")], CATALOG, state=desk.state).begin()
    assert again.phases("buyer") == ["starting", "position_open"]
    again.now = desk.now
    again.tick(tick(2.5))
    (position,) = again.state.positions
    again.command(ClosePosition(CommandId("c"), position, "console"))
    assert again.record("buyer").phase is Phase.COOLDOWN


def test_a_position_that_somebody_closes_at_the_venue_is_told_as_closed() -> None:
    desk = desk_of(sample("Buyer"))
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    (position,) = desk.state.positions.values()
    half = position.qty / 2
    desk.command(Proof(NIFTY, position.qty, half, (sold("v1", f"{half}", "31"),)))
    assert desk.record("buyer").phase is Phase.POSITION_OPEN
    desk.command(Proof(NIFTY, half, ZERO, (sold("v2", f"{half}", "32"),)))
    assert desk.record("buyer").phase is Phase.COOLDOWN


def test_an_entry_that_waited_for_its_tick_at_the_crash_is_made_after_it_and_only_once() -> None:
    desk = desk_of(sample("Buyer"))
    desk.tick(tick(0.5))
    desk.strategist.on_time(Nanos(61 * SECOND))
    desk.drain()
    assert desk.record("buyer").phase is Phase.ENTERING
    again = StrategyDesk([sample("Buyer")], CATALOG, state=desk.state).begin()
    again.now = Nanos(61 * SECOND)
    again.tick(tick(1.5))
    assert len(again.of(SignalAccepted)) == 1
    third = StrategyDesk([sample("Buyer")], CATALOG, state=again.state).begin()
    third.tick(tick(1.6))
    assert len(third.state.positions) == 1


def test_a_decision_that_no_tick_answers_lapses() -> None:
    desk = desk_of(sample("Buyer"))
    desk.tick(tick(0.5))
    desk.strategist.on_time(Nanos(61 * SECOND))
    desk.drain()
    assert desk.record("buyer").phase is Phase.ENTERING
    desk.strategist.on_time(Nanos(190 * SECOND))
    desk.drain()
    assert desk.record("buyer").phase is Phase.ANALYZING
    assert any("no tick of" in note for note in desk.notes())
    desk.tick(tick(3.5))
    assert not desk.state.positions


def test_the_clock_ends_a_bar_in_a_silent_market_after_a_moment_of_grace() -> None:
    desk = desk_of(sample("Counter"))
    desk.tick(tick(0.5))
    assert desk.strategist.due == 60 * SECOND
    desk.strategist.on_time(Nanos(60 * SECOND))
    desk.drain()
    assert desk.notes() == []
    desk.strategist.on_time(Nanos(61 * SECOND))
    desk.drain()
    assert desk.notes() == ["bar 1"]


@pytest.mark.parametrize("when", ["start", "bars", "opened", "memory"])
def test_one_that_raises_is_marked_failed_with_its_traceback_and_the_others_go_on(
    when: str,
) -> None:
    desk = desk_of(sample("Raiser", when=when), sample("Counter"))
    for minute in range(4):
        desk.tick(tick(minute + 0.5))
    (failed,) = desk.of(StrategyFailed)
    assert failed.strategy == "raiser"
    assert "planted" in failed.why
    assert "sample_strategies.py" in failed.traceback
    assert desk.record("raiser").phase is Phase.FAILED
    assert desk.notes()[-1] == "bar 3"


def fast(chosen: StrategySpec) -> StrategyHost:
    return InlineHost(chosen, limit_s=0.05)


def test_one_that_loops_for_ever_is_ended_and_the_others_go_on() -> None:
    desk = StrategyDesk([sample("Looper"), sample("Counter")], CATALOG, fast).begin()
    for minute in range(3):
        desk.tick(tick(minute + 0.5))
    (failed,) = desk.of(StrategyFailed)
    assert failed.why == "no answer within 0.05 s"
    assert "while True" in failed.traceback
    assert desk.notes() == ["bar 1", "bar 2"]


def test_a_failed_strategy_can_be_started_again_by_a_person() -> None:
    desk = StrategyDesk([sample("Raiser", when="bars")], CATALOG).begin()
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    assert desk.record("raiser").phase is Phase.FAILED
    control(desk, "raiser", "start")
    assert desk.record("raiser").phase is Phase.ANALYZING
    desk.tick(tick(2.5))
    desk.tick(tick(3.5))
    assert len(desk.of(StrategyFailed)) == 2


def test_foreign_numbers_in_a_memory_become_plain_ones_and_a_nan_is_a_failure() -> None:
    desk = desk_of(sample("Foreign"))
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    assert '"oi":28684875' in desk.record("foreign").memory
    wrong = desk_of(sample("Foreign", is_nan="true"))
    wrong.tick(tick(0.5))
    wrong.tick(tick(1.5))
    assert wrong.record("foreign").phase is Phase.FAILED


def test_a_signal_with_an_impossible_number_is_a_failure_not_an_order() -> None:
    desk = desk_of(sample("Buyer", qty="-75"))
    desk.tick(tick(0.5))
    desk.tick(tick(1.5))
    assert "qty and prices are above 0" in desk.record("buyer").failure
    assert not desk.state.orders


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (spec("oi_momentun"), "no strategy 'oi_momentun'; there are: oi_momentum, signals"),
        (spec("oi_momentum", barseconds="60"), "no parameter 'barseconds', there are: underlying"),
        (spec("oi_momentum", bar_seconds="x"), "bar_seconds was 'x', allowed: a whole number"),
        (spec("oi_momentum", qty="NaN"), "qty was 'NaN', allowed: a number"),
        (spec("oi_momentum", window_end="25:00"), "window_end is a time HH:MM, was '25:00'"),
        (spec("nowhere.py:X"), "there is no file"),
        (spec(f"{SAMPLES}:Nobody"), "has no class 'Nobody'"),
    ],
)
def test_a_wrong_name_or_parameter_says_what_there_is(chosen: StrategySpec, message: str) -> None:
    with pytest.raises(StrategyLoadError, match=message):
        load(chosen)


def test_parameters_given_as_text_get_their_types() -> None:
    made = load(spec("oi_momentum", bar_seconds="60", qty="65", underlying="BANKNIFTY"))
    needs = made.needs()
    assert needs.bar_seconds == 60
    assert needs.underlyings == {"BANKNIFTY"}
