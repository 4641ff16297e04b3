"""What an exit rule is. The rules themselves live in engine.stops, one file each.

A rule says three things, and all of them are pure:
`fires` — does this position have to be closed now? (exact, in Decimal)
`reading` — where would it fire, how far is that, armed or why not? (what the console shows)
`triggers` — what must happen in the market before `fires` is worth asking again? The engine
compiles triggers into one band per instrument, so a quiet tick costs two comparisons.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Protocol, TypeAlias, runtime_checkable

from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.money import Price, ratio
from engine.domain.position import Position
from engine.domain.records import dataclass


@dataclass(slots=True)
class View:
    """What a rule looks at. Treat as immutable (not frozen: it is made on the hot path)."""

    position: Position
    instrument: Instrument
    quote: Quote
    now: Nanos
    peak: Price
    """Best price since entry, this one included: highest for a long, lowest for a short."""

    @property
    def sign(self) -> int:
        return self.position.side.sign

    def is_at_or_beyond(self, level: Decimal) -> bool:
        """Return whether the last price is at `level` or through it, against the position."""
        return (self.quote.last - level) * self.position.side.sign <= 0


@dataclass(frozen=True, slots=True)
class Adverse:
    """Wake when the price is at `level` or beyond it against the position."""

    level: Decimal


@dataclass(frozen=True, slots=True)
class Favourable:
    """Wake when the price is at `level` or beyond it in favour of the position."""

    level: Decimal


@dataclass(frozen=True, slots=True)
class Trail:
    """Wake when the price comes back from the peak by `fraction`, once `activation` was seen."""

    fraction: Decimal
    activation: Decimal
    """Price that arms it; the peak at or beyond it means armed."""


@dataclass(frozen=True, slots=True)
class BelowVwap:
    """Wake when the position is losing and the price is `fraction` worse than the VWAP."""

    fraction: Decimal


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Wake when open interest is at or above `threshold` (and the position is losing)."""

    threshold: Decimal


@dataclass(frozen=True, slots=True)
class At:
    """Wake at an instant."""

    at: Nanos


Trigger: TypeAlias = Adverse | Favourable | Trail | BelowVwap | OpenInterest | At


@unique
class Unit(Enum):
    """What a level counts, so that a console can format rules it has never heard of."""

    PRICE = "price"
    CONTRACTS = "contracts"
    INSTANT = "time"


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a rule stands for one position at one moment: exactly what the engine compares."""

    rule: str
    unit: Unit
    level: Decimal | None
    """Value at which it fires; None: cannot be said yet. An instant is UTC nanoseconds."""
    is_armed: bool
    why: str
    """What it waits for when idle; how the level came about when armed."""
    distance: Decimal | None = None
    """Room left as a ratio of the level; negative once it is passed. None for an instant."""


@runtime_checkable
class ExitRule(Protocol):
    """A pure rule. Must be a frozen dataclass: its fields are its settings."""

    @property
    def code(self) -> str:
        """Registered name, e.g. `trailing`."""

    @property
    def reason(self) -> str:
        """Exit reason when it fires, e.g. `trailing_stop_hit`."""

    def fires(self, view: View) -> bool:
        """Return whether the position must be closed now. Exact."""

    def reading(self, view: View) -> Reading:
        """Return level, distance, and armed or idle and why."""

    def triggers(self, view: View) -> tuple[Trigger, ...]:
        """Return what can make `fires` true from here on; empty: nothing can."""


def view_of(
    position: Position, instrument: Instrument, quote: Quote, now: Nanos, journaled_peak: Price
) -> View:
    """Return the view with the newest price counted into the peak (see `State.peak`)."""
    best = max if position.side.sign > 0 else min
    return View(position, instrument, quote, now, best(journaled_peak, quote.last))


def price_distance(view: View, level: Decimal) -> Decimal:
    """Return the room between the last price and `level` as a ratio of the level.

    Positive while the rule does not fire: (33.50 - 22.50) / 22.50 = 48.89 %.
    """
    return ratio((view.quote.last - level) * view.sign, level)
