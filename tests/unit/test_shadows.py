"""E-28: what a person took out of the hands of its rules lives on as a shadow, to the paisa."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ChangeStop, ClosePosition, Flatten
from engine.domain.event import (
    FeedChanged,
    Levels,
    OrderRequested,
    Resumed,
    SessionCrashed,
    SessionEnded,
    ShadowEnded,
    StopChanged,
)
from engine.domain.evolve import fold
from engine.domain.ids import CommandId, Nanos, SessionId
from engine.domain.market import Bar
from engine.domain.money import price, qty
from engine.domain.narrate import narrate
from engine.domain.order import ExitKind, Side
from engine.domain.position import Position
from engine.domain.risk import LatchCause, Limits
from engine.domain.session import Carryover, SessionStatus
from engine.domain.shadow import Deed, Effect, Shadow, effect
from engine.runtime.core import Core
from engine.stops.initial import InitialStop
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from tests.builders import CATALOG, NIFTY, PUT_25900, SECOND, Desk, session, tick

RULES = (InitialStop(), TrailingStop())


def desk(*rules: object, limits: Limits | None = None) -> Desk:
    """A desk that holds 75 x NIFTY 25900 PUT from 30.00."""
    made = Desk().start(session(rules=rules or RULES, limits=limits))  # type: ignore[arg-type]
    made.tick(tick("30.00", SECOND))
    made.open("a")
    return made


def prices(on: Desk, *lasts: str) -> None:
    for last in lasts:
        on.tick(tick(last, on.now + SECOND))


def held(on: Desk) -> Position:
    return next(iter(on.state.positions.values()))


def close(on: Desk, size: str | None = None, by: str = "console", note: str = "") -> None:
    wanted = None if size is None else qty(size)
    on.give(ClosePosition(CommandId(f"x{on.state.seq}"), held(on).id, by, wanted, note))


def restop(on: Desk, stop: str | None, target: str | None = None) -> None:
    levels = [None if level is None else price(level) for level in (stop, target)]
    on.give(ChangeStop(CommandId(f"e{on.state.seq}"), held(on).id, "console", *levels))


def shadow(on: Desk) -> Shadow:
    """The newest intervention, whichever sides of it are final."""
    known = (*on.state.shadows.values(), *on.state.interventions)
    return max(known, key=lambda s: s.seq)


def sides(on: Desk, last: str | None = None) -> tuple[str | None, str | None, str | None]:
    """Operator, strategy and difference of the newest intervention."""
    of = shadow(on)
    now = effect(
        of, on.state.positions.get(of.position.id), PUT_25900, None if last is None else price(last)
    )
    return tuple(  # type: ignore[return-value]
        None if v is None else f"{v:f}" for v in (now.operator, now.strategy, now.difference)
    )


def test_the_worked_example_to_the_paisa() -> None:
    on = desk()
    prices(on, "29.85")
    close(on, note="nervous")
    assert on.state.closed[-1].gross == Decimal("-11.25")
    prices(on, "31.00", "33.50", "31.00")
    assert not on.state.interventions
    assert sides(on, "31.00") == ("-11.25", "75.00", "-86.25")
    prices(on, "30.15")  # 33.50 x 0.9 = 30.15
    assert not on.state.shadows
    over = on.state.interventions[-1]
    assert over.ending is not None
    assert (over.ending.reason.code, over.ending.price) == ("trailing_stop_hit", price("30.15"))
    assert over.ending.reason.level == Decimal("30.15")
    assert (over.deed, over.by, over.note) == (Deed.CLOSED, "console", "nervous")
    assert sides(on) == ("-11.25", "11.25", "-22.50")
    said = [e for e in on.events if isinstance(e, ShadowEnded)]
    assert [e.pnl for e in said] == [Decimal("11.25")]


def test_a_shadow_needs_no_position_and_leaves_nothing_behind() -> None:
    on = desk()
    prices(on, "29.85")
    close(on)
    assert not on.state.positions
    assert on.state.extremes[NIFTY].held == 1
    prices(on, "33.50", "30.15")
    assert not on.state.extremes
    assert not on.core.bands[NIFTY].held
    assert not on.core.bands[NIFTY].tickets


def test_no_order_follows_from_a_shadow() -> None:
    on = desk()
    prices(on, "29.85")
    close(on)
    before = len([e for e in on.events if isinstance(e, OrderRequested)])
    prices(on, "33.50", "30.15", "20.00")
    assert len([e for e in on.events if isinstance(e, OrderRequested)]) == before


def test_a_trim_leaves_a_shadow_of_the_trimmed_quantity_only() -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", size="150")
    prices(on, "31.00")
    close(on, "75")
    of = shadow(on)
    assert of.deed is Deed.TRIMMED
    assert (of.position.qty, of.position.entry_value) == (qty("75"), Decimal(2250))
    assert held(on).qty == 75
    prices(on, "33.50", "30.15")  # the rest and the shadow end on one tick
    assert sides(on) == ("75.00", "11.25", "63.75")
    assert on.state.closed[-1].gross == Decimal("86.25")


def test_a_changed_stop_leaves_a_shadow_with_the_former_one() -> None:
    on = desk()
    prices(on, "33.50")
    restop(on, "31.00")
    of = shadow(on)
    assert (of.deed, of.position.stop_loss, of.levels) == (
        Deed.RESTOPPED,
        None,
        Levels(price("31.00"), None),
    )
    assert sides(on, "33.00") == ("225.00", "225.00", "0.00")
    prices(on, "31.00")  # the operator's stop
    assert on.state.closed[-1].gross == Decimal("75.00")
    assert sides(on, "31.00") == ("75.00", "75.00", "0.00")
    prices(on, "36.00", "32.40")  # trailing from 36.00
    assert sides(on) == ("75.00", "180.00", "-105.00")


def test_each_further_change_makes_another_shadow_that_follows_the_first() -> None:
    on = desk()
    prices(on, "32.00")
    restop(on, "28.00")
    first = shadow(on)
    restop(on, "31.00", "40.00")
    second = shadow(on)
    assert second.position.stop_loss == price("28.00")
    assert (first.follows, second.follows) == (None, first.id)
    close(on)
    assert shadow(on).follows == first.id
    assert [s.is_settled for s in on.state.shadows.values()] == [True, True, True]
    assert {s.gross for s in on.state.shadows.values()} == {Decimal("150.00")}


def test_the_same_levels_again_are_no_intervention() -> None:
    on = desk()
    restop(on, None)
    assert any(isinstance(e, StopChanged) for e in on.events)
    assert not on.state.shadows


def test_the_operators_side_of_a_changed_stop_is_all_that_came_after_it() -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", size="225")
    prices(on, "31.00")
    close(on, "75")  # 75.00 before the change: not its doing
    restop(on, "28.00")
    of = shadow(on)
    prices(on, "32.00")
    close(on, "75")  # 150.00 after it
    prices(on, "28.00")  # -150.00: the operator's stop
    now = on.state.shadows[of.id]
    assert (now.is_settled, now.gross) == (True, Decimal("0.00"))
    assert now.exit_price(PUT_25900) == price("30.00")


@pytest.mark.parametrize("cause", [LatchCause.OPERATOR, LatchCause.KILL_SWITCH])
def test_a_flatten_by_a_person_is_an_intervention_in_each_position(cause: LatchCause) -> None:
    on = desk()
    on.open("b")
    on.give(Flatten(CommandId("f"), "cli", cause, "news"))
    made = list(on.state.shadows.values())
    assert [(s.deed, s.by, s.note) for s in made] == [(Deed.FLATTENED, "cli", "news")] * 2
    prices(on, "22.50")  # the latch holds no shadow back
    assert [s.ending and s.ending.reason.code for s in on.state.interventions] == [
        "stop_loss_hit",
        "stop_loss_hit",
    ]


def test_what_rules_and_limits_do_is_no_intervention() -> None:
    on = desk()
    prices(on, "22.50")
    assert on.state.closed[-1].reason.code == "stop_loss_hit"
    on = desk(limits=Limits(daily_loss=Decimal(100)))
    prices(on, "28.00")
    assert on.state.closed[-1].reason.kind is ExitKind.RISK
    assert not on.state.shadows
    assert not on.state.interventions


@pytest.mark.parametrize("by", ["strategy:momentum", "engine"])
def test_what_a_strategy_does_is_no_intervention(by: str) -> None:
    on = desk()
    close(on, by=by)
    assert on.state.closed
    assert not on.state.shadows


def test_the_kill_switch_ends_what_it_would_have_closed() -> None:
    on = desk(limits=Limits(daily_loss=Decimal(300)))
    on.open("b")
    prices(on, "31.00")
    close(on)
    prices(on, "25.00")
    of = shadow(on)
    assert of.ending is not None
    assert (of.ending.reason.kind, of.ending.price) == (ExitKind.RISK, price("25.00"))
    assert sides(on) == ("75.00", "-375.00", "450.00")


def test_without_a_fresh_price_the_profit_is_unknown_and_says_why() -> None:
    on = desk(InitialStop(), TimeStop(5))
    prices(on, "31.00")
    close(on)
    on.pass_time(5 * 60 + 59)
    assert shadow(on).ending is None
    on.pass_time(10)
    ending = shadow(on).ending
    assert ending is not None
    assert (ending.reason.code, ending.price) == ("time_stop", None)
    assert "s old" in ending.why
    assert sides(on, "31.00") == ("75.00", None, None)


def test_the_peak_of_a_position_stays_its_shadows() -> None:
    on = desk()
    prices(on, "33.50", "33.00")
    close(on)
    prices(on, "30.15")
    assert sides(on) == ("225.00", "11.25", "213.75")


def test_a_short_is_followed_the_other_way_round() -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", side=Side.SELL)
    close(on)
    prices(on, "20.00", "22.00")
    assert sides(on) == ("0.00", "600.00", "-600.00")


def test_a_restart_changes_nothing_of_a_shadow() -> None:
    on = desk()
    prices(on, "33.50", "33.00")
    close(on)
    on.pass_time(1)
    state = fold(on.entries)
    assert state == on.state
    again = Desk(Core(CATALOG, state))
    again.now = on.now
    again.give(Resumed(1, "test"))
    prices(again, "30.15")
    assert sides(again) == ("225.00", "11.25", "213.75")


def test_a_shadow_is_carried_over_night_and_knows_that_prices_went_unseen() -> None:
    on = desk()
    prices(on, "33.50")
    restop(on, "25.00")
    close(on)
    on.give(SessionEnded(SessionId("s1"), SessionStatus.COMPLETED, "test"))
    assert on.state.marks[NIFTY].last == price("33.50")
    carried = Carryover(SessionId("s1"), Nanos(on.now), (), ())
    on.give(replace(session(rules=RULES), session=SessionId("s2"), carried=carried))
    assert [s.gaps for s in on.state.shadows.values()] == [1, 1]
    on.now = Nanos(on.now + 3600 * SECOND)
    prices(on, "31.00", "30.15")
    assert not on.state.shadows
    assert sides(on) == ("262.50", "11.25", "251.25")
    assert [s.session for s in on.state.interventions] == ["s1", "s1"]


def test_a_lost_feed_and_a_crash_are_gaps_in_what_a_shadow_saw() -> None:
    on = desk()
    close(on)
    on.give(FeedChanged("sim", False, "silent"))
    on.give(FeedChanged("sim", True, "back"))
    on.give(SessionCrashed(SessionId("s1"), on.now, Nanos(0), 0, 0))
    assert shadow(on).gaps == 2


def test_a_journal_from_before_shadows_makes_none() -> None:
    on = desk()
    close(on)
    on.open("b")
    restop(on, "25.00")
    assert len(on.state.shadows) == 2
    old = []
    for entry in on.entries:
        event = entry.event
        if isinstance(event, OrderRequested) and event.order.exit is not None:
            order = replace(event.order, exit=replace(event.order.exit, by=""))
            event = replace(event, order=order)
        elif isinstance(event, StopChanged):
            event = replace(event, before=None)
        old.append(replace(entry, event=event))
    assert not fold(old).shadows


def test_an_unknown_side_leaves_no_difference() -> None:
    assert Effect(None, Decimal(1)).difference is None
    assert Effect(Decimal(1), None).difference is None
    assert Effect(Decimal(1), Decimal(3)).difference == -2


def test_the_log_says_both_sides() -> None:
    on = desk()
    prices(on, "29.85")
    close(on)
    prices(on, "33.50", "30.15")
    entry = next(e for e in on.entries if isinstance(e.event, ShadowEnded))
    line = narrate(entry, on.state)
    assert line is not None
    assert line.text == (
        "75 NIFTY25DEC25900PUT closed by console: trailing stop hit would have ended it at 30.15, "
        "strategy P&L +11.25, operator P&L -11.25, difference -22.50 INR before fees"
    )


@pytest.mark.parametrize(
    ("path", "side", "ended"),
    [
        ("pessimistic", Side.BUY, ("stop_loss_hit", "22.50")),  # low first: at the level
        ("ohlc", Side.BUY, ("trailing_stop_hit", "36.00")),  # high 40 first, then 40 x 0.9
        ("pessimistic", Side.SELL, ("stop_loss_hit", "37.50")),
    ],
)
def test_a_shadow_walks_a_bar_like_a_position(
    path: str, side: Side, ended: tuple[str, str]
) -> None:
    on = Desk().start(session(rules=RULES))
    on.tick(tick("30.00", SECOND))
    on.open("a", side=side)
    close(on)
    at = Nanos(2 * SECOND)
    bar = Bar(NIFTY, at, price("30.00"), price("40.00"), price("20.00"), price("25.00"))
    on.tick(tick("30.00", at))
    on.entries += on.core.bar(bar, path, at)
    ending = shadow(on).ending
    assert ending is not None
    assert (ending.reason.code, ending.price) == (ended[0], price(ended[1]))
    assert not on.waiting
