"""The scripted engine with decisions that wait."""

from __future__ import annotations

from decimal import Decimal

from engine.domain import event as ev
from engine.domain.decision import Choice, Matter
from engine.domain.event import Entry
from engine.domain.evolve import evolve
from engine.domain.ids import SECOND, DecisionId, FillId, InstrumentId, Nanos, OrderId, Seq
from engine.domain.money import ZERO, Money, Price, Qty
from engine.domain.order import Fill, Side
from engine.domain.questions import Policy, question
from engine.domain.reconcile import Action, Finding, Found
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.link.protocol import Welcome
from tests.tui.rig import NOW, scripted_state, welcome

ASKED = Nanos(NOW - 90 * SECOND)
POLICY = Policy({Matter.GONE: Choice.ESTIMATE}, wait=Nanos(100 * SECOND))


def findings(state: State) -> list[Finding]:
    """Return one difference of each kind; the first is about a position of the script."""
    held = state.positions["p1"]  # type: ignore[index]
    name = held.instrument
    qty = held.side.sign * held.qty
    currency = state.instruments[name].currency
    fee = Money(Decimal("1.50"), currency)
    fill = Fill(FillId("v7"), OrderId("hand-7"), Price(Decimal("31.40")), Qty(held.qty), fee, ASKED)
    other = next(i for i in state.instruments if i != name)
    return [
        Finding(Found.GONE, Action.ASK, held.id, ASKED, name, qty, ZERO),
        Finding(
            *(Found.UNKNOWN_HERE, Action.ASK, "no trade", ASKED, other, ZERO, held.qty),
            fills=(Execution(fill, InstrumentId(other), Side.BUY),),
        ),
        Finding(Found.STRAY_ORDER, Action.ASK, "ord\x1b[2J-99", ASKED, other, ZERO, Decimal(-75)),
    ]


def asking(count: int = 3) -> Welcome:
    """Return the first snapshot of an engine that asks about `count` differences."""
    state = scripted_state()
    for finding in findings(state)[:count]:
        asked = ev.DecisionAsked(question(finding, POLICY, ASKED))
        state = evolve(state, Entry(Seq(state.seq + 1), ASKED, asked))
    return welcome(state)


def ids(start: Welcome) -> list[DecisionId]:
    return list(start.state.decisions)
