"""What an engine without a console says on its standard output while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.domain.event import DecisionAsked, DecisionTaken, DecisionWithdrawn, Entry
from engine.domain.state import State
from tui.cli.output import say

if TYPE_CHECKING:
    from engine.bootstrap.live import LiveEngine


def announce(engine: LiveEngine) -> None:
    """Say what waits for a decision, and from now on what is asked, taken and withdrawn."""
    for decision in engine.core.state.decisions.values():
        say(f"waits for a decision: {decision.id}: {decision.text}")
    engine.subscribe(_tell, lambda _tick, _quote: None)


def _tell(entry: Entry, _state: State) -> None:
    match entry.event:
        case DecisionAsked(decision=decision):
            offered = ", ".join(choice.value for choice in decision.choices)
            say(f"waits for a decision: {decision.id}: {decision.text}")
            say(f"  holdfast decide {decision.id} CHOICE ({offered}); it goes on meanwhile")
        case DecisionTaken(decision=id_, choice=choice, by=by):
            say(f"decided: {id_}: {choice.value} by {by}")
        case DecisionWithdrawn(decision=id_, why=why):
            say(f"no decision any more: {id_}: {why}")
        case _:
            return
