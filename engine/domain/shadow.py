"""Shadows: what a person took out of the hands of its rules, followed as if nobody had (E-28).

Both sides are told before fees. The operator's is what was filled, slippage and all; the strategy's
is at the price that the rule saw, which is where the paper venue fills without slippage.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, unique

from engine.domain.event_shadow import Levels
from engine.domain.ids import Nanos, OrderId, PositionId, Seq, SessionId, ShadowId
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Price
from engine.domain.order import ExitReason
from engine.domain.position import Position
from engine.domain.records import dataclass


@unique
class Deed(Enum):
    """What a person did to a position."""

    CLOSED = "closed"
    TRIMMED = "trimmed"
    RESTOPPED = "restopped"
    FLATTENED = "flattened"
    """Closed with everything else: flatten or kill switch, by a person."""


def is_person(by: str) -> bool:
    """Return whether a command came from a person; strategies and the engine name themselves."""
    return by not in {"", "engine"} and not by.startswith("strategy:")


def watched(shadows: Mapping[ShadowId, Shadow]) -> tuple[Shadow, ...]:
    """Return those whose rules are still asked."""
    return tuple(shadow for shadow in shadows.values() if shadow.ending is None)


def shadow_id(of: OrderId) -> ShadowId:
    """Return the id of the shadow of an exit by hand (for a stop: of an order of that entry)."""
    return ShadowId(PositionId(of))


@dataclass(frozen=True, slots=True)
class Ending:
    """How the rules would have ended it."""

    reason: ExitReason
    at: Nanos
    price: Price | None
    """None: no fresh price, and so no profit that could be told."""
    price_at: Nanos | None
    why: str = ""
    """Why there is no price."""


@dataclass(frozen=True)
class Shadow:
    """One intervention and its two sides. It is watched like a position and never trades."""

    id: ShadowId
    position: Position
    """What was taken, as it stood: quantity, entry, and the stop and target it had of its own."""
    deed: Deed
    by: str
    note: str
    at: Nanos
    seq: Seq
    """Journal entry of the intervention."""
    session: SessionId
    levels: Levels | None = None
    """Stop and target that a person set instead; None: it was no change of these."""
    follows: ShadowId | None = None
    """An earlier change of the stop whose quantity this one is part of: never add up both."""
    gross: Decimal = ZERO
    """What the operator's side realised so far."""
    exit_value: Decimal = ZERO
    exited: Decimal = ZERO
    """Quantity that the operator's side is out of."""
    is_settled: bool = False
    """Whether the operator's side is final."""
    ending: Ending | None = None
    """How the strategy's side ended; None: its rules are still asked."""
    gaps: int = 0
    """How often prices went unseen meanwhile: the engine was away, or its feed down."""

    @property
    def is_over(self) -> bool:
        return self.is_settled and self.ending is not None

    @property
    def operator_status(self) -> str:
        """How good the operator's figure is: `final` or `open`."""
        return "final" if self.is_settled else "open"

    @property
    def strategy_status(self) -> str:
        """How good the strategy's figure is: `final`, `open` or `unknown`."""
        if self.ending is None:
            return "open"
        return "unknown" if self.ending.price is None else "final"

    def exit_price(self, instrument: Instrument) -> Price | None:
        """Return the operator's average exit price; None: nothing was sold yet."""
        return instrument.entry_price(self.exit_value, self.exited) if self.exited else None

    def kept(self, instrument: Instrument, last: Decimal | None = None) -> Decimal | None:
        """Return the strategy's profit: final, or at the price `last`. None: unknown."""
        at = last if self.ending is None else self.ending.price
        return None if at is None else self.position.pnl(at, instrument)

    def taken(
        self, held: Position | None, instrument: Instrument, last: Decimal | None = None
    ) -> Decimal | None:
        """Return the operator's profit: final, or with what is `held` at the price `last`."""
        if self.is_settled or held is None:
            return self.gross
        if self.deed is not Deed.RESTOPPED:
            return self.gross  # more of the same exit may follow; this much is done
        return None if last is None else self.gross + held.pnl(last, instrument)


@dataclass(frozen=True, slots=True)
class Effect:
    """Both sides of an intervention at one moment."""

    operator: Decimal | None
    strategy: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """What the intervention earned (or cost, below zero); None: one side is unknown."""
        if self.operator is None or self.strategy is None:
            return None
        return self.operator - self.strategy


def effect(
    shadow: Shadow, held: Position | None, instrument: Instrument, last: Decimal | None
) -> Effect:
    """Return both sides; `held` is the live position, `last` a price good enough to tell."""
    return Effect(shadow.taken(held, instrument, last), shadow.kept(instrument, last))
