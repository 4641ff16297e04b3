"""The paper venue's own book: cash and positions, as a real venue keeps them.

An exit closes its own lot first, then what else stands on the other side of its instrument, oldest
first; what is left of it opens a lot, as at any venue that nets. An exit of a position that this
book never had has nothing to settle.

At all times, exactly: cash + margin tied = opening cash + realised profit - fees, per currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine.domain.ids import FillId, InstrumentId, Nanos, PositionId
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO, Currency, quotient
from engine.domain.order import Fill, Order, Side
from engine.domain.position import Position
from engine.venues.paper.matching import margin_of

APPLIED_KEPT: Final = 4096
"""Newest fill ids that are remembered, also across a restart, so that each is applied once."""


@dataclass(slots=True)
class Lot:
    """What one position holds of an instrument; `qty` is above 0."""

    instrument: InstrumentId
    currency: Currency
    side: Side
    qty: Decimal
    value: Decimal
    """What the open quantity was entered at, as `Instrument.value` counts it."""
    tied: Decimal
    opened_at: Nanos


class Book:
    """Cash per currency and one lot per position; changed by fills only."""

    def __init__(self, cash: Mapping[Currency, Decimal], leverage: Decimal) -> None:
        self.cash = dict(cash)
        self.lots: dict[PositionId, Lot] = {}
        self._leverage = leverage
        self._applied: dict[FillId, None] = {}
        self._terms: dict[InstrumentId, Instrument] = {}
        """Of what was traded in this life."""
        self._closed_by_others: set[PositionId] = set()
        """Closed, or reduced, by an order that was not for them."""

    def held(self, position: PositionId) -> Decimal:
        """Return the open quantity of a position; 0: none."""
        lot = self.lots.get(position)
        return lot.qty if lot else ZERO

    def open_of(self, order: Order) -> Decimal:
        """Return how much of its instrument an exit would close; 0: nothing."""
        own = self.held(order.position)
        return own or sum(
            (
                lot.qty
                for lot in self.lots.values()
                if lot.instrument == order.instrument and lot.side is not order.side
            ),
            ZERO,
        )

    def hold(self, position: Position) -> None:
        """Take over an open position; the cash it ties up is not in `cash` any more."""
        self.lots[position.id] = Lot(
            position.instrument,
            position.currency,
            position.side,
            position.qty,
            position.entry_value,
            position.cost,
            position.opened_at,
        )

    def net(self) -> dict[InstrumentId, Decimal]:
        """Return the signed quantity per instrument, as a venue's position list shows it."""
        sums: dict[InstrumentId, Decimal] = {}
        for lot in self.lots.values():
            sums[lot.instrument] = sums.get(lot.instrument, ZERO) + lot.side.sign * lot.qty
        return {instrument: qty for instrument, qty in sums.items() if qty}

    def averages(self) -> dict[InstrumentId, Decimal]:
        """Return the average entry price of what is open on one side only, where it is known."""
        found: dict[InstrumentId, Decimal] = {}
        for id_, terms in self._terms.items():
            lots = [lot for lot in self.lots.values() if lot.instrument == id_]
            if len({lot.side for lot in lots}) == 1:
                value = sum((lot.value for lot in lots), ZERO)
                found[id_] = terms.entry_price(value, sum((lot.qty for lot in lots), ZERO))
        return found

    def is_affordable(
        self, instrument: Instrument, price: Decimal, qty: Decimal, fee: Decimal
    ) -> bool:
        """Return whether free cash covers opening `qty` at `price`."""
        needed = margin_of(instrument, instrument.notional(price, qty), self._leverage) + fee
        return needed <= self.cash.get(instrument.currency, ZERO)

    def apply(self, order: Order, fill: Fill, instrument: Instrument) -> None:
        """Enter an execution; the same fill of the same order again changes nothing."""
        key = FillId(f"{order.id} {fill.id}")
        if key in self._applied:
            return
        self._applied[key] = None
        self._terms[order.instrument] = instrument
        if len(self._applied) >= 2 * APPLIED_KEPT:
            self._applied = dict.fromkeys(list(self._applied)[-APPLIED_KEPT:])
        currency = instrument.currency
        self.cash[currency] = self.cash.get(currency, ZERO) - fill.fee.amount
        if order.exit is None:
            self._open(order, fill, fill.qty, instrument)
        else:
            self._close(order, fill, instrument)

    def _open(self, order: Order, fill: Fill, qty: Decimal, instrument: Instrument) -> None:
        notional = instrument.notional(fill.price, qty)
        tied = margin_of(instrument, notional, self._leverage)
        self.cash[instrument.currency] -= tied
        lot = self.lots.get(order.position)
        if lot is None:
            lot = Lot(order.instrument, instrument.currency, order.side, ZERO, ZERO, ZERO, fill.at)
            self.lots[order.position] = lot
        lot.qty += qty
        lot.value += instrument.value(fill.price, qty)
        lot.tied += tied

    def _close(self, order: Order, fill: Fill, instrument: Instrument) -> None:
        left = Decimal(fill.qty)
        own = self.lots.get(order.position)
        if own is not None and own.side is not order.side and own.qty >= left:
            self._reduce(order.position, left, fill, instrument)
            return
        others = [
            id_
            for id_, lot in self.lots.items()
            if lot.instrument == order.instrument and lot.side is not order.side
        ]
        for id_ in sorted(others, key=lambda id_: id_ != order.position):
            if left:
                left -= self._reduce(id_, left, fill, instrument)
                if id_ != order.position:
                    self._closed_by_others.add(id_)
        is_turning = others or order.position in self._closed_by_others
        if left and (is_turning or order.position == PositionId(order.id)):
            self._open(order, fill, left, instrument)

    def _reduce(
        self, id_: PositionId, wanted: Decimal, fill: Fill, instrument: Instrument
    ) -> Decimal:
        """Close up to `wanted` of a lot at the fill's price; return how much that was."""
        lot = self.lots[id_]
        qty = min(wanted, lot.qty)
        if qty == lot.qty:
            value, tied = lot.value, lot.tied
            del self.lots[id_]
        else:
            value = quotient(lot.value * qty, lot.qty)
            tied = quotient(lot.tied * qty, lot.qty)
            lot.qty, lot.value, lot.tied = lot.qty - qty, lot.value - value, lot.tied - tied
        profit = instrument.profit(lot.side.sign, value, fill.price, qty)
        self.cash[lot.currency] += tied + profit
        return qty

    def data(self) -> dict[str, Any]:
        """Return the whole book as JSON data; decimals are strings."""
        return {
            "cash": {currency: str(amount) for currency, amount in self.cash.items()},
            "lots": {
                position: [
                    lot.instrument,
                    lot.currency,
                    lot.side.value,
                    str(lot.qty),
                    str(lot.value),
                    str(lot.tied),
                    lot.opened_at,
                ]
                for position, lot in self.lots.items()
            },
            "applied": list(self._applied)[-APPLIED_KEPT:],
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Take over what `data` returned; raise ValueError or KeyError if it is none."""
        self.cash = {Currency(key): Decimal(value) for key, value in data["cash"].items()}
        self.lots = {PositionId(key): _lot(entry) for key, entry in data["lots"].items()}
        self._applied = dict.fromkeys(map(FillId, data["applied"]))


def _lot(entry: list[Any]) -> Lot:
    instrument, currency, side, qty, value, tied, opened_at = entry
    return Lot(
        InstrumentId(instrument),
        Currency(currency),
        Side(side),
        Decimal(qty),
        Decimal(value),
        Decimal(tied),
        Nanos(opened_at),
    )
