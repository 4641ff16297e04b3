"""What decisions do to the state: part of `evolve`, used by it only."""

from __future__ import annotations

from typing import Final

from engine.domain.decision import Answer
from engine.domain.errors import IllegalTransition
from engine.domain.event import DecisionAsked, DecisionTaken, DecisionWithdrawn, Entry
from engine.domain.mapping import changed, with_item, without
from engine.domain.state import State

ANSWERS_KEPT: Final = 64
"""Newest answers remembered; one that still stands is never forgotten."""


def asked(state: State, entry: Entry, event: DecisionAsked) -> State:
    """Return `state` with the question pending, unless it was asked before."""
    decision = event.decision
    if decision.id in state.decisions or decision.id in state.answers:
        return state
    return changed(state, decisions=with_item(state.decisions, decision.id, decision))


def taken(state: State, entry: Entry, event: DecisionTaken) -> State:
    """Return `state` with the question answered."""
    decision = state.decisions.get(event.decision)
    if decision is None or event.choice not in decision.choices:
        raise IllegalTransition(f"{event.choice.value} for {event.decision}: not asked")
    answer = Answer(decision, event.choice, event.by, entry.at)
    answers = with_item(state.answers, decision.id, answer)
    over = [id_ for id_, known in answers.items() if not known.stands][:-ANSWERS_KEPT]
    for id_ in over:
        del answers[id_]
    return changed(state, decisions=without(state.decisions, decision.id), answers=answers)


def withdrawn(state: State, entry: Entry, event: DecisionWithdrawn) -> State:
    """Return `state` without a question, or an answer, that is about nothing any more."""
    if event.decision in state.decisions:
        return changed(state, decisions=without(state.decisions, event.decision))
    if event.decision in state.answers:
        return changed(state, answers=without(state.answers, event.decision))
    raise IllegalTransition(f"{event.decision} was not asked")
