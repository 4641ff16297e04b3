"""What a strategy is (S-1). The strategies themselves live in engine.strategies, one file each.

A strategy is told what happened and answers with an `Advice`; it never touches venue, store or
clock. Its whole memory is `state()`, plain JSON data: restored, it decides the same as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from enum import Enum, unique
from typing import Any, Protocol

from engine.domain.ids import InstrumentId, Nanos, PositionId, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.money import Price, Qty
from engine.domain.order import Side
from engine.domain.records import dataclass
from engine.domain.signal import Signal


@unique
class Phase(Enum):
    """Where a strategy stands (S-2)."""

    STOPPED = "stopped"
    STARTING = "starting"
    ANALYZING = "analyzing"
    ENTERING = "entering"
    POSITION_OPEN = "position_open"
    EXITING = "exiting"
    COOLDOWN = "cooldown"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True)
class StrategyRecord:
    """What the journal knows of a strategy."""

    name: StrategyName
    kind: str
    """Registered name of its class."""
    phase: Phase
    since: Nanos
    waits_for: str = ""
    """The next thing it waits for, as a person reads it."""
    settings: tuple[tuple[str, str], ...] = ()
    memory: str = "{}"
    """JSON of the last journaled state."""
    failure: str = ""
    signals: int = 0
    refused: int = 0
    last_refusal: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a strategy wants to hear of."""

    instruments: frozenset[InstrumentId] = frozenset()
    """Empty: everything."""
    underlyings: frozenset[InstrumentId] = frozenset()
    """All options on these, and the underlyings themselves."""
    bar_seconds: int = 0
    """Length of decision bars made from ticks; 0: no bars."""
    ticks: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """The part of a position that a strategy may see."""

    position: PositionId
    instrument: InstrumentId
    side: Side
    qty: Qty
    entry: Price
    opened_at: Nanos


@dataclass(frozen=True, slots=True)
class Advice:
    """A strategy's answer. Empty: nothing to do, nothing to say."""

    signals: tuple[Signal, ...] = ()
    notes: tuple[str, ...] = ()
    """Lines for the log, e.g. `STRIKE 25850 -> 25900 (spot 25946.95)`."""
    phase: Phase | None = None
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """A finished decision bar of one instrument, with what the tape said at its end."""

    bar: Bar
    vwap: Decimal | None
    """VWAP of the instrument since session open, at the bar's end."""
    session_start: Nanos
    """Opening of the bar's session; 0 for a market that never closes."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One decision time: every instrument's bar that ended, together, in symbol order."""

    at: Nanos
    """Start of the bars (the bar's time: what entry windows are compared with)."""
    ends: Nanos
    closes: Mapping[InstrumentId, Close] = field(default_factory=dict)


class Strategy(Protocol):
    """One strategy. Pure: what it knows is in its arguments and in its own memory."""

    def needs(self) -> Needs:
        """Return what it wants to hear of; asked once, at the start."""

    def on_start(
        self, instruments: Mapping[InstrumentId, Instrument], holding: Holding | None, now: Nanos
    ) -> Advice:
        """Start or resume; `holding` is its open position, if there is one."""

    def on_bars(self, moment: Moment) -> Advice:
        """Bars of all its instruments for one interval ended."""

    def on_tick(self, tick: Tick) -> Advice:
        """A tick of one of its instruments; called only if `Needs.ticks`."""

    def on_opened(self, holding: Holding) -> Advice:
        """One of its signals became a position."""

    def on_closed(self, holding: Holding, reason: str, pnl: Decimal, now: Nanos) -> Advice:
        """Its position was closed."""

    def on_refused(self, signal: Signal, reason: str) -> Advice:
        """One of its signals was refused."""

    def memory(self) -> dict[str, Any]:
        """Return all it remembers, as JSON data."""

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` returned in an earlier life."""
