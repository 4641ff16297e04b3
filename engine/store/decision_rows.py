"""The table of decisions: what was asked, what was answered and by whom (E-68, C-18)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.domain import event as ev
from engine.domain.decision import Decision
from engine.domain.ids import Nanos
from engine.domain.state import State
from engine.store.amounts import stored
from engine.store.tables import SqlRow
from engine.store.times import iso


def decision_rows(before: State, entries: Sequence[ev.Entry], session: str) -> dict[str, SqlRow]:
    """Return the rows that `entries`, following `before`, change; the last one of each counts."""
    pending = dict(before.decisions)
    rows: dict[str, SqlRow] = {}
    for entry in entries:
        match entry.event:
            case ev.DecisionAsked(decision=decision):
                if decision.id not in pending and decision.id not in before.answers:
                    pending[decision.id] = decision
                    rows[decision.id] = _row(decision, session)
            case ev.DecisionTaken(decision=id_, choice=choice, by=by, why=why):
                end = ("taken", entry.at)
                rows[id_] = _row(pending.pop(id_), session, *end, choice.value, by, why)
            case ev.DecisionWithdrawn(decision=id_, why=why) if id_ in pending:
                # One that was answered keeps its row: what it says happened.
                end = ("withdrawn", entry.at)
                rows[id_] = _row(pending.pop(id_), session, *end, why=why)
            case _:
                continue
    return rows


def _row(
    decision: Decision,
    session: str,
    status: str = "pending",
    ended_at: Nanos | None = None,
    choice: str | None = None,
    by: str | None = None,
    why: str = "",
) -> SqlRow:
    return (
        *(decision.id, session, decision.matter.value, decision.subject, decision.instrument),
        *(decision.position, decision.text, ",".join(c.value for c in decision.choices)),
        *(decision.proposal.value, stored(decision.here), stored(decision.there)),
        *(iso(decision.asked_at), _time(decision.due_at), status, _time(ended_at)),
        *(choice, by, why or None),
    )


def _time(at: Nanos | None) -> str | None:
    return None if at is None else iso(at)
