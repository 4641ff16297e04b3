"""What became of one command, followed through the journal until nothing of it is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from engine.domain.command import ClosePosition, Command, Flatten, SubmitSignal
from engine.domain.event import (
    CommandAccepted,
    CommandRefused,
    Entry,
    FlattenLatched,
    FlatVerified,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequested,
    OrderTimedOut,
    SignalAccepted,
    SignalRefused,
)
from engine.domain.evolve import evolve
from engine.domain.ids import OrderId
from engine.domain.order import Order
from engine.domain.state import State
from engine.link.protocol import Update, Welcome
from engine.link.visit import Visit

PATIENCE: Final = 20.0
"""Seconds after which a command is reported as it stands: it goes on without us."""


class Outcome:
    """Steps, orders and fills of a command; `is_over` once nothing more will come of it."""

    def __init__(self, command: Command, state: State, tell: Callable[[str], None]) -> None:
        self.command = command.id
        self._signal = command.signal.id if isinstance(command, SubmitSignal) else None
        self._trades = isinstance(command, ClosePosition | SubmitSignal)
        """Whether an order follows, so that acceptance alone is not the end."""
        self._expected: OrderId | None = None
        """Order of the signal: it is caused by the tick that the signal waited for."""
        self._is_flattening = isinstance(command, Flatten)
        self.state = state
        self.verdict = "sent"
        self.reason = ""
        self.steps: list[str] = []
        self._tell = tell
        self._orders: dict[OrderId, Order] = {}
        self._fills: list[dict[str, str]] = []

    @property
    def is_good(self) -> bool:
        return self.verdict in {"accepted", "filled", "flat"}

    @property
    def is_over(self) -> bool:
        """Whether the command was refused, or is known and all its orders are final."""
        if self.verdict == "refused":
            return True
        if self._is_flattening:
            return self.verdict == "flat"
        if self._trades and not self._orders:
            return False
        is_working = any(id_ in self.state.orders for id_ in self._orders)
        return self.verdict != "sent" and not is_working

    def restart(self, welcome: Welcome) -> None:
        """Go on from a snapshot: too much was missed."""
        self.state = welcome.state
        if f"c:{self.command}" in self.state.handled and self.verdict == "sent":
            self.verdict = "accepted"

    def step(self, text: str) -> None:
        self.steps.append(text)
        self._tell(text)

    def refuse(self, reason: str) -> None:
        self.verdict, self.reason = "refused", reason
        self.step(f"refused: {reason}")

    def take(self, update: Update) -> None:
        """Take anything the engine says."""
        if isinstance(update, Entry):
            self.hear(update)
        elif isinstance(update, Welcome):
            self.restart(update)

    def hear(self, entry: Entry) -> None:
        """Take one entry of the journal."""
        if entry.seq <= self.state.seq:
            return
        self.state = evolve(self.state, entry)
        match entry.event:
            case CommandAccepted(command=id_, text=text) if id_ == self.command:
                self.verdict = "accepted"
                self.step(f"accepted: {text}")
            case CommandRefused(command=id_, reason=reason) if id_ == self.command:
                self.refuse(reason)
            case SignalAccepted(signal=signal, order=expected) if signal.id == self._signal:
                self.verdict, self._expected = "accepted", expected
                self.step(f"accepted: signal {signal.id}")
            case SignalRefused(signal=signal, reason=reason) if signal.id == self._signal:
                self.refuse(reason)
            case FlattenLatched(command=id_) if id_ == self.command:
                self.step("latched: entries are blocked until `holdfast lift`")
            case FlatVerified() if self._is_flattening and self.verdict == "accepted":
                self.verdict = "flat"
                self.step("verified flat")
            case OrderRequested(order=order, cause=cause):
                is_ours = cause == self.command or order.id == self._expected
                if is_ours or self._is_flattening:
                    self._requested(order)
            case _:
                self._hear_order(entry)

    def _hear_order(self, entry: Entry) -> None:
        match entry.event:
            case OrderAccepted(order=id_) if id_ in self._orders:
                self.step(f"{id_}: the venue has it")
            case OrderFilled(fill=fill) if fill.order in self._orders:
                self._fills.append(
                    {"order": fill.order, "qty": f"{fill.qty:f}", "price": f"{fill.price:f}"}
                )
                self.step(f"{fill.order}: filled {fill.qty:f} at {fill.price:f}")
                if fill.order not in self.state.orders and not self._is_flattening:
                    self.verdict = "filled"
            case OrderRejected(order=id_, reason=reason, text=text) if id_ in self._orders:
                self._fail(id_, f"rejected: {reason} {text}".rstrip())
            case OrderCancelled(order=id_, reason=reason) if id_ in self._orders:
                self._fail(id_, f"cancelled: {reason or 'no reason given'}")
            case OrderTimedOut(order=id_) if id_ in self._orders:
                self.step(f"{id_}: no answer; the engine looks what became of it")
            case _:
                return

    def row(self) -> dict[str, Any]:
        """Return it all, for JSON."""
        return {
            "command": self.command,
            "outcome": self.verdict,
            "reason": self.reason or None,
            "orders": list(self._orders),
            "fills": self._fills,
            "steps": self.steps,
        }

    def _requested(self, order: Order) -> None:
        self._orders[order.id] = order
        self.step(f"{order.id}: committed {order.side.value} {order.qty:f} {order.instrument}")

    def _fail(self, id_: OrderId, why: str) -> None:
        self.step(f"{id_}: {why}")
        if not self._is_flattening:  # a flatten tries again by itself
            self.verdict, self.reason = "failed", why


def _heedless(update: Update) -> None:
    """Take what nobody waits for."""


async def follow(
    visit: Visit, outcome: Outcome, listen: Callable[[Update], None] = _heedless
) -> None:
    """Hear the engine until the outcome is over, or patience is; `listen` hears everything."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not outcome.is_over:
                update = await visit.hear()
                listen(update)
                outcome.take(update)
    except TimeoutError:
        outcome.reason = f"not finished within {PATIENCE:.0f} s; the engine goes on with it"
        outcome.verdict = "working"
        outcome.step(outcome.reason)
