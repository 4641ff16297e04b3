"""The state: everything the engine decides from, except the market. `evolve` alone changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.domain.decision import Answer, Decision
from engine.domain.event import Mark
from engine.domain.gap import Absence
from engine.domain.ids import (
    DecisionId,
    FillId,
    InstrumentId,
    Nanos,
    OrderId,
    PositionId,
    Seq,
    ShadowId,
    StrategyName,
)
from engine.domain.instrument import Instrument
from engine.domain.money import Currency, Price
from engine.domain.order import Side, WorkingOrder
from engine.domain.position import Position, Trade
from engine.domain.risk import Latch, Limits
from engine.domain.session import Account, Session
from engine.domain.shadow import Shadow
from engine.domain.stop import ExitRule
from engine.domain.strategy import StrategyRecord

CLOSED_KEPT = 200
"""Newest closed trades kept in the state; all of them are in the store."""
INTERVENTIONS_KEPT = 200
"""Newest interventions kept whose both sides are final; all of them are in the store."""
CRASHES_KEPT = 16
"""Newest crashes remembered, to tell a crash loop."""
GIVEN_UP_KEPT = 64
ADOPTED_KEPT = 1024
HANDLED_KEPT = 512
"""Newest command and signal ids remembered, so that each acts once."""


@dataclass(frozen=True)
class Extremes:
    """Suffix extremes of one instrument: (entry of the journal, price), newest last.

    Highs fall and lows rise from left to right, so the best price since any entry is the first
    element after it. A new extreme costs O(1) however many positions are open.
    """

    highs: tuple[tuple[Seq, Price], ...] = ()
    lows: tuple[tuple[Seq, Price], ...] = ()
    held: int = 0
    """Open positions on the instrument, and shadows that are watched."""
    opened: Seq = Seq(0)
    """Journal entry that opened the newest of them."""


@dataclass(frozen=True)
class Witnessed:
    """What was known of the market when an engine died; its gap is judged from there, however
    many lives the recovery takes and whatever those see.
    """

    extremes: Mapping[InstrumentId, Extremes]
    marks: Mapping[InstrumentId, Mark]


@dataclass(frozen=True)
class State:
    """Equal states behave equally; `state == fold(journal)` at every moment."""

    seq: Seq = Seq(0)
    session: Session | None = None
    accounts: Mapping[Currency, Account] = field(default_factory=dict)
    instruments: Mapping[InstrumentId, Instrument] = field(default_factory=dict)
    rules: tuple[ExitRule, ...] = ()
    limits: Limits = Limits()
    orders: Mapping[OrderId, WorkingOrder] = field(default_factory=dict)
    """Requested and not final."""
    extremes: Mapping[InstrumentId, Extremes] = field(default_factory=dict)
    """Price extremes since each open position's entry, for instruments held; ask `peak`."""
    positions: Mapping[PositionId, Position] = field(default_factory=dict)
    closed: tuple[Trade, ...] = ()
    """Newest last, at most CLOSED_KEPT."""
    marks: Mapping[InstrumentId, Mark] = field(default_factory=dict)
    blocks: Mapping[str, str] = field(default_factory=dict)
    """Why entries are blocked: source -> reason."""
    latch: Latch | None = None
    strategies: Mapping[StrategyName, StrategyRecord] = field(default_factory=dict)
    handled: Mapping[str, Seq] = field(default_factory=dict)
    """Command ids (`c:…`) and signal ids (`s:…`) that already acted, oldest first."""
    cooldowns: Mapping[InstrumentId, Nanos] = field(default_factory=dict)
    """When the newest position on an instrument was closed."""
    shadows: Mapping[ShadowId, Shadow] = field(default_factory=dict)
    """Interventions of which a side is still open, oldest first (E-28)."""
    interventions: tuple[Shadow, ...] = ()
    """Those with both sides final, newest last, at most INTERVENTIONS_KEPT."""
    decisions: Mapping[DecisionId, Decision] = field(default_factory=dict)
    """Asked and not answered yet, oldest first."""
    answers: Mapping[DecisionId, Answer] = field(default_factory=dict)
    """Newest answers, oldest first; those that stand (LEAVE) are all here."""
    given_up: Mapping[OrderId, WorkingOrder] = field(default_factory=dict)
    """Newest orders that ended without all of their fills, at most GIVEN_UP_KEPT: a late fill of
    one is evidence."""
    adopted: Mapping[FillId, InstrumentId] = field(default_factory=dict)
    """The venue's newest fills that were booked by adopting their orders, at most ADOPTED_KEPT."""
    crashes: tuple[Nanos, ...] = ()
    """When sessions were found crashed, oldest first, at most CRASHES_KEPT."""
    absence: Absence | None = None
    """What the last crash left to be looked at, and what came of it."""
    witnessed: Witnessed | None = None
    """As of the crash that is being recovered from; None: no recovery is under way."""

    def as_witnessed(self) -> State:
        """Return this state with no more of prices in it than was known at the crash."""
        then = self.witnessed
        if then is None:
            return self
        extremes = dict(self.extremes)
        for id_ in extremes.keys() & then.extremes.keys():
            known = then.extremes[id_]
            extremes[id_] = replace(extremes[id_], highs=known.highs, lows=known.lows)
        marks = {id_: mark for id_, mark in then.marks.items() if id_ in self.marks}
        return replace(self, extremes=extremes, marks=marks)

    def peak(self, position: Position) -> Price:
        """Return the best journaled price since entry: highest for a long, lowest for a short."""
        best = position.opened_price or position.entry
        extremes = self.extremes.get(position.instrument)
        if extremes is None:
            return best
        is_long = position.side is Side.BUY
        for seq, price in extremes.highs if is_long else extremes.lows:
            if seq > position.opened_seq:
                return max(best, price) if is_long else min(best, price)
        return best
