"""Answers to decisions: what a person, or the policy in a person's place, chose, carried out.

An answer and what it leads to are one step: accepted with its effects, or refused with a reason
and nothing changed. What was asked about must still be so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, TypeAlias

from engine.domain import recovery
from engine.domain.adoption import AT_VENUE, Guess, adopt, impossible, is_bookable
from engine.domain.command import Decide
from engine.domain.decision import Choice, Decision, Matter
from engine.domain.draft import Draft
from engine.domain.event import CommandAccepted, DecisionTaken, Entry
from engine.domain.evidence import covers_part, is_news, net, proves
from engine.domain.evolve import evolve
from engine.domain.exits import order_exit
from engine.domain.ids import SECOND, CommandId, FillId, InstrumentId, Nanos, OrderId, Seq
from engine.domain.market import Market
from engine.domain.money import ZERO, Money, Price, Qty, is_ordinary, plain
from engine.domain.order import ExitKind, ExitReason, Fill, Side
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.domain.wording import label, price

Effect: TypeAlias = Callable[[Draft, Market, Decision, Choice, str, Nanos], str | None]
"""Drafts what a choice leads to; returns why it cannot be done, None: it is drafted."""


def answer(draft: Draft, market: Market, command: Decide, now: Nanos) -> str | None:
    """Draft what `command` leads to; return why it is refused."""
    state, id_ = draft.state, command.decision
    decision = state.decisions.get(id_)
    if decision is None:
        known = state.answers.get(id_)
        if known is None:
            return f"no decision {id_} is pending"
        return f"already taken: {known.choice.value} by {known.by}"
    if command.choice not in decision.choices:
        offered = ", ".join(choice.value for choice in decision.choices)
        return f"choice was {command.choice.value}, offered: {offered}"
    taken = DecisionTaken(id_, command.choice, command.by, command.note)
    text = f"decide {decision.matter.value} {decision.subject}: {command.choice.value}"
    accepted = CommandAccepted(command.id, command.by, text)
    return _carry_out(draft, market, decision, taken, now, accepted)


def act_for_nobody(draft: Draft, market: Market, now: Nanos) -> None:
    """Draft what the policy does about the first decision whose time is over, and about every gap;
    what cannot (a stale price) waits until it can, or until somebody answers.
    """
    for decision in draft.state.decisions.values():
        if decision.due_at is None or now < decision.due_at:
            continue
        why = f"nobody answered within {(decision.due_at - decision.asked_at) / SECOND:g} s"
        taken = DecisionTaken(decision.id, decision.proposal, recovery.POLICY, why)
        is_done = _carry_out(draft, market, decision, taken, now) is None
        if is_done and decision.matter is not Matter.GAP:  # gaps are of one position each
            return


def _carry_out(
    draft: Draft,
    market: Market,
    decision: Decision,
    taken: DecisionTaken,
    now: Nanos,
    accepted: CommandAccepted | None = None,
) -> str | None:
    """Draft the answer with its effects, or nothing and return why."""
    trial = Draft(draft.state)
    trial.add(*draft.events, *((accepted,) if accepted else ()), taken)
    reason = EFFECTS[decision.matter](trial, market, decision, taken.choice, taken.by, now)
    if reason is None:
        draft.add(*trial.events[len(draft.events) :])
    return reason


def _gone(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """E-42: book what fills prove, or all of it at the present price."""
    if choice is Choice.LEAVE:
        return None
    reason = _moved(draft.state, decision)
    if reason is not None or choice is Choice.BOOK:
        if reason is None:
            adopt(draft, market, decision.fills, decision.id)
        return reason
    return _estimate(draft, market, decision, now)


def _unknown(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """E-44: take over what the venue has, and close it if that was chosen."""
    if choice is Choice.LEAVE:
        return None
    reason = _moved(draft.state, decision)
    if reason is not None:
        return reason
    if proves(decision.fills, decision.here, decision.there):
        adopt(draft, market, decision.fills, decision.id)
    else:
        reason = _adopt_at_average(draft, market, decision, now)
        if reason is not None:
            return reason
    if choice is Choice.CLOSE:
        _close_adopted(draft, market, decision, by, now)
    return None


def _differs(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """E-45: take over the venue's quantity, at its average price or at the present one; or book
    what fills prove, and be asked about the rest.
    """
    if choice is not Choice.ADOPT:
        return _gone(draft, market, decision, choice, by, now)
    reason = _moved(draft.state, decision)
    return _adopt_at_average(draft, market, decision, now) if reason is None else reason


def _stray(
    draft: Draft, market: Market, decision: Decision, choice: Choice, by: str, now: Nanos
) -> str | None:
    """E-46: the reconciler cancels what was answered so, until it is gone."""
    return None


def _moved(state: State, decision: Decision) -> str | None:
    """Return why what was asked about is not so any more, or cannot be booked; None: it can."""
    instrument = decision.instrument
    if instrument is None:
        return "it names no instrument"
    here = net(state).get(instrument, ZERO)
    if here != decision.here:
        was = f"{plain(decision.here)} was open when it was asked, {plain(here)} is now"
        return f"{was}: it is compared anew"
    if not all(is_news(state, execution) for execution in decision.fills):
        return "some of the fills are booked meanwhile: it is compared anew"
    if not all(is_bookable(state, execution) for execution in decision.fills):
        return (
            impossible(state, instrument) or "a fill at the venue has figures that cannot be booked"
        )
    return impossible(state, instrument) or None


def _estimate(draft: Draft, market: Market, decision: Decision, now: Nanos) -> str | None:
    """Draft the fills there are, and the rest at the present price, marked as an estimate."""
    instrument = decision.instrument or InstrumentId("")
    quote = market.get(instrument)
    limit = draft.state.limits.price_age_max_s
    if quote is None or quote.age(now) > limit * SECOND:
        return f"there is no price of {label(instrument)} younger than {limit} s to estimate with"
    known = sum((execution.signed for execution in decision.fills), decision.here)
    age = quote.age(now) / SECOND
    note = f"estimated: {price(quote.last)} from {quote.source}, {age:.1f} s old"
    reason = ExitReason(ExitKind.RECONCILED, AT_VENUE.code, note=f"{note}; no fill explains it")
    made = _made(draft.state, decision, quote.last, decision.there - known, now)
    adopt(draft, market, decision.fills, decision.id, Guess(made, reason, replace(quote)))
    return None


def _adopt_at_average(draft: Draft, market: Market, decision: Decision, now: Nanos) -> str | None:
    """Draft what brings the position to the venue's own average price: the fills there are, so
    that they prove nothing again, and a guess for the rest. Return why nothing does.
    """
    state, average = draft.state, decision.average
    instrument = decision.instrument or InstrumentId("")
    if average is None or not is_ordinary(average):
        return f"the venue tells neither the fills nor an average price of {label(instrument)}"
    held = [p for p in state.positions.values() if p.instrument == instrument]
    if any(position.side.sign * decision.there < 0 for position in held):
        return f"the venue's average price of {label(instrument)} says nothing of what is hedged"
    for fills in (_first_part(decision), ()):
        paid, wanted = _implied(state, decision, average, fills)
        if is_ordinary(paid):
            made = _made(state, decision, paid, wanted, now)
            adopt(draft, market, fills, decision.id, Guess(made))
            return None
    return f"the venue's average price {plain(average)} does not follow from what is open here"


def _first_part(decision: Decision) -> tuple[Execution, ...]:
    """Return the fills if all of them lead towards what the venue has, and not to its end."""
    fills, wanted = decision.fills, decision.there - decision.here
    is_one_way = all(execution.signed * wanted > 0 for execution in fills)
    return fills if is_one_way and covers_part(fills, decision.here, decision.there) else ()


def _implied(
    state: State, decision: Decision, average: Decimal, fills: tuple[Execution, ...]
) -> tuple[Price, Decimal]:
    """Return at what price, 0: none, how much more makes the venue's average of all."""
    instrument = decision.instrument or InstrumentId("")
    terms = state.instruments[instrument]
    worth = terms.value(average, abs(decision.there))
    worth -= sum(p.entry_value for p in state.positions.values() if p.instrument == instrument)
    worth -= sum(terms.value(e.fill.price, e.fill.qty) for e in fills)
    wanted = sum((-e.signed for e in fills), decision.there - decision.here)
    return terms.entry_price(worth, abs(wanted)) if worth > 0 else Price(ZERO), wanted


def _made(state: State, decision: Decision, at: Price, signed: Decimal, now: Nanos) -> Execution:
    """Return an execution that stands for what nobody saw; its ids say which decision made it."""
    instrument = decision.instrument or InstrumentId("")
    currency = state.instruments[instrument].currency
    fill = Fill(
        FillId(f"decided:{decision.id}"),
        OrderId(f"decided:{decision.id}"),
        at,
        Qty(abs(signed)),
        Money(ZERO, currency),
        now,
    )
    return Execution(fill, instrument, Side.BUY if signed > 0 else Side.SELL)


def _close_adopted(draft: Draft, market: Market, decision: Decision, by: str, now: Nanos) -> None:
    """Draft the exits of the positions that this draft opens."""
    after = draft.state
    for event in draft.events:
        after = evolve(after, Entry(Seq(after.seq + 1), now, event))
    cause = CommandId(f"decision:{decision.id}")
    note = "unknown here when it was found; decided to close"
    reason = ExitReason(ExitKind.RECONCILED, "manual", note=note, by=by)
    for position in after.positions.values():
        if position.id not in draft.state.positions:
            quote = market.get(position.instrument)
            order_exit(draft, position, reason, quote, position.qty, cause)


EFFECTS: Final[Mapping[Matter, Effect]] = {
    Matter.GONE: _gone,
    Matter.UNKNOWN_HERE: _unknown,
    Matter.DIFFERS: _differs,
    Matter.STRAY_ORDER: _stray,
    Matter.GAP: recovery.after_gap,
    Matter.CRASH: recovery.after_crash,
}
