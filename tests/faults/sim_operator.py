"""Who trades and interferes in a simulation: signals, closes, stops, flattens, from a seed."""

from __future__ import annotations

import random
from decimal import Decimal

from engine.domain.command import (
    CancelOrder,
    ChangeStop,
    ClosePosition,
    Command,
    Flatten,
    LiftLatch,
    PauseEntries,
    Reconcile,
    ResumeEntries,
    SubmitSignal,
)
from engine.domain.ids import CommandId, Nanos
from engine.domain.money import Price, qty, rounded_down
from engine.domain.order import Side
from engine.domain.position import Position
from engine.domain.risk import LatchCause
from engine.domain.signal import Signal
from engine.domain.state import State
from tests.faults.sim_market import CATALOG

BY = "simulation"
WANTED = 8


class SimOperator:
    """Says what somebody wants next."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0
        self._said: list[Command] = []
        self._session = ""

    def next(self, state: State, now: Nanos) -> Command:
        """Return a command; now and then the very same one again."""
        session = state.session.id if state.session else ""
        if session != self._session:  # a new session does not know what acted in the last one
            self._session, self._said = session, []
        if self._said and self._rng.random() < 0.05:
            return self._rng.choice(self._said)
        command = self._made(state, now)
        self._said = [*self._said[-9:], command]
        return command

    def _made(self, state: State, now: Nanos) -> Command:
        rng, id_ = self._rng, self._id()
        if state.latch is not None and rng.random() < 0.5:
            return LiftLatch(id_, BY, "over")
        if state.blocks and rng.random() < 0.5:
            return ResumeEntries(id_, BY, rng.choice(sorted(state.blocks)))
        held = list(state.positions.values())
        dice = rng.random()
        if dice < 0.01:
            return Flatten(id_, BY, LatchCause.OPERATOR, "because")
        if dice < 0.02:
            return PauseEntries(id_, BY, "operator", "lunch")
        if dice < 0.04:
            return Reconcile(id_, BY)
        if dice < 0.06 and state.orders:
            return CancelOrder(id_, rng.choice(list(state.orders)), BY)
        if held and (dice < 0.3 or len(held) > WANTED):
            return self._interfering(id_, rng.choice(held))
        return self._wish(id_, now)

    def _interfering(self, id_: CommandId, position: Position) -> Command:
        rng, terms = self._rng, CATALOG[position.instrument]
        dice = rng.random()
        if dice < 0.3:
            return ClosePosition(id_, position.id, BY, qty=qty(terms.lot_size))
        if dice < 0.6:
            return ClosePosition(id_, position.id, BY)
        room = Decimal(rng.randint(1, 30)) / 10_000
        stop = position.entry * (1 - position.side.sign * room)
        return ChangeStop(id_, position.id, BY, Price(rounded_down(stop, terms.tick_size)), None)

    def _wish(self, id_: CommandId, now: Nanos) -> Command:
        rng = self._rng
        terms = CATALOG[rng.choice(sorted(CATALOG))]
        size = qty(terms.lot_size * rng.randint(1, 4))
        side = rng.choice((Side.BUY, Side.SELL))
        return SubmitSignal(id_, Signal(id_, terms.id, side, now, size, reason="seed"), BY)

    def _id(self) -> CommandId:
        self._count += 1
        return CommandId(f"o{self._count}")
