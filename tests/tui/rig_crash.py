"""The scripted engine after a crash: what a console sees that comes to a recovery room."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.domain import event as ev
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.event import Entry
from engine.domain.evolve import evolve
from engine.domain.gap import Gap, GapFinding
from engine.domain.ids import SECOND, DecisionId, InstrumentId, Nanos, PositionId, Seq, SessionId
from engine.domain.money import Price
from engine.domain.order import ExitKind, ExitReason
from engine.domain.recovery import crash_question, sentence
from engine.domain.risk import RECOVERY
from engine.domain.session import Recovery
from engine.domain.state import State
from engine.link.protocol import Welcome
from tests.tui import rig_script as script
from tests.tui.rig import NOW, START, scripted_state, welcome

SESSION = SessionId("2026-01-30")
DIED = Nanos(NOW - 94 * SECOND)
FOUND = Nanos(NOW - 6 * SECOND)
DUE = Nanos(NOW + 14 * SECOND)


def finding(position: str, code: str, rule: str, level: str, price: str, first: str) -> GapFinding:
    """Return what a rule would have done half a minute after the crash."""
    at = Nanos(DIED + 30 * SECOND)
    reason = ExitReason(ExitKind.RULE, code, rule, level=Decimal(level))
    prices = (Price(Decimal(price)), Price(Decimal(first)))
    return GapFinding(PositionId(position), reason, at, prices[0], prices[1], at, "sim")


FINDINGS = {
    "p1": finding("p1", "trailing_stop_hit", "trailing", "30.15", "30.10", "30.05"),
    "p7": finding("p7", "stop_loss_hit", "initial", "3980.00", "3979.50", "3979.00"),
}


def events(state: State) -> Iterator[ev.Event]:
    """Yield what a start after a crash journals until a person is asked."""
    held, working = len(state.positions), len(state.orders)
    yield ev.SessionCrashed(SESSION, DIED, Nanos(FOUND - DIED), held, working)
    why = f"{held} positions open, {working} orders working: resuming cannot be declined"
    yield ev.RecoveryDecided(SESSION, Recovery.RESUME, "engine", why)
    yield ev.Resumed(4242, "session goes on after a crash")
    yield ev.EntriesBlocked(RECOVERY, f"crash of session {SESSION} is not settled yet")
    for position in state.positions.values():
        found = FINDINGS.get(position.id)
        gap = Gap(position.id, position.instrument, DIED, FOUND, 120, found)
        if position.id == "p9":
            gap = Gap(position.id, position.instrument, DIED, FOUND, 0, unknown="no candles came")
        yield ev.GapJudged(gap)
        if found is not None:
            yield ev.DecisionAsked(question(state, found))


def question(state: State, found: GapFinding) -> Decision:
    position = state.positions[found.position]
    terms = state.instruments[position.instrument]
    return Decision(
        id=DecisionId(f"gap:{position.id}:{DIED}"),
        matter=Matter.GAP,
        subject=position.id,
        text=f"{position.instrument}: {sentence(found, terms)}",
        choices=(Choice.BOOK, Choice.EXIT_NOW, Choice.KEEP),
        proposal=Choice.EXIT_NOW,
        asked_at=FOUND,
        instrument=InstrumentId(position.instrument),
        position=position.id,
        due_at=DUE,
        gap=found,
    )


def crashed(state: State | None = None) -> Welcome:
    """Return the first snapshot of an engine that took over after a crash."""
    after = scripted_state() if state is None else state
    for event in events(after):
        after = evolve(after, Entry(Seq(after.seq + 1), FOUND, event))
    return welcome(after)


def crashed_flat() -> Welcome:
    """Return the first snapshot of an engine that waits: its session crashed with nothing open."""
    state = State()
    for at, event in script.events(START, NOW):
        if isinstance(event, ev.OrderRequested):
            break
        state = evolve(state, Entry(Seq(state.seq + 1), at, event))
    state = evolve(
        state,
        Entry(
            Seq(state.seq + 1), FOUND, ev.SessionCrashed(SESSION, DIED, Nanos(88 * SECOND), 0, 0)
        ),
    )
    assert state.session is not None
    asked = ev.DecisionAsked(crash_question(state.session, Recovery.RESUME, FOUND, 20))
    return welcome(evolve(state, Entry(Seq(state.seq + 1), FOUND, asked)))
