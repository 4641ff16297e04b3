"""What became of a command: sent, accepted, committed, filled, or refused and why (C-3). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from engine.domain import command as cmd
from engine.domain import event as ev
from engine.domain.command import Command
from engine.domain.ids import SECOND, CommandId, Nanos, OrderId
from tui import formatting as fmt
from tui.sanitise import for_screen

SHOWN_FOR: Final = 6 * SECOND
WAITED_FOR: Final = 60 * SECOND
"""An unfinished command is on screen so long; the journal and the log know it after that."""


class Step(Enum):
    """How far a command has come."""

    SENT = "sent"
    ACCEPTED = "accepted"
    COMMITTED = "committed"
    FILLED = "filled"
    DONE = "done"
    REFUSED = "refused"


SIMPLE: Final = (
    cmd.PauseEntries,
    cmd.ResumeEntries,
    cmd.ControlStrategy,
    cmd.ControlFeed,
    cmd.LiftLatch,
    cmd.CancelOrder,
    cmd.Reconcile,
    cmd.Decide,
    cmd.EndSession,
)
"""Commands that are done with their acceptance: they cause no order."""
_FINAL: Final = {Step.FILLED, Step.DONE, Step.REFUSED}


@dataclass(frozen=True, slots=True)
class Told:
    """One command and how far it has come."""

    command: CommandId
    label: str
    step: Step
    since: Nanos
    """Monotonic time of the last step."""
    reason: str = ""

    @property
    def is_final(self) -> bool:
        return self.step in _FINAL


@dataclass(slots=True)
class Progress:
    """The newest commands of this console."""

    told: dict[CommandId, Told] = field(default_factory=dict)
    _orders: dict[OrderId, CommandId] = field(default_factory=dict)
    _simple: set[CommandId] = field(default_factory=set)
    """Done once accepted: what comes here is durable, and nothing follows."""
    _flattening: set[CommandId] = field(default_factory=set)
    """Done once flat, however many orders that takes."""

    def follow(self, command: Command, label: str, mono: Nanos) -> None:
        """Note that a command left, and what it ends with."""
        self.sent(command.id, label, mono)
        if isinstance(command, SIMPLE):
            self._simple.add(command.id)

    def sent(self, command: CommandId, label: str, mono: Nanos) -> None:
        """Note that a command left."""
        self.told[command] = Told(command, for_screen(label, 60), Step.SENT, mono)
        while len(self.told) > 20:
            del self.told[next(iter(self.told))]

    def failed(self, command: CommandId, why: str, mono: Nanos) -> None:
        """Note that a command could not be sent."""
        self._step(command, Step.REFUSED, mono, why)

    def apply(self, entry: ev.Entry, mono: Nanos) -> None:
        """Follow a command through the journal."""
        match entry.event:
            case ev.CommandAccepted(command=command):
                is_all = command in self._simple
                self._step(command, Step.DONE if is_all else Step.ACCEPTED, mono)
            case ev.CommandRefused(command=command, reason=reason):
                self._step(command, Step.REFUSED, mono, reason)
            case ev.OrderRequested(order=order, cause=cause) if cause in self.told:
                self._orders[order.id] = cause
                self._step(cause, Step.COMMITTED, mono)
            case ev.StopChanged(cause=command):
                self._step(command, Step.DONE, mono)
            case ev.FlattenLatched(command=command) if command in self.told:
                self._flattening.add(command)
                self._step(command, Step.COMMITTED, mono, "closing everything")
            case ev.FlatVerified():
                for command in self._flattening:
                    self._step(command, Step.DONE, mono, "nothing is open")
                self._flattening.clear()
            case ev.OrderFilled(fill=fill):
                self._order_step(fill.order, Step.FILLED, mono)
            case ev.OrderRejected(order=order_id, reason=reason):
                self._order_step(order_id, Step.REFUSED, mono, fmt.words(reason))
            case _:
                return

    def newest(self, mono: Nanos) -> Told | None:
        """Return the command to show: an unfinished one, else the last for a few seconds."""
        for told in reversed(self.told.values()):
            if mono - told.since < (SHOWN_FOR if told.is_final else WAITED_FOR):
                return told
        return None

    def _order_step(self, order: OrderId, step: Step, mono: Nanos, why: str = "") -> None:
        command = self._orders.get(order)
        if command is not None and command not in self._flattening:
            self._step(command, step, mono, why)

    def _step(self, command: CommandId, step: Step, mono: Nanos, why: str = "") -> None:
        told = self.told.get(command)
        if told is not None and not told.is_final:
            reason = for_screen(why, 120)
            self.told[command] = replace(told, step=step, since=mono, reason=reason)
