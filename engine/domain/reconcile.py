"""Engine, database and venue held against each other (E-40 to E-49). Pure and deterministic.

A position is the sum of its fills, nothing else. So what fills prove is settled at once: fills
missed while away, executions of somebody else that lead exactly from what is open here to what is
open there, rows that the journal does not say, our own orders that nobody waits for. What rests on
the mere absence or presence of a quantity is looked at again in the next run, at least `PROOF`
later, and if it is still so a person decides (`engine.domain.questions`). An answer that failed, or
that knows none of our entries, proves nothing: an empty page is never "flat".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.adoption import is_bookable
from engine.domain.decision import Choice, Matter
from engine.domain.event import OrderFilled
from engine.domain.evidence import is_ours, net, news, proves
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.inputs import Proof
from engine.domain.money import ZERO, plain
from engine.domain.position import Position
from engine.domain.records import dataclass
from engine.domain.state import State
from engine.domain.truth import Execution, Failed, OpenOrder, OpenRow, VenueTruth

PROOF: Final = 5 * SECOND
"""Two answers that prove something are at least so far apart (N21)."""


@unique
class Found(Enum):
    """What a run found; the value is what records and counts call it."""

    GONE = "gone_at_venue"
    """E-42: open here, nothing at the venue."""
    ORPHAN_ROW = "orphan_row"
    """E-43: the database calls a position open that the journal does not."""
    EDITED_ROW = "edited_row"
    """E-40: the database says something else of an open position than the journal."""
    UNKNOWN_HERE = "unknown_here"
    """E-44: open at the venue, nothing here."""
    DIFFERS = "differs"
    """E-45: open at both, another size or side."""
    STRAY_ORDER = "stray_order"
    """E-46: an order works at the venue that belongs to nothing here."""
    MISSED_FILL = "missed_fill"
    """E-47: the venue executed an order and we did not hear of it."""
    UNREACHABLE = "unreachable"
    """E-48: no answer, or one that cannot be about this account."""


@unique
class Action(Enum):
    """What follows from a finding."""

    AGAIN = "looked at again"
    SETTLE = "settled"
    ASK = "asks a person"
    NOTHING = "nothing changed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, as it is recorded (E-49)."""

    what: Found
    action: Action
    subject: str
    """The trades, the order or the fill that it is about; for an unreachable venue the reason."""
    since: Nanos
    """Run that found it first, of those in a row."""
    instrument: InstrumentId | None = None
    here: Decimal = ZERO
    """Signed quantity by the journal."""
    there: Decimal = ZERO
    """Signed quantity at the venue."""
    row: str = ""
    """Status in the database, where it matters."""
    fills: tuple[Execution, ...] = ()
    """Executions that the journal does not have: they prove it, or part of it."""
    average: Decimal | None = None
    """Average price that the venue tells for what it has open."""

    @property
    def key(self) -> tuple[Found, str, InstrumentId | None, Decimal, Decimal]:
        """What makes it the same finding in the next run."""
        return self.what, self.subject, self.instrument, self.here, self.there

    def __str__(self) -> str:
        where = f" {self.instrument}" if self.instrument else ""
        sizes = f": {plain(self.here)} here, {plain(self.there)} at the venue"
        row = f", {self.row} in the database" if self.row else ""
        shown = "" if self.what is Found.UNREACHABLE else f"{sizes}{row}"
        return f"{self.what.value}{where} [{self.subject}]{shown}; {self.action.value}"


def findings(
    state: State,
    venue: VenueTruth | Failed,
    rows: Iterable[OpenRow] = (),
    previous: Iterable[Finding] = (),
    held: Collection[Position] | None = None,
) -> tuple[Finding, ...]:
    """Return every difference between the three; none: all match (E-41).

    `rows` are the open ones of the database, `held` what was open before they were read (None:
    they were not), `previous` what the run before this one returned.
    """
    if isinstance(venue, Failed):
        return (Finding(Found.UNREACHABLE, Action.NOTHING, venue.why, venue.at),)
    missed = tuple(missed_fills(state, venue))
    sizes = tuple(_sizes(state, venue, missed))
    if sizes and not _is_about_us(state, venue):
        why = "the answer knows none of our entries: empty, or another account's"
        return (Finding(Found.UNREACHABLE, Action.NOTHING, why, venue.at),)
    before = {finding.key: finding for finding in previous}
    open_rows = tuple(rows)
    edited = _edited_rows(state, venue, open_rows, held or ())
    doubtful = (*sizes, *_stray_orders(state, venue), *edited)
    known = {position.id for position in held or ()}
    return (
        *(_missed(state, venue, one) for one in missed),
        *(_judged(finding, before.get(finding.key), state) for finding in doubtful),
        *_orphan_rows(state, venue, (row for row in open_rows if row.position not in known)),
    )


def missed_fills(state: State, venue: VenueTruth) -> Iterator[Execution]:
    """Yield, in the venue's order, the executions of our working orders that we did not hear of."""
    taken: dict[OrderId, Decimal] = {}
    seen = {fill for working in state.orders.values() for fill in working.fills}
    for execution in venue.fills:
        fill = execution.fill
        working = state.orders.get(fill.order)
        if working is None or fill.id in seen or fill.id in state.adopted:
            continue
        seen.add(fill.id)
        sum_ = taken.get(fill.order, ZERO) + fill.qty
        if sum_ <= working.remaining:  # more than we ordered is a difference, not a fill of ours
            taken[fill.order] = sum_
            yield execution


def reports(found: Iterable[Finding]) -> tuple[OrderFilled, ...]:
    """Return the missed fills as the venue would have reported them."""
    return tuple(
        OrderFilled(execution.fill)
        for finding in found
        if finding.what is Found.MISSED_FILL
        for execution in finding.fills
    )


def proofs(found: Iterable[Finding]) -> tuple[Proof, ...]:
    """Return what the fills of others prove, to be booked."""
    return tuple(
        Proof(finding.instrument, finding.here, finding.there, finding.fills)
        for finding in found
        if finding.what in {Found.GONE, Found.DIFFERS}
        and finding.action is Action.SETTLE
        and finding.instrument is not None
    )


def _sizes(state: State, venue: VenueTruth, missed: tuple[Execution, ...]) -> Iterator[Finding]:
    """Yield where the quantities differ although everything missed is counted in."""
    here = net(state)
    for execution in missed:
        here[execution.instrument] = here.get(execution.instrument, ZERO) + execution.signed
    for instrument in sorted({*here, *venue.positions}):
        ours = here.get(instrument, ZERO)
        theirs = venue.positions.get(instrument, ZERO)
        if ours == theirs:
            continue
        what = Found.DIFFERS
        if not theirs:
            what = Found.GONE
        elif not ours:
            what = Found.UNKNOWN_HERE
        held = sorted(p.id for p in state.positions.values() if p.instrument == instrument)
        yield Finding(
            what,
            Action.AGAIN,
            ", ".join(held) or "no trade",
            venue.at,
            instrument,
            ours,
            theirs,
            fills=news(state, venue.fills, instrument),
            average=venue.averages.get(instrument),
        )


def _is_about_us(state: State, venue: VenueTruth) -> bool:
    """Return whether the answer shows something of ours: an entry's fill, or a quantity of an
    instrument that we hold (what was carried into this session has its fills in an older one).
    """
    held = {position.instrument for position in state.positions.values()}
    if not held or any(venue.positions.get(instrument) for instrument in held):
        return True
    entries = {OrderId(position.id) for position in state.positions.values()}
    return any(e.fill.order in entries or e.fill.id in state.adopted for e in venue.fills)


def _stray_orders(state: State, venue: VenueTruth) -> Iterator[Finding]:
    for order in venue.orders:
        if order.id not in state.orders:
            yield _stray(order, venue.at)


def _stray(order: OpenOrder, at: Nanos) -> Finding:
    there = order.side.sign * order.qty
    return Finding(Found.STRAY_ORDER, Action.AGAIN, order.id, at, order.instrument, ZERO, there)


def _judged(finding: Finding, before: Finding | None, state: State) -> Finding:
    """Return `finding` with what follows, now that the last run may have found it too."""
    if _is_explained(finding, state):
        return replace(finding, action=Action.SETTLE)
    if before is None:
        return finding
    action = Action.AGAIN
    if finding.since - before.since >= PROOF:
        is_ours_to_do = finding.what is Found.EDITED_ROW or _is_cancelled(finding, state)
        action = Action.SETTLE if is_ours_to_do else Action.ASK
    return replace(finding, action=action, since=before.since)


def _is_explained(finding: Finding, state: State) -> bool:
    """Return whether fills alone lead from what is open here to what is open there.

    What nothing here opened is asked about all the same: nobody wanted it yet.
    """
    instrument = finding.instrument
    if finding.what not in {Found.GONE, Found.DIFFERS} or instrument is None:
        return False
    if not all(is_bookable(state, execution) for execution in finding.fills):
        return False
    return proves(finding.fills, finding.here, finding.there)


def _is_cancelled(finding: Finding, state: State) -> bool:
    """Return whether a stray order is to be cancelled: it is ours, or a person said so."""
    if finding.what is not Found.STRAY_ORDER:
        return False
    return is_ours(state, OrderId(finding.subject)) or any(
        answer.choice is Choice.CANCEL
        and answer.decision.matter is Matter.STRAY_ORDER
        and answer.decision.subject == finding.subject
        for answer in state.answers.values()
    )


def _missed(state: State, venue: VenueTruth, execution: Execution) -> Finding:
    instrument = execution.instrument
    return Finding(
        Found.MISSED_FILL,
        Action.SETTLE,
        execution.fill.id,
        venue.at,
        instrument,
        net(state).get(instrument, ZERO),
        venue.positions.get(instrument, ZERO),
        fills=(execution,),
    )


def _orphan_rows(state: State, venue: VenueTruth, rows: Iterable[OpenRow]) -> Iterator[Finding]:
    """Yield the rows that the journal does not say; it is complete, so one look is proof."""
    for row in rows:
        if row.position not in state.positions:
            finding = _of_row(state, venue, row.position, row.instrument, row)
            yield replace(finding, what=Found.ORPHAN_ROW, action=Action.SETTLE)


def _edited_rows(
    state: State, venue: VenueTruth, rows: Iterable[OpenRow], held: Iterable[Position]
) -> Iterator[Finding]:
    """Yield the open positions whose row is not theirs; a commit under way may be the reason."""
    said = {row.position: row for row in rows}
    for position in held:
        row = said.get(position.id)
        if state.positions.get(position.id) is not position:
            continue  # it changed while its row was read
        if row is None or (row.side, row.qty) != (position.side.value, plain(position.qty)):
            yield _of_row(state, venue, position.id, position.instrument, row)


def _of_row(
    state: State, venue: VenueTruth, id_: PositionId, name: InstrumentId, row: OpenRow | None
) -> Finding:
    here, there = net(state).get(name, ZERO), venue.positions.get(name, ZERO)
    text = f"active, {row.side} {row.qty}" if row else "not active"
    return Finding(Found.EDITED_ROW, Action.AGAIN, id_, venue.at, name, here, there, row=text)
