"""What a venue says of the account: what the state and the tables are held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal

from engine.domain.ids import InstrumentId, Nanos, OrderId, PositionId
from engine.domain.order import Fill, Side
from engine.domain.records import dataclass


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that works at the venue. `id` is ours, or the venue's if we never sent it."""

    id: OrderId
    instrument: InstrumentId
    side: Side
    qty: Decimal
    """What is left of it."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill with what it traded; `fill.order` may be an order that we never sent."""

    fill: Fill
    instrument: InstrumentId
    side: Side

    @property
    def signed(self) -> Decimal:
        """The quantity by which it moved the account's position."""
        return self.side.sign * self.fill.qty


@dataclass(frozen=True)
class VenueTruth:
    """A complete, successful answer; anything less is a `Failed`."""

    at: Nanos
    """When the answer was asked for."""
    positions: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    """Signed open quantity per instrument."""
    orders: tuple[OpenOrder, ...] = ()
    fills: tuple[Execution, ...] = ()
    """Since the oldest open position was entered, or quantities last agreed, in the venue's order.
    """
    averages: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    """Average entry price of what is open, where the venue tells one."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The venue gave no answer that can be believed. It says nothing about any position."""

    at: Nanos
    why: str


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row that the database calls an open position."""

    position: PositionId
    instrument: InstrumentId
    side: str
    qty: str
    """As the table has it: a person may have typed anything."""
