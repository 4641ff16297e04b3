"""`decide`: what waits for a decision, and an answer; `reconcile`: compare now, then the same."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any, Final

from engine.domain.command import Command, Decide, Reconcile
from engine.domain.decision import Decision
from engine.domain.ids import SECOND, Nanos
from engine.domain.log import LogRecord
from engine.domain.money import plain
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.link.address import socket_path
from engine.link.protocol import Update, Welcome
from engine.link.visit import Visit, visiting
from engine.runtime.outcome import iso
from engine.runtime.reconcile_log import RUN
from engine.runtime.reconcile_log import SOURCE as RECONCILE
from tui.cli.acting import BY, fresh_id, give, required_engine
from tui.cli.exits import DONE, FAILED, NEEDS_DECISION, USAGE, Failure
from tui.cli.following import Outcome
from tui.cli.output import as_json, say

Row = dict[str, Any]
PATIENCE: Final = 15.0
"""Seconds: a venue is given 10 to answer."""


def command(args: argparse.Namespace) -> int:
    """List the queue, answer one decision, or reconcile; say what came of it."""
    data_dir = required_engine(args)
    return asyncio.run(_act(args, data_dir))


async def _act(args: argparse.Namespace, data_dir: Path) -> int:
    try:
        is_listing = args.act == "decide" and args.decision is None
        async with visiting(socket_path(data_dir), is_read_only=is_listing) as visit:
            if is_listing:
                return _list(args, visit.welcome)
            if args.act == "reconcile":
                return await _reconcile(args, visit)
            return await _decide(args, visit)
    except ConnectionError as error:
        raise Failure(str(error)) from None


def _list(args: argparse.Namespace, welcome: Welcome) -> int:
    rows = decision_rows(welcome.state, welcome.pulse.now)
    if args.json:
        as_json(rows)
        return DONE
    _show(rows)
    for answer in welcome.state.answers.values():
        if answer.stands:
            say(f"{answer.choice.value} by {answer.by}: {answer.decision.text}")
    return DONE


async def _decide(args: argparse.Namespace, visit: Visit) -> int:
    outcome = await give(args, visit, _answer(args, visit.welcome.state), visit.welcome.state)
    if args.json:
        as_json(outcome.row())
    return DONE if outcome.is_good else FAILED


def _answer(args: argparse.Namespace, state: State) -> Command:
    decision = found(state, args.decision)
    offered = ", ".join(choice.value for choice in decision.choices)
    if args.choice is None:
        raise Failure(f"decision {decision.id} needs a choice: {offered}", USAGE)
    wanted = next((c for c in decision.choices if c.value == args.choice.replace("-", "_")), None)
    if wanted is None:
        raise Failure(f"choice was {args.choice!r}, offered: {offered}", USAGE)
    return Decide(fresh_id(0), decision.id, wanted, BY, args.note)


def found(state: State, name: str) -> Decision:
    """Return the pending decision with an id, or the only one on a symbol. Raises Failure."""
    exact = [d for d in state.decisions.values() if d.id == name]
    meant = exact or [d for d in state.decisions.values() if name in {d.instrument, d.subject}]
    if len(meant) == 1:
        return meant[0]
    answered = next((a for id_, a in state.answers.items() if id_ == name), None)
    if answered is not None:
        raise Failure(f"{name} was answered already: {answered.choice.value} by {answered.by}")
    pending = ", ".join(state.decisions) or "none"
    what = f"{len(meant)} decisions are about" if meant else "no decision"
    raise Failure(f"{what} {name}; pending: {pending}")


async def _reconcile(args: argparse.Namespace, visit: Visit) -> int:
    """Reconcile now; print what was found, then what a person must decide."""
    state = visit.welcome.state
    outcome, lines = await _compared(args, visit, state)
    if not outcome.is_good:
        if args.json:
            as_json(outcome.row())
        return FAILED
    rows = decision_rows(outcome.state, visit.welcome.pulse.now)
    if args.json:
        as_json({"findings": [_finding(line) for line in lines], "decisions": rows})
    else:
        for line in lines:
            say(line.text)
        if rows:
            _show(rows)
    return NEEDS_DECISION if rows else DONE


async def _compared(
    args: argparse.Namespace, visit: Visit, state: State
) -> tuple[Outcome, list[LogRecord]]:
    """Give the command; return what came of it and the lines of the run, the last one included."""
    run = _Run()
    outcome = await give(args, visit, Reconcile(fresh_id(0), BY), state, run.listen)
    try:
        async with asyncio.timeout(PATIENCE):
            while outcome.is_good and not run.is_over(outcome.state):
                update = await visit.hear()
                run.listen(update)
                outcome.take(update)
    except TimeoutError:
        raise Failure("no answer of the venue was heard; see `holdfast logs`") from None
    return outcome, run.lines


class _Run:
    """One run of the reconciler, heard through its log lines."""

    def __init__(self) -> None:
        self.lines: list[LogRecord] = []
        self._asked: set[str] | None = None

    def listen(self, update: Update) -> None:
        if not isinstance(update, LogRecord) or update.source != RECONCILE:
            return
        if self._asked is not None:
            return
        self.lines.append(update)
        fields = dict(update.fields)
        if RUN in fields:
            self._asked = set(filter(None, fields["asks"].split(" ")))

    def is_over(self, state: State) -> bool:
        """Return whether its last line was heard, and everything that it asks."""
        known = {*state.decisions, *state.answers}
        return self._asked is not None and self._asked <= known


def decision_rows(state: State, now: Nanos) -> list[Row]:
    """Return what waits for an answer, oldest first."""
    return [_row(decision, now) for decision in state.decisions.values()]


def _row(decision: Decision, now: Nanos) -> Row:
    due = decision.due_at
    return {
        "id": decision.id,
        "matter": decision.matter.value,
        "subject": decision.subject,
        "symbol": decision.instrument,
        "position": decision.position,
        "text": decision.text,
        "choices": [choice.value for choice in decision.choices],
        "proposal": decision.proposal.value,
        "asked_at": iso(decision.asked_at),
        "age_s": max(0, now - decision.asked_at) // SECOND,
        "due_at": None if due is None else iso(due),
        "due_in_s": None if due is None else (due - now) / SECOND,
        "here": plain(decision.here),
        "there": plain(decision.there),
        "average": None if decision.average is None else plain(decision.average),
        "fills": [_fill(execution) for execution in decision.fills],
    }


def _fill(execution: Execution) -> Row:
    fill = execution.fill
    return {
        "id": fill.id,
        "order": fill.order,
        "side": execution.side.value,
        "qty": plain(fill.qty),
        "price": plain(fill.price),
        "fee": plain(fill.fee.amount),
        "at": iso(fill.at),
    }


def _finding(line: LogRecord) -> Row:
    return {"text": line.text, **dict(line.fields)}


def _show(rows: list[Row]) -> None:
    if not rows:
        say("nothing waits for a decision")
    for row in rows:
        due = row["due_in_s"]
        act = "waits for a person" if due is None else f"{row['proposal']} in {max(0, due):.0f} s"
        say(f"{row['id']}  asked {row['age_s']} s ago, {act}")
        say(f"  {row['text']}")
        for fill in row["fills"]:
            say(f"  fill {fill['id']}: {fill['side']} {fill['qty']} at {fill['price']}")
        say(f"  choices: {', '.join(row['choices'])}")
