"""Intents. Imperative, may be refused. Operator, strategy, command line and test speak the same.

`by` says who: `console`, `cli`, `api`, `strategy:NAME`, `engine`. A command id acts once.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from engine.domain.decision import Choice
from engine.domain.ids import (
    CommandId,
    DecisionId,
    Nanos,
    OrderId,
    PositionId,
    StrategyName,
)
from engine.domain.money import Price, Qty
from engine.domain.records import dataclass
from engine.domain.risk import LatchCause
from engine.domain.signal import Signal


@dataclass(frozen=True, slots=True)
class SubmitSignal:
    """Open a position as the signal says, if limits and gates allow it."""

    id: CommandId
    signal: Signal
    by: str = "strategy"


@dataclass(frozen=True, slots=True)
class ClosePosition:
    """Close a position, or part of it, at market."""

    id: CommandId
    position: PositionId
    by: str
    qty: Qty | None = None
    """None: all of it. Rounded down to whole lots."""
    note: str = ""
    seen_price: Price | None = None
    """Price that was on screen when the person decided; with `slack` it binds the command."""
    slack: Decimal | None = None
    """Refuse when the price is further than this ratio from `seen_price`."""
    seen_qty: Qty | None = None
    """Quantity that was on screen; a different one refuses the command."""
    accept_stale: bool = False
    """The person confirmed on a second line that the price is stale."""


@dataclass(frozen=True, slots=True)
class ChangeStop:
    """Set or remove the absolute stop and target of a live position (E-18)."""

    id: CommandId
    position: PositionId
    by: str
    stop_loss: Price | None
    take_profit: Price | None


@dataclass(frozen=True, slots=True)
class Flatten:
    """Block entries, cancel orders, close everything, verify flat; latched until lifted."""

    id: CommandId
    by: str
    cause: LatchCause
    reason: str


@dataclass(frozen=True, slots=True)
class LiftLatch:
    """Allow entries again after a flatten; needs a person's reason."""

    id: CommandId
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class PauseEntries:
    """Stop new entries (`source` names who; each source lifts its own block)."""

    id: CommandId
    by: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResumeEntries:
    id: CommandId
    by: str
    source: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    id: CommandId
    order: OrderId
    by: str


@dataclass(frozen=True, slots=True)
class ControlStrategy:
    """Start, pause, resume or stop a strategy."""

    id: CommandId
    strategy: StrategyName
    verb: str
    by: str


@dataclass(frozen=True, slots=True)
class ControlFeed:
    """Pause, resume, step, seek or pace a feed that can be controlled: a recording."""

    id: CommandId
    verb: str
    """pause, resume, step, seek or speed."""
    by: str
    at: Nanos | None = None
    """Where `seek` goes."""
    count: int = 1
    """How many items `step` delivers."""
    speed: Decimal | None = None
    """Recorded seconds per second; None with the verb `speed`: as fast as it goes."""


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Hold engine, database and venue against each other now (E-40)."""

    id: CommandId
    by: str


@dataclass(frozen=True, slots=True)
class Decide:
    """Answer a pending decision (C-18); the first answer counts."""

    id: CommandId
    decision: DecisionId
    choice: Choice
    by: str
    note: str = ""
    """Why, in the person's words."""


@dataclass(frozen=True, slots=True)
class EndSession:
    """Finish the session cleanly."""

    id: CommandId
    by: str
    at: Nanos


Command: TypeAlias = (
    SubmitSignal
    | ClosePosition
    | ChangeStop
    | Flatten
    | LiftLatch
    | PauseEntries
    | ResumeEntries
    | CancelOrder
    | ControlStrategy
    | ControlFeed
    | Reconcile
    | Decide
    | EndSession
)
