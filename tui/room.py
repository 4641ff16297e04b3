"""What the recovery room says (C-17): what a crash left, position by position. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.domain.decision import Choice, Decision, Matter
from engine.domain.gap import Absence, Gap
from engine.domain.ids import SECOND, InstrumentId, Nanos, PositionId
from engine.domain.money import plain
from engine.domain.position import Trade
from engine.domain.recovery import ROOM, sentence
from engine.domain.risk import RECOVERY
from engine.domain.session import SessionStatus
from engine.domain.state import State
from tui import away
from tui import formatting as fmt
from tui.book import Figures, figures
from tui.dialog import labelled, wrapped
from tui.panel import Desk
from tui.replica import Replica
from tui.sanitise import for_screen
from tui.widgets.line import BLANK, MARK, Line, Span, flowed

ONE_LINE: Final = 124
"""From this width on a position's figures stand in one line."""
SPILLED: Final = "emergency file"
"""What the log says of entries that were taken over from there."""
DEEDS: Final = {
    Choice.BOOK: "book",
    Choice.EXIT_NOW: "exit now",
    Choice.KEEP: "keep",
    Choice.RESUME: "resume",
    Choice.FRESH: "fresh session",
    Choice.INSPECT: "inspect first",
}
KEYS: Final = {
    Choice.BOOK: "b",
    Choice.EXIT_NOW: "x",
    Choice.KEEP: "k",
    Choice.RESUME: "r",
    Choice.FRESH: "f",
    Choice.INSPECT: "i",
}


def questions(state: State) -> list[Decision]:
    """Return what is to be decided in the room, in the order it was asked."""
    return [decision for decision in state.decisions.values() if decision.matter in ROOM]


def lines(desk: Desk, now: Nanos, width: int, chosen: Decision | None) -> list[Line]:
    """Return the whole room: what was found, what holds, and each position with what can be done.

    `chosen`: the question that the keys answer.
    """
    replica = desk.replica
    absence = replica.state.absence
    if absence is None:
        return wrapped("No engine of this store has crashed since its session began.", width)
    return [
        *_found(replica, absence, width),
        *_stands(replica, absence, width),
        BLANK,
        *_session(replica.state, now, width, chosen),
        *_positions(replica, absence, now, width, chosen),
    ]


def _found(replica: Replica, absence: Absence, width: int) -> Iterator[Line]:
    yield from flowed(away.found(absence, replica.zone), width, 11)
    held = f"{absence.positions} position{_s(absence.positions)} open"
    working = f"{absence.orders} order{_s(absence.orders)} working"
    yield labelled("", (f"{held}, {working}", "text"))
    if (absence.positions or absence.orders) and not absence.was_stopped:
        text = f"resumed without asking: {held}, {working}; what is open cannot be declined"
        yield from _field("forced", text, width, "warning")
    for record in replica.logs:
        if record.source == RECOVERY and record.at >= absence.found_at and SPILLED in record.text:
            yield from _field("", for_screen(record.text, 160), width, "warning")


def _stands(replica: Replica, absence: Absence, width: int) -> Iterator[Line]:
    text, agrees = _venue(replica)
    yield from _field("venue", text, width, "text" if agrees else "warning")
    for answer in replica.state.answers.values():
        if answer.decision.matter is Matter.CRASH and answer.at >= absence.found_at:
            who = f"{DEEDS[answer.choice]}, by {for_screen(answer.by, 40)}"
            at = fmt.clock(answer.at, replica.zone)
            yield labelled("decided", (f"{at} {who}", "text"))
    block = replica.state.blocks.get(RECOVERY)
    if absence.settled_at is not None:
        at = fmt.clock(absence.settled_at, replica.zone)
        yield from _field("settled", f"{at}: {for_screen(absence.how, 160)}", width, "ok")
    elif block is not None:
        yield from _field("entries", f"blocked: {for_screen(block, 200)}", width, "warning")


def _venue(replica: Replica) -> tuple[str, bool]:
    """Return what the venue says now, as far as it is known here, and whether it agrees."""
    session = replica.state.session
    if session is not None and session.status is SessionStatus.CRASHED:
        return "asked as soon as it is decided what becomes of the session", False
    asked = [d for d in replica.state.decisions.values() if d.matter not in ROOM]
    if asked:
        return f"differs: {len(asked)} to decide, first {for_screen(asked[0].text, 120)}", False
    parts = replica.health.components if replica.health is not None else ()
    for part in parts:
        if part.name == "reconciliation":
            answer = dict(part.figures).get("last answer", "none yet")
            agrees = part.score >= 100
            more = "; engine, database and venue agree" if agrees else ""
            return f"last answer {answer}{more}", agrees
    return "not heard yet", False


def _session(state: State, now: Nanos, width: int, chosen: Decision | None) -> Iterator[Line]:
    """Say what can be chosen where nothing was open (E-62)."""
    for decision in state.decisions.values():
        if decision.matter is Matter.CRASH:
            yield from wrapped(for_screen(decision.text, 300), width)
            yield from _offer(decision, now, is_chosen=decision is chosen)
    session = state.session
    if session is not None and session.status is SessionStatus.CRASHED:
        yield (("nothing is traded until it is decided", "muted"),)


def _positions(
    replica: Replica, absence: Absence, now: Nanos, width: int, chosen: Decision | None
) -> Iterator[Line]:
    state = replica.state
    asked = {d.position: d for d in questions(state) if d.matter is Matter.GAP}
    answered = {
        a.decision.position: a
        for a in state.answers.values()
        if a.decision.matter is Matter.GAP and a.at >= absence.found_at
    }
    shown: set[PositionId] = set()
    # What waits for an answer stands first.
    for position in sorted(state.positions.values(), key=lambda held: held.id not in asked):
        if position.opened_at > absence.found_at:
            continue
        shown.add(position.id)
        item = figures(position, state, replica, now)
        decision, gap = asked.get(position.id), absence.gaps.get(position.id)
        yield from _open(item, replica, now, width, is_chosen=decision is chosen is not None)
        yield from _gap(gap, absence, replica, width, is_over=position.id in answered)
        if decision is not None:
            yield from _offer(decision, now, is_chosen=decision is chosen)
        elif position.id in answered:
            answer = answered[position.id]
            who = f"decided: {DEEDS[answer.choice]}, by {for_screen(answer.by, 40)}"
            yield ((f"    {who}", "text"),)
        elif position.close is not None:
            why = fmt.words(position.close.reason.code)
            yield ((f"    closing: {why}, {position.close.phase.value}", "warning"),)
    for trade in state.closed:
        if trade.id in absence.gaps and trade.id not in shown:
            yield from _closed(trade, absence.gaps[trade.id], replica, width)


def _open(
    item: Figures, replica: Replica, now: Nanos, width: int, *, is_chosen: bool
) -> Iterator[Line]:
    position, quote = item.position, item.quote
    mark: Span = (MARK, "accent!") if is_chosen else ("  ", "text")
    name = f"{fmt.symbol(position.instrument)} {fmt.standing(position.side)} "
    size = f"{fmt.quantity(position.qty)} @ {fmt.price(position.entry, item.instrument)}"
    there = f"{_database(replica, position.instrument)}"
    is_new = quote is not None and quote.source != "journal"
    price = "no price yet"
    if quote is not None:
        price = f"LTP {fmt.price(quote.last, item.instrument)} {fmt.age(quote.age(now))}"
    token = "text" if is_new else "warning"
    head: Line = (mark, (name, "text!"), (f"{size}  ", "text"), (price, token))
    pnl = "" if item.pnl is None else f"  {fmt.signed_money(item.pnl, position.currency)}"
    hue = "muted" if item.pnl is None else "profit" if item.pnl >= 0 else "loss"
    if width >= ONE_LINE:
        whole = (*head, (pnl, hue), ("  ", "text"), *_watched(item), (f"  {there}", "muted"))
        yield from flowed(whole, width)
        return
    yield from flowed((*head, (pnl, hue)), width)
    yield from flowed((("    ", "text"), *_watched(item), (f"  {there}", "muted")), width)


def _watched(item: Figures) -> Iterator[Span]:
    """Yield which stop is armed, where, and how far away."""
    if item.position.close is not None:
        yield ("an exit is under way", "warning")
        return
    nearest = item.nearest
    if nearest is None or nearest.level is None or nearest.distance is None:
        yield ("no stop can be read yet", "warning")
        return
    level = fmt.price(nearest.level, item.instrument)
    room = fmt.unsigned_percent(nearest.distance)
    yield (f"armed {fmt.rule(nearest.rule)} {level}", "ok")
    yield (f" {room} away", "text")


def _database(replica: Replica, instrument: InstrumentId) -> str:
    """Return what journal and venue say of the quantity of an instrument."""
    for decision in replica.state.decisions.values():
        if decision.instrument == instrument and decision.matter not in ROOM:
            here, there = (fmt.quantity(q) for q in (decision.here, decision.there))
            return f"DB {here}, venue {there}"
    _, agrees = _venue(replica)
    held = [p for p in replica.state.positions.values() if p.instrument == instrument]
    qty = fmt.quantity(sum((p.side.sign * p.qty for p in held), start=held[0].qty * 0))
    return f"DB {qty}, venue {qty if agrees else '?'}"


def _gap(
    gap: Gap | None, absence: Absence, replica: Replica, width: int, *, is_over: bool
) -> Iterator[Line]:
    text, hue = "gap: looking back", "muted"
    if gap is None and absence.is_settled:
        return
    if gap is not None:
        text, hue = _told(gap, replica)
    if is_over and hue == "alert":
        hue = "warning"
    yield from wrapped_in(text, width, hue)


def _told(gap: Gap, replica: Replica) -> tuple[str, str]:
    length = fmt.duration(gap.until - gap.since)
    if gap.unknown:
        return f"gap of {length} UNKNOWN: {for_screen(gap.unknown, 160)}", "warning"
    if gap.since == gap.until:
        return "no gap: the recording stood still", "muted"
    if gap.finding is None:
        return f"gap of {length}: no rule would have fired ({gap.samples} prices)", "ok"
    instrument = replica.instrument(gap.instrument)
    if instrument is None:
        return f"gap: {fmt.words(gap.finding.reason.code)} would have fired", "alert"
    return sentence(gap.finding, instrument), "alert"


def _closed(trade: Trade, gap: Gap, replica: Replica, width: int) -> Iterator[Line]:
    instrument = replica.instrument(trade.instrument)
    money = fmt.signed_money(trade.pnl, trade.currency)
    line: Line = (
        (f"  {fmt.symbol(trade.instrument)} {fmt.standing(trade.side)} ", "muted"),
        (f"closed {fmt.clock(trade.exit_at, replica.zone)} ", "text"),
        (f"at {fmt.price(trade.exit, instrument)}: {fmt.words(trade.reason.code)}", "text"),
        (f"  {money}", "profit" if trade.pnl >= 0 else "loss"),
    )
    yield from flowed(line, width)
    yield from wrapped_in(_told(gap, replica)[0], width, "muted")


def _offer(decision: Decision, now: Nanos, *, is_chosen: bool) -> Iterator[Line]:
    """Yield what can be answered, a key each, and what happens if nobody does."""
    proposal = DEEDS.get(decision.proposal, decision.proposal.value)
    due = "waits for you"
    if decision.due_at is not None:
        left = max(0, decision.due_at - now) // SECOND
        due = f"{proposal} in {left} s"
    spans: list[Span] = [("    ", "text"), (f"{due}: ", "warning")]
    for choice in decision.choices:
        spans.append((f"{KEYS.get(choice, '?')} ", "key!" if is_chosen else "muted"))
        spans.append((f"{_deed(decision, choice)}  ", "text" if is_chosen else "muted"))
    yield tuple(spans)


def _deed(decision: Decision, choice: Choice) -> str:
    name = DEEDS.get(choice, choice.value)
    found = decision.gap
    if choice is Choice.BOOK and found is not None and found.first_tradable is not None:
        return f"{name} at {plain(found.first_tradable)}"
    return name


def wrapped_in(text: str, width: int, token: str) -> Iterator[Line]:
    """Yield `text` below a position."""
    for (part, hue), *_ in wrapped(text, width - 4, token):
        yield (("    ", "text"), (part, hue))


def _field(label: str, text: str, width: int, token: str) -> Iterator[Line]:
    """Yield `text` beside its label, on as many lines as it needs."""
    for part in wrapped(text, width - 11, token):
        yield labelled(label, *part)
        label = ""


def _s(count: int) -> str:
    return "" if count == 1 else "s"
