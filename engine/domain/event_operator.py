"""Facts about what a person (or a limit acting for one) ordered."""

from __future__ import annotations

from engine.domain.event_shadow import Levels
from engine.domain.ids import CommandId, PositionId
from engine.domain.money import Price
from engine.domain.records import dataclass
from engine.domain.risk import LatchCause


@dataclass(frozen=True, slots=True)
class StopChanged:
    """The operator's absolute stop and target of a position."""

    position: PositionId
    stop_loss: Price | None
    take_profit: Price | None
    cause: CommandId
    by: str
    before: Levels | None = None
    """What stood until then; None: the journal is from before this was kept."""


@dataclass(frozen=True, slots=True)
class FlattenLatched:
    cause: LatchCause
    reason: str
    by: str
    command: CommandId | None = None


@dataclass(frozen=True, slots=True)
class FlatVerified:
    """The latch is in force and nothing is open any more."""


@dataclass(frozen=True, slots=True)
class LatchLifted:
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CommandAccepted:
    """A command was understood and acts; what it caused follows."""

    command: CommandId
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command could not be carried out; the operator is told why."""

    command: CommandId
    by: str
    reason: str
