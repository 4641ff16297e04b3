"""Commands to the running engine: sent, accepted, committed, filled, or refused with the reason."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from engine.domain.command import (
    ChangeStop,
    ClosePosition,
    Command,
    ControlStrategy,
    Flatten,
    LiftLatch,
    PauseEntries,
    ResumeEntries,
    SubmitSignal,
)
from engine.domain.ids import CommandId, PositionId, StrategyName
from engine.domain.money import Price, Qty
from engine.domain.position import Position
from engine.domain.risk import LatchCause
from engine.domain.state import State
from engine.link.address import socket_path
from engine.link.protocol import NotTaken, Update, Welcome
from engine.link.visit import Visit, visiting
from engine.runtime.clock import SystemClock
from engine.store.lock import holder
from tui.cli.exits import DONE, FAILED, NOT_RUNNING, USAGE, Failure
from tui.cli.following import Outcome, follow
from tui.cli.output import as_json, say
from tui.cli.places import data_dir_of
from tui.cli.recording import control
from tui.cli.streaming import Signals

BY: Final = "cli"
SOURCE: Final = "operator"
"""Who a person's pause of entries belongs to, whether typed here or in a console."""


def command(args: argparse.Namespace) -> int:
    """Give the engine one command (or a stream of signals) and say what became of it."""
    return asyncio.run(_act(args, required_engine(args)))


def required_engine(args: argparse.Namespace) -> Path:
    """Return the data directory that an engine runs on. Raises Failure."""
    data_dir = data_dir_of(args.data_dir)
    if holder(data_dir) is None:
        raise Failure(f"no engine is running on {data_dir}", NOT_RUNNING)
    return data_dir


async def _act(args: argparse.Namespace, data_dir: Path) -> int:
    try:
        async with visiting(socket_path(data_dir)) as visit:
            if args.act == "signal":
                return await _signals(args, visit)
            made = MADE[args.act](args, visit.welcome, fresh_id(0))
            outcome = await give(args, visit, made, visit.welcome.state)
    except ConnectionError as error:
        raise Failure(str(error)) from None
    if args.json:
        as_json(outcome.row())
    return DONE if outcome.is_good else FAILED


async def give(
    args: argparse.Namespace,
    visit: Visit,
    given: Command,
    state: State,
    listen: Callable[[Update], None] | None = None,
) -> Outcome:
    """Send a command and say what becomes of it; `listen` hears everything meanwhile."""
    outcome = Outcome(given, state, tell=_nothing if args.json else say)
    try:
        await visit.send(given)
    except NotTaken as refusal:
        outcome.refuse(str(refusal))
        return outcome
    outcome.step("sent")
    await (follow(visit, outcome) if listen is None else follow(visit, outcome, listen))
    return outcome


async def _signals(args: argparse.Namespace, visit: Visit) -> int:
    """Send one signal after the other; a bad line of a stream is said and skipped."""
    signals, state, code = Signals(args.file, fresh_id(0)), visit.welcome.state, DONE
    number = 0
    async for signal in signals.read():
        number += 1
        outcome = await give(args, visit, SubmitSignal(fresh_id(number), signal, BY), state)
        state = outcome.state
        if args.json:
            as_json({"signal": signal.id, **outcome.row()})
        if not outcome.is_good:
            code = FAILED
    return USAGE if signals.bad else code


def _close(args: argparse.Namespace, welcome: Welcome, id_: CommandId) -> Command:
    position = found(welcome.state, args.position)
    qty = None if args.qty is None else Qty(_positive("--qty", args.qty))
    return ClosePosition(id_, position.id, BY, qty=qty, note=args.note)


def _stop_price(args: argparse.Namespace, welcome: Welcome, id_: CommandId) -> Command:
    position = found(welcome.state, args.position)
    price = None if args.price == "none" else Price(_positive("PRICE", args.price))
    return ChangeStop(id_, position.id, BY, price, position.take_profit)


def _flatten(args: argparse.Namespace, _welcome: Welcome, id_: CommandId) -> Command:
    return Flatten(id_, BY, LatchCause.OPERATOR, args.reason)


def _lift(args: argparse.Namespace, _welcome: Welcome, id_: CommandId) -> Command:
    return LiftLatch(id_, BY, args.reason)


def _pause(args: argparse.Namespace, _welcome: Welcome, id_: CommandId) -> Command:
    if args.strategy is not None:
        return ControlStrategy(id_, StrategyName(args.strategy), "pause", BY)
    return PauseEntries(id_, BY, SOURCE, "paused from the command line")


def _resume(args: argparse.Namespace, _welcome: Welcome, id_: CommandId) -> Command:
    if args.strategy is not None:
        return ControlStrategy(id_, StrategyName(args.strategy), "resume", BY)
    return ResumeEntries(id_, BY, SOURCE)


def _feed(args: argparse.Namespace, _welcome: Welcome, id_: CommandId) -> Command:
    return control(args, id_, BY)


MADE: Final[dict[str, Callable[[argparse.Namespace, Welcome, CommandId], Command]]] = {
    "close": _close,
    "stop-price": _stop_price,
    "flatten": _flatten,
    "lift": _lift,
    "pause": _pause,
    "resume": _resume,
    "feed": _feed,
}


def found(state: State, name: str) -> Position:
    """Return the open position with an id, or the only one on a symbol. Raises Failure."""
    position = state.positions.get(PositionId(name))
    if position is not None:
        return position
    on_symbol = [p for p in state.positions.values() if p.instrument == name]
    if len(on_symbol) == 1:
        return on_symbol[0]
    open_ = ", ".join(f"{p.id} ({p.instrument})" for p in state.positions.values()) or "none"
    what = f"{len(on_symbol)} positions are open on" if on_symbol else "no open position"
    raise Failure(f"{what} {name}; open: {open_}")


def _positive(what: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise Failure(f"{what} was {text!r}, allowed: a number above 0", USAGE)
    return value


def fresh_id(number: int) -> CommandId:
    """Return an id that no command had before; `number` tells those of one process apart."""
    return CommandId(f"cli-{os.getpid()}-{SystemClock().now()}-{number}")


def _nothing(text: str) -> None:
    """Say nothing: the JSON at the end has it all."""
