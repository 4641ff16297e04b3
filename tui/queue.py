"""What the queue of decisions says (C-18): what was found, on which evidence, what can be done.

Pure. What a crash left is decided in the recovery room; everything else that waits is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from engine.domain.decision import Answer, Choice, Decision, Matter
from engine.domain.ids import SECOND, Nanos
from engine.domain.instrument import Instrument
from engine.domain.money import ZERO
from engine.domain.state import State
from engine.domain.truth import Execution
from tui import formatting as fmt
from tui.dialog import wrapped
from tui.replica import Replica
from tui.sanitise import for_screen
from tui.widgets.line import BLANK, MARK, Line, Span

ELSEWHERE: Final = frozenset({Matter.GAP, Matter.CRASH})
"""Decided in the recovery room."""
FILLS_SHOWN: Final = 4
HEADS: Final = {
    Matter.GONE: "gone at the venue",
    Matter.UNKNOWN_HERE: "unknown here",
    Matter.DIFFERS: "differs",
    Matter.STRAY_ORDER: "stray order",
}
KEYS: Final = {
    Choice.BOOK: "b",
    Choice.ESTIMATE: "e",
    Choice.ADOPT: "a",
    Choice.CLOSE: "x",
    Choice.CANCEL: "c",
    Choice.LEAVE: "l",
}
DEEDS: Final = {
    Choice.BOOK: "book the fills",
    Choice.ESTIMATE: "book at the present price",
    Choice.ADOPT: "adopt",
    Choice.CLOSE: "adopt and close",
    Choice.CANCEL: "cancel the order",
    Choice.LEAVE: "leave and watch",
}


def questions(state: State) -> list[Decision]:
    """Return what is to be decided here, in the order it was asked."""
    return [d for d in state.decisions.values() if d.matter not in ELSEWHERE]


def standing(state: State) -> list[Answer]:
    """Return what was answered and may still be so."""
    return [answer for answer in state.answers.values() if answer.stands]


def lines(replica: Replica, now: Nanos, width: int, chosen: Decision | None) -> list[Line]:
    """Return the whole queue; `chosen` is the decision that the keys answer."""
    state = replica.state
    waiting = questions(state)
    others = len(state.decisions) - len(waiting)
    out: list[Line] = []
    if not waiting:
        out += wrapped("Nothing waits for a decision here.", width, "ok")
    for decision in waiting:
        out += [*_decision(decision, replica, now, width, is_chosen=decision is chosen), BLANK]
    if others:
        out += wrapped(f"{others} more wait in the recovery room (R).", width, "warning")
    left = standing(state)
    if left:
        out.append((("Answered, and still so: entries there stay blocked", "muted"),))
    for answer in left:
        at = fmt.clock(answer.at, replica.zone)
        text = f"{at} {answer.choice.value} by {for_screen(answer.by, 30)}: "
        out += wrapped(text + fmt.symbols_in(for_screen(answer.decision.text, 200)), width, "muted")
    return out


def _decision(
    decision: Decision, replica: Replica, now: Nanos, width: int, *, is_chosen: bool
) -> Iterator[Line]:
    mark: Span = (MARK, "accent!") if is_chosen else ("  ", "text")
    name = fmt.symbol(decision.instrument) if decision.instrument else decision.subject
    asked = f"asked {fmt.duration(max(0, now - decision.asked_at))} ago, "
    yield (
        mark,
        (f"{for_screen(name, 30)} ", "text!"),
        (f" {HEADS[decision.matter]} ", "alert"),
        (f"  {asked}", "muted"),
        (due(decision, now), "warning"),
    )
    text = fmt.symbols_in(for_screen(decision.text, 300)).partition(": ")[2]
    yield from _below(text or decision.text, width, "text")
    yield from _evidence(decision, replica, now, width)
    if is_chosen:
        yield _offer(decision)


def due(decision: Decision, now: Nanos) -> str:
    """Return who answers, and when."""
    if decision.due_at is None:
        return "waits for you"
    left = decision.due_at - now
    deed = DEEDS.get(decision.proposal, decision.proposal.value)
    return f"{deed} in {left // SECOND} s" if left > 0 else f"{deed}: due, it cannot be done yet"


def _evidence(decision: Decision, replica: Replica, now: Nanos, width: int) -> Iterator[Line]:
    terms = replica.instrument(decision.instrument) if decision.instrument else None
    held = _size(decision.here), _size(decision.there)
    told = (
        "" if decision.average is None else f" at {fmt.price(decision.average, terms)} on average"
    )
    where = f"here and in the database {held[0]}, at the venue {held[1]}{told}; "
    if decision.matter is Matter.STRAY_ORDER:
        where = f"order {for_screen(decision.subject, 60)}; "
    yield from _below(where + price_now(decision, replica, now), width, "muted")
    for execution in decision.fills[:FILLS_SHOWN]:
        yield from _below(_fill(execution, terms, replica.zone), width, "text")
    more = len(decision.fills) - FILLS_SHOWN
    if more > 0:
        yield from _below(f"and {more} more fills", width, "muted")


def price_now(decision: Decision, replica: Replica, now: Nanos) -> str:
    """Return the present price with its age: what an estimate or an exit would get."""
    quote = replica.quotes.get(decision.instrument) if decision.instrument else None
    if quote is None or decision.instrument is None:
        return "no price yet"
    terms = replica.instrument(decision.instrument)
    stale = "" if is_fresh(decision, replica, now) else " STALE"
    return f"LTP {fmt.price(quote.last, terms)} {fmt.age(quote.age(now))}{stale}"


def is_fresh(decision: Decision, replica: Replica, now: Nanos) -> bool:
    """Return whether there is a price that something could be booked at."""
    quote = replica.quotes.get(decision.instrument) if decision.instrument else None
    limit = replica.state.limits.price_age_max_s * SECOND
    return quote is not None and quote.age(now) <= limit


def _fill(execution: Execution, terms: Instrument | None, zone: str) -> str:
    fill = execution.fill
    verb = "bought" if execution.side.sign > 0 else "sold"
    size = f"{fmt.quantity(fill.qty)} at {fmt.price(fill.price, terms)}"
    fee = f", fee {fmt.money(fill.fee.amount, fill.fee.currency)}" if fill.fee.amount else ""
    order = for_screen(fill.order, 40)
    return f"fill {fmt.clock(fill.at, zone)} {verb} {size}{fee} (order {order})"


def _size(qty: Decimal) -> str:
    return f"{fmt.quantity(abs(qty))} {'long' if qty > 0 else 'short'}" if qty else "nothing"


def _offer(decision: Decision) -> Line:
    spans: list[Span] = [("    ", "text")]
    for choice in decision.choices:
        spans += [(f"{KEYS[choice]} ", "key!"), (f"{DEEDS[choice]}  ", "text")]
    return tuple(spans)


def consequence(decision: Decision, choice: Choice, replica: Replica, now: Nanos) -> str:
    """Return what an answer is going to do, before it is confirmed."""
    terms = replica.instrument(decision.instrument) if decision.instrument else None
    name = fmt.symbol(decision.instrument) if decision.instrument else decision.subject
    at = price_now(decision, replica, now)
    match choice:
        case Choice.BOOK:
            what = f"book {len(decision.fills)} fills of {name} as the venue tells them"
        case Choice.ESTIMATE:
            made = sum((e.signed for e in decision.fills), ZERO)
            rest = abs(decision.there - decision.here - made)
            what = f"book {fmt.quantity(rest)} {name} at the present price, marked estimated; {at}"
        case Choice.ADOPT:
            what = (
                f"take over {_size(decision.there)} {name}{_paid(decision, terms)}; stops watch it"
            )
        case Choice.CLOSE:
            deed = "sell" if decision.there > 0 else "buy back"
            size = fmt.quantity(abs(decision.there))
            paid = _paid(decision, terms)
            what = f"take over {name}{paid} and {deed} {size} at market; {at}"
        case Choice.CANCEL:
            what = f"cancel order {for_screen(decision.subject, 60)} at the venue"
        case _:
            what = f"leave {name} as it is: entries there stay blocked, nobody asks again"
    return what


def _paid(decision: Decision, terms: Instrument | None) -> str:
    if decision.average is not None and not decision.fills:
        return f" at {fmt.price(decision.average, terms)}, the venue's average"
    if not decision.fills:
        return ""
    return f" at its {len(decision.fills)} fill{'s' if len(decision.fills) > 1 else ''}"


def _below(text: str, width: int, token: str) -> Iterator[Line]:
    """Yield `text` below a decision's first line."""
    for (part, hue), *_ in wrapped(text, width - 4, token):
        yield (("    ", "text"), (part, hue))
