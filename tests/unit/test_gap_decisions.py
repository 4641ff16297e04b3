"""What a gap and a crash ask, what each answer leads to, and what withdraws a question."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition, Decide
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.event import (
    CommandRefused,
    DecisionAsked,
    DecisionTaken,
    DecisionWithdrawn,
    EntriesAllowed,
    EntriesBlocked,
    GapJudged,
    Peak,
    RecoveryDecided,
    RecoverySettled,
    Resumed,
    SessionCrashed,
    StopFired,
)
from engine.domain.evolve import fold
from engine.domain.gap import GAP_SOURCE, Gap, GapFinding
from engine.domain.ids import CommandId, DecisionId, Nanos, PositionId, SessionId
from engine.domain.inputs import GapSeen
from engine.domain.market import Traded
from engine.domain.money import Price
from engine.domain.order import ExitKind, ExitReason
from engine.domain.position import Position
from engine.domain.recovery import crash_question, sentence, unsettled
from engine.domain.risk import RECOVERY
from engine.domain.session import Recovery
from engine.runtime.core import Core
from tests.builders import CATALOG, NIFTY, PUT_25900, SECOND, Desk, session, tick

BEGIN = Nanos(1_764_000_000 * SECOND)
AWAY = 90
FIRED = Nanos(BEGIN + 30 * SECOND)
PEAK = Peak(NIFTY, None, None)


def crashed(*, holds: bool = True) -> tuple[Desk, Position | None]:
    """Return a desk in a new life: the last one died a minute and a half ago."""
    desk = Desk()
    desk.now = BEGIN
    desk.start(session())
    desk.tick(tick("100", BEGIN))
    held = desk.open("a") if holds else None
    desk.now = Nanos(BEGIN + AWAY * SECOND)
    desk.core = Core(CATALOG, fold(desk.entries))
    count = len(desk.state.positions)
    desk.give(SessionCrashed(SessionId("s1"), BEGIN, Nanos(AWAY * SECOND), count, 0))
    if holds:
        desk.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
        desk.give(Resumed())
        desk.give(EntriesBlocked(RECOVERY, "a crash is not settled"))
        desk.tick(tick("101", desk.now))
    return desk, held


def found(held: Position, first: str | None = "89.50") -> Gap:
    reason = ExitReason(ExitKind.RULE, "trailing_stop_hit", "trailing", level=Decimal("89.90"))
    tradable = None if first is None else Price(Decimal(first))
    at = None if first is None else FIRED
    finding = GapFinding(held.id, reason, FIRED, Price(Decimal("89.70")), tradable, at, "sim")
    return Gap(held.id, held.instrument, BEGIN, Nanos(BEGIN + AWAY * SECOND), 40, finding)


def seen(gap: Gap, **more: object) -> GapSeen:
    given = GapSeen((gap,), (), Choice.EXIT_NOW, can_book=True)
    for name, value in more.items():
        setattr(given, name, value)
    return given


def look_back(desk: Desk, given: GapSeen) -> None:
    """Give what was seen through the core's own door: it counts in what is not journaled yet."""
    desk.entries += desk.core.take(given, desk.now)


def of(desk: Desk, *kinds: type) -> list[object]:
    return [event for event in desk.events if isinstance(event, kinds)]


def question(desk: Desk) -> Decision:
    (asked,) = desk.state.decisions.values()
    return asked


def answer(desk: Desk, choice: Choice, by: str = "console:ravi") -> None:
    desk.give(Decide(CommandId(f"d-{choice.value}-{by}"), question(desk).id, choice, by))


def test_the_issues_own_sentence() -> None:
    reason = ExitReason(ExitKind.RULE, "trailing_stop_hit", "trailing", level=Decimal("22.50"))
    at = Nanos(1_769_753_537 * SECOND)
    price = Price(Decimal("22.30"))
    told = GapFinding(PositionId("p"), reason, at, price, price, at, "sim")
    terms = replace(PUT_25900, time_zone="Asia/Kolkata")
    wanted = "11:42:17 trailing stop 22.50 would have fired, first tradable 22.30"
    assert sentence(told, terms) == wanted


def test_a_person_at_a_console_is_asked_and_the_policy_waits() -> None:
    desk, held = crashed()
    assert held is not None
    due = Nanos(desk.now + 20 * SECOND)
    desk.give(seen(found(held), due_at=due))
    asked = question(desk)
    assert (asked.matter, asked.position, asked.due_at) == (Matter.GAP, held.id, due)
    assert asked.choices == (Choice.BOOK, Choice.EXIT_NOW, Choice.KEEP)
    assert held.id in desk.state.positions
    desk.pass_time(19)
    assert held.id in desk.state.positions
    desk.pass_time(1)
    assert held.id not in desk.state.positions
    (taken,) = of(desk, DecisionTaken)
    assert isinstance(taken, DecisionTaken)
    assert (taken.choice, taken.by) == (Choice.EXIT_NOW, "configuration")
    assert "nobody answered within 20 s" in taken.why


@pytest.mark.parametrize(("policy", "is_open"), [(Choice.EXIT_NOW, False), (Choice.KEEP, True)])
def test_without_anybody_the_policy_acts_at_once_and_is_journaled(
    policy: Choice, is_open: bool
) -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held), policy=policy, is_answered=True))
    assert (held.id in desk.state.positions) is is_open
    (taken,) = of(desk, DecisionTaken)
    assert isinstance(taken, DecisionTaken)
    assert (taken.choice, taken.by) == (policy, "configuration")


def test_booking_closes_in_the_gap_at_its_first_tradable_price() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held)))
    desk.holds = True
    answer(desk, Choice.BOOK)
    (fired,) = of(desk, StopFired)
    assert isinstance(fired, StopFired)
    assert (fired.price, fired.price_at, fired.source) == (Decimal("89.50"), FIRED, GAP_SOURCE)
    assert fired.gap == Decimal("0.40")
    order = desk.waiting[-1]
    assert (order.reference, order.reference_at) == (Decimal("89.50"), FIRED)
    assert order.reference_source == GAP_SOURCE
    assert order.exit is not None
    assert order.exit.code == "trailing_stop_hit"
    assert "booked in the gap" in order.exit.note


def test_exiting_now_says_which_rule_would_have_fired() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held)))
    answer(desk, Choice.EXIT_NOW)
    assert held.id not in desk.state.positions
    reason = desk.state.closed[-1].reason
    assert (reason.code, reason.level) == ("trailing_stop_hit", Decimal("89.90"))
    assert "would have fired" in reason.note
    assert desk.state.closed[-1].exit == 101


def test_all_gaps_are_answered_at_once_when_their_time_is_over() -> None:
    desk = Desk()
    desk.now = BEGIN
    desk.start(session())
    desk.tick(tick("100", BEGIN))
    held = [desk.open(name) for name in ("a", "b", "c")]
    desk.give(SessionCrashed(SessionId("s1"), BEGIN, Nanos(AWAY * SECOND), 3, 0))
    desk.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
    desk.give(Resumed())
    desk.tick(tick("101", desk.now))
    due = Nanos(desk.now + 20 * SECOND)
    gaps = tuple(found(position) for position in held)
    desk.give(GapSeen(gaps, (), Choice.EXIT_NOW, due_at=due, can_book=True))
    assert len(desk.state.decisions) == 3
    desk.pass_time(20)
    assert not desk.state.decisions
    assert not desk.state.positions


def test_nothing_to_trade_in_the_gap_offers_no_booking() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held, first=None)))
    assert question(desk).choices == (Choice.EXIT_NOW, Choice.KEEP)
    answer(desk, Choice.BOOK)
    assert isinstance(desk.events[-1], CommandRefused)


def test_an_exit_that_is_due_never_waits_for_the_answer() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held), due_at=None))
    desk.tick(tick("70", desk.now + SECOND))
    assert held.id not in desk.state.positions
    assert not desk.state.decisions
    (void,) = of(desk, DecisionWithdrawn)
    assert isinstance(void, DecisionWithdrawn)
    assert desk.state.closed[-1].reason.code == "stop_loss_hit"


def test_a_close_by_hand_withdraws_the_question_too() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held)))
    desk.give(ClosePosition(CommandId("c"), held.id, "ravi"))
    assert not desk.state.decisions
    assert len(of(desk, DecisionWithdrawn)) == 1


def test_the_first_answer_counts() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held)))
    asked = question(desk).id
    answer(desk, Choice.KEEP)
    desk.give(Decide(CommandId("late"), asked, Choice.EXIT_NOW, "cli:asha"))
    refused = desk.events[-1]
    assert isinstance(refused, CommandRefused)
    assert refused.reason == "already taken: keep by console:ravi"
    assert held.id in desk.state.positions


def test_peaks_of_the_gap_tighten_the_trailing_stop_and_nothing_loosens_it() -> None:
    desk, held = crashed()
    assert held is not None
    peaks = (replace(PEAK, high=Price(Decimal(120)), low=Price(Decimal(95))),)
    quiet = Gap(held.id, NIFTY, BEGIN, desk.now, 40)
    look_back(desk, GapSeen((quiet,), peaks, Choice.EXIT_NOW))
    assert desk.state.peak(desk.state.positions[held.id]) == 120
    desk.tick(tick("108.05", desk.now + SECOND))
    assert held.id in desk.state.positions
    desk.tick(tick("108.00", desk.now + SECOND))
    assert held.id not in desk.state.positions
    assert desk.state.closed[-1].reason.code == "trailing_stop_hit"


def test_a_live_peak_that_is_higher_survives_the_gaps() -> None:
    desk, held = crashed()
    assert held is not None
    desk.tick(tick("130", desk.now + SECOND))  # noted, not journaled yet
    peaks = (replace(PEAK, high=Price(Decimal(120)), low=Price(Decimal(95))),)
    desk.core.take(
        GapSeen((Gap(held.id, NIFTY, BEGIN, desk.now, 40),), peaks, Choice.KEEP), desk.now
    )
    assert desk.state.peak(desk.state.positions[held.id]) == 130


def test_what_was_traded_in_the_gap_counts_into_the_sessions_vwap() -> None:
    desk, held = crashed()
    assert held is not None
    quote = desk.core.quotes[NIFTY]
    before = (quote.turnover, quote.volume)
    traded = Traded(NIFTY, Decimal(7500), Decimal(75), quote.session_start)
    other_day = Traded(NIFTY, Decimal(9), Decimal(9), Nanos(quote.session_start + 1))
    gap = Gap(held.id, NIFTY, BEGIN, desk.now, 40)
    look_back(desk, GapSeen((gap,), (), Choice.KEEP, traded=(traded, other_day)))
    assert quote.turnover - before[0] == 7500
    assert quote.volume - before[1] == 75


def test_a_gap_is_judged_once_and_an_unknown_one_is_said() -> None:
    desk, held = crashed()
    assert held is not None
    unknown = Gap(held.id, NIFTY, BEGIN, desk.now, 0, unknown="no candles came")
    desk.give(GapSeen((unknown,), (), Choice.EXIT_NOW))
    desk.give(seen(found(held)))
    assert len(of(desk, GapJudged)) == 1
    assert not desk.state.decisions
    assert held.id in desk.state.positions


def test_entries_stay_out_until_all_is_judged_and_decided() -> None:
    desk, held = crashed()
    assert held is not None
    assert unsettled(desk.state)
    desk.give(RecoverySettled("too early"))
    assert RECOVERY in desk.state.blocks
    desk.give(seen(found(held)))
    desk.give(RecoverySettled("still too early"))
    assert RECOVERY in desk.state.blocks
    answer(desk, Choice.KEEP)
    desk.give(RecoverySettled("all is well"))
    assert RECOVERY not in desk.state.blocks
    assert [type(e) for e in desk.events[-2:]] == [RecoverySettled, EntriesAllowed]
    assert desk.state.absence is not None
    assert desk.state.absence.is_settled
    before = len(desk.events)
    desk.give(RecoverySettled("again"))
    assert len(desk.events) == before


def test_a_crash_during_recovery_judges_all_of_the_time_again() -> None:
    desk, held = crashed()
    assert held is not None
    desk.give(seen(found(held)))
    answer(desk, Choice.KEEP)
    desk.now = Nanos(desk.now + 60 * SECOND)
    desk.core = Core(CATALOG, fold(desk.entries))
    desk.give(SessionCrashed(SessionId("s1"), desk.entries[-1].at, Nanos(60 * SECOND), 1, 0))
    absence = desk.state.absence
    assert absence is not None
    assert (absence.since, dict(absence.gaps)) == (BEGIN, {})
    desk.give(RecoveryDecided(SessionId("s1"), Recovery.RESUME, "engine", "open"))
    desk.give(Resumed())
    desk.give(seen(found(held)))
    assert not desk.state.decisions, "what was answered is not asked again"
    assert held.id in desk.state.positions


@pytest.mark.parametrize(
    ("choice", "wanted"), [(Choice.RESUME, Recovery.RESUME), (Choice.FRESH, Recovery.FRESH)]
)
def test_when_flat_a_persons_choice_is_journaled_with_who(choice: Choice, wanted: Recovery) -> None:
    desk, _ = crashed(holds=False)
    assert desk.state.session is not None
    desk.give(DecisionAsked(crash_question(desk.state.session, Recovery.RESUME, desk.now, 20)))
    answer(desk, choice)
    (decided,) = of(desk, RecoveryDecided)
    assert isinstance(decided, RecoveryDecided)
    assert (decided.choice, decided.by) == (wanted, "console:ravi")


def test_inspecting_first_stops_the_countdown_and_asks_again() -> None:
    desk, _ = crashed(holds=False)
    assert desk.state.session is not None
    desk.give(DecisionAsked(crash_question(desk.state.session, Recovery.RESUME, desk.now, 20)))
    answer(desk, Choice.INSPECT)
    asked = question(desk)
    assert (asked.due_at, asked.choices) == (None, (Choice.RESUME, Choice.FRESH))
    desk.pass_time(600)
    assert not of(desk, RecoveryDecided)
    answer(desk, Choice.FRESH)
    assert of(desk, RecoveryDecided)


def test_when_flat_and_nobody_answers_the_policy_decides() -> None:
    desk, _ = crashed(holds=False)
    assert desk.state.session is not None
    desk.give(DecisionAsked(crash_question(desk.state.session, Recovery.FRESH, desk.now, 20)))
    desk.pass_time(21)
    (decided,) = of(desk, RecoveryDecided)
    assert isinstance(decided, RecoveryDecided)
    assert (decided.choice, decided.by) == (Recovery.FRESH, "configuration")


def test_with_a_position_open_no_answer_declines() -> None:
    """The question is not even asked; one made up, or left from before, is refused or void."""
    desk, held = crashed()
    assert held is not None
    made_up = DecisionId(f"crash:s1:{BEGIN}")
    for choice in Choice:
        desk.give(Decide(CommandId(f"x-{choice.value}"), made_up, choice, "ravi"))
        assert isinstance(desk.events[-1], CommandRefused)
    assert held.id in desk.state.positions
