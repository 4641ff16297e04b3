"""What happened while nobody watched (E-63): values, and what becomes of them in the state.

A gap lasts from the last entry of an engine that died until its successor looked back. The same
rules, run over what the market did meanwhile, say which of them would have fired first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from typing import Final

from engine.domain.ids import InstrumentId, Nanos, PositionId, SessionId
from engine.domain.money import Price
from engine.domain.order import ExitReason
from engine.domain.records import dataclass

GAP_SOURCE: Final = "gap"
"""`Order.reference_source` of an exit that is booked inside a gap: the reference is its price."""


@dataclass(frozen=True, slots=True)
class GapFinding:
    """The rule that would have closed a position first, had somebody watched."""

    position: PositionId
    reason: ExitReason
    """Its rule, its level, and the others that fired on the same tick."""
    fired_at: Nanos
    price: Price | None
    """What the rule saw; None: no price made it fire."""
    first_tradable: Price | None
    """What an exit would have got first, before slippage; None: nothing in the gap."""
    first_tradable_at: Nanos | None
    source: str
    """Where the gap's prices are from."""

    @property
    def level(self) -> Decimal | None:
        """What the rule compared the price with."""
        return self.reason.level


@dataclass(frozen=True, slots=True)
class Gap:
    """What looking back found for one position."""

    position: PositionId
    instrument: InstrumentId
    since: Nanos
    until: Nanos
    samples: int
    """Ticks and bars of its instrument that were judged."""
    finding: GapFinding | None = None
    """None: no rule would have fired, unless the gap is unknown."""
    unknown: str = ""
    """Why nobody can say what happened; empty: it is known."""


@dataclass(frozen=True)
class Absence:
    """What a crash, or an orderly end with positions open, left to be looked at; kept as a report
    once it is settled.
    """

    session: SessionId
    since: Nanos
    """When the last engine made its last entry; a crash during recovery does not move it."""
    found_at: Nanos
    positions: int
    orders: int
    gaps: Mapping[PositionId, Gap] = field(default_factory=dict)
    """What was found so far, of each position."""
    settled_at: Nanos | None = None
    """When all was judged, decided, and prices and signals were seen to flow."""
    how: str = ""
    """By what it was settled."""
    held: tuple[PositionId, ...] = ()
    """Open at the newest crash; what was opened later is no part of this."""
    was_stopped: bool = False
    """The engine was ended in order: nobody ran one, and nothing failed."""

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None
