"""An open position, its arithmetic, and the trade it becomes."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId, Seq, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Currency, Price, Qty, quotient, ratio
from engine.domain.order import ExitReason, Side
from engine.domain.records import dataclass

REARM_MAX: Final = SECOND
"""Longest time without protection after a failed close (E-27)."""


@unique
class ClosePhase(Enum):
    """How far a close has come (E-27). Protection is released by a confirmed fill only."""

    REQUESTED = "requested"
    """Durable intent; on its way to the venue."""
    ACCEPTED = "accepted"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    """The venue did not answer in time; nothing else is sent until there is evidence."""


@dataclass(frozen=True)
class Close:
    """The exit in flight of a position; at most one exists at any time."""

    order: OrderId
    reason: ExitReason
    phase: ClosePhase
    since: Nanos
    is_all: bool = False
    """It was sent for everything that was open; what an entry still brings is closed, too."""


@dataclass(frozen=True)
class Position:
    """A quantity held since `opened_at`: the sum of its fills, nothing else."""

    id: PositionId
    instrument: InstrumentId
    side: Side
    qty: Qty
    """What is still open."""
    entry: Price
    """Average entry price; exact for one entry fill, else rounded to 1e-12."""
    cost: Decimal
    """Money tied up: the price paid, or the margin of a leveraged contract."""
    currency: Currency
    opened_at: Nanos
    opened_seq: Seq
    """Journal entry that opened it; `State.peak` finds the best price since."""
    opened_qty: Qty
    """Quantity ever entered; more than `qty` after a partial exit."""
    entry_value: Decimal
    """Sum of price x quantity of what is open (inverse: sum of coins); exact."""
    oi_at_entry: Decimal | None = None
    strategy: StrategyName | None = None
    stop_loss: Price | None = None
    take_profit: Price | None = None
    close: Close | None = None
    rearm_at: Nanos | None = None
    """After a failed close: rules act again from this instant (at most 1 s later)."""
    failed_closes: int = 0
    entry_order: OrderId | None = None
    realised: Decimal = ZERO
    """Gross profit of the exits so far."""
    fees: Decimal = ZERO
    exit_value: Decimal = ZERO
    """Sum of exit price x quantity; with `exited` gives the average exit price."""
    exited: Decimal = ZERO
    last_exit: ExitReason | None = None
    opened_price: Price | None = None
    """Price of the first entry fill, from which the peak counts; None: `entry`."""

    def pnl(self, at: Decimal, instrument: Instrument) -> Decimal:
        """Return the gross profit of closing what is open at `at`, before fees."""
        return instrument.profit(self.side.sign, self.entry_value, at, self.qty)

    def gain(self, at: Decimal) -> Decimal:
        """Return the signed favourable move from entry as a ratio of entry (0.25 is 25 %)."""
        return ratio((at - self.entry) * self.side.sign, self.entry)

    def is_losing(self, at: Decimal) -> bool:
        """Return whether P&L at `at` is below zero; exactly at entry it is not."""
        return (at - self.entry) * self.side.sign < 0

    def is_guarded(self, now: Nanos) -> bool:
        """Return whether exit rules may act: no exit in flight, not waiting to re-arm."""
        if self.close is not None:
            return False
        # Later than in a second: the clock stepped back, and nobody waits for it to catch up.
        return self.rearm_at is None or not 0 < self.rearm_at - now <= REARM_MAX


@dataclass(frozen=True, slots=True)
class Trade:
    """A position that is closed, as reports show it."""

    id: PositionId
    instrument: InstrumentId
    side: Side
    qty: Qty
    entry_at: Nanos
    entry: Price
    exit_at: Nanos
    exit: Price
    """Average exit price."""
    reason: ExitReason
    pnl: Decimal
    """Net of fees."""
    fees: Decimal
    currency: Currency
    strategy: StrategyName | None
    seq: Seq
    """Journal entry that closed it."""
    stop_loss: Price | None = None
    take_profit: Price | None = None
    gross: Decimal = ZERO

    @property
    def pnl_pct(self) -> Decimal:
        """Gross price move in favour as a ratio of entry."""
        return ratio((self.exit - self.entry) * self.side.sign, self.entry)


def average(value: Decimal, qty: Decimal) -> Price:
    """Return value / quantity as a price."""
    return Price(quotient(value, qty))
