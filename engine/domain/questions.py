"""From findings to questions: what is asked, what can be answered, and what the policy would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from engine.domain.decision import Choice, Decision, Matter
from engine.domain.evidence import covers_part, proves
from engine.domain.ids import SECOND, DecisionId, Nanos
from engine.domain.money import ZERO, plain
from engine.domain.reconcile import Finding, Found
from engine.domain.records import dataclass
from engine.domain.truth import Execution
from engine.domain.wording import label, number

MATTERS: Final[Mapping[Found, Matter]] = {
    Found.GONE: Matter.GONE,
    Found.UNKNOWN_HERE: Matter.UNKNOWN_HERE,
    Found.DIFFERS: Matter.DIFFERS,
    Found.STRAY_ORDER: Matter.STRAY_ORDER,
}
"""Findings that are asked about."""
FILLS_MAX: Final = 500
"""More executions than these are no evidence that a person could look at."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done about a finding if nobody answers (`reconcile.policy.*`)."""

    acts: Mapping[Matter, Choice] = field(default_factory=dict)
    """What it does; a matter that is not here waits for a person."""
    stops: frozenset[Matter] = frozenset()
    """What a session without a person does not begin with."""
    wait: Nanos = Nanos(30 * SECOND)
    """How long a person has to answer first."""


def question(finding: Finding, policy: Policy, now: Nanos) -> Decision:
    """Return what a person is asked about `finding`, which must be one of MATTERS."""
    matter = MATTERS[finding.what]
    fills = finding.fills if len(finding.fills) <= FILLS_MAX else ()
    choices = _choices(finding, fills)
    act = policy.acts.get(matter)
    is_acting = act in choices
    place = finding.subject if matter is Matter.STRAY_ORDER else finding.instrument
    return Decision(
        id=DecisionId(f"{matter.value}:{place}:{finding.since}"),
        matter=matter,
        subject=finding.subject,
        text=_sentence(finding, fills),
        choices=choices,
        proposal=act if act is not None and is_acting else Choice.LEAVE,
        asked_at=now,
        instrument=finding.instrument,
        due_at=Nanos(now + policy.wait) if is_acting else None,
        here=finding.here,
        there=finding.there,
        fills=fills,
        average=finding.average,
    )


def is_about(decision: Decision, finding: Finding) -> bool:
    """Return whether `decision` asks about `finding`, as large as it is now."""
    return (
        MATTERS.get(finding.what) is decision.matter
        and decision.subject == finding.subject
        and decision.instrument == finding.instrument
        and decision.here == finding.here
        and decision.there == finding.there
    )


def _choices(finding: Finding, fills: tuple[Execution, ...]) -> tuple[Choice, ...]:
    match finding.what:
        case Found.STRAY_ORDER:
            return Choice.CANCEL, Choice.LEAVE
        case Found.UNKNOWN_HERE:
            return Choice.ADOPT, Choice.CLOSE, Choice.LEAVE
    offered = [Choice.BOOK] if covers_part(fills, finding.here, finding.there) else []
    if _is_priced(finding):
        offered.append(Choice.ADOPT)
    return (*offered, Choice.ESTIMATE, Choice.LEAVE)


def _is_priced(finding: Finding) -> bool:
    """Return whether the venue's average price says what the rest of the position cost."""
    is_larger = finding.here * finding.there > 0 and abs(finding.there) > abs(finding.here)
    return finding.average is not None and is_larger


def _sentence(finding: Finding, fills: tuple[Execution, ...]) -> str:
    name = label(finding.instrument) if finding.instrument is not None else ""
    here, there = _stand(finding), _stand(finding, at_venue=True)
    match finding.what:
        case Found.GONE:
            found = f"{here} here, nothing at the venue{_told(finding, fills)}"
            return f"{name}: {found}: it was closed elsewhere, or the venue is wrong"
        case Found.UNKNOWN_HERE:
            told = _told(finding, fills)
            return (
                f"{name}: {there} at the venue that nothing here opened{told}: no stop watches it"
            )
        case Found.STRAY_ORDER:
            verb = "buy" if finding.there > 0 else "sell"
            size = number(abs(finding.there))
            order = f"an order to {verb} {size} that nothing here sent works at the venue"
            return (
                f"{name}: {order} ({finding.subject}): if it is filled, a position is unknown here"
            )
        case _:
            told = _told(finding, fills)
            return f"{name}: {here} here, {there} at the venue{told}: P&L and stops may be wrong"


def _stand(finding: Finding, *, at_venue: bool = False) -> str:
    qty = finding.there if at_venue else finding.here
    return f"{number(abs(qty))} {'long' if qty > 0 else 'short'}"


def _told(finding: Finding, fills: tuple[Execution, ...]) -> str:
    """Return what the fills say of it."""
    if not fills:
        return ", no fill explains it"
    if proves(fills, finding.here, finding.there):
        return f", opened by {len(fills)} fill{'s' if len(fills) > 1 else ''} there"
    made = sum((execution.signed for execution in fills), ZERO)
    return f", fills there explain {plain(abs(made))} of {plain(abs(finding.there - finding.here))}"
