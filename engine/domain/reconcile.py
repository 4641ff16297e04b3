"""Engine, database and venue held against each other (E-40 to E-49). Pure and deterministic.

A position is the sum of its fills, nothing else. So what fills prove is settled at once: fills
missed while away, rows that the journal does not say, our own orders that nobody waits for. What
rests on the mere absence or presence of a quantity is looked at again in the next run, at least
`PROOF` later, and if it is still so a person decides. An answer that failed, or that knows none of
our entries, proves nothing: an empty page is never "flat".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.event import OrderFilled
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId
from engine.domain.money import ZERO, plain
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
    """Executions that prove it."""

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
) -> tuple[Finding, ...]:
    """Return every difference between the three; none: all match (E-41).

    `rows` are the open ones of the database, `previous` what the run before this one returned.
    """
    if isinstance(venue, Failed):
        return (Finding(Found.UNREACHABLE, Action.NOTHING, venue.why, venue.at),)
    missed = tuple(missed_fills(state, venue))
    sizes = tuple(_sizes(state, venue, missed))
    if sizes and not _is_about_us(state, venue):
        why = "the answer knows none of our entries: empty, or another account's"
        return (Finding(Found.UNREACHABLE, Action.NOTHING, why, venue.at),)
    before = {finding.key: finding for finding in previous}
    doubtful = (*sizes, *_stray_orders(state, venue))
    return (
        *(_missed(state, venue, one) for one in missed),
        *(_again(finding, before.get(finding.key), state) for finding in doubtful),
        *_orphan_rows(state, venue, rows),
    )


def missed_fills(state: State, venue: VenueTruth) -> Iterator[Execution]:
    """Yield, in the venue's order, the executions of our working orders that we did not hear of."""
    taken: dict[OrderId, Decimal] = {}
    seen = {fill for working in state.orders.values() for fill in working.fills}
    for execution in venue.fills:
        fill = execution.fill
        working = state.orders.get(fill.order)
        if working is None or fill.id in seen:
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


def is_ours(state: State, order: OrderId) -> bool:
    """Return whether this session made `order`."""
    return state.session is not None and order.startswith(f"{state.session.id}-")


def _net(state: State) -> dict[InstrumentId, Decimal]:
    sums: dict[InstrumentId, Decimal] = {}
    for position in state.positions.values():
        qty = position.side.sign * position.qty
        sums[position.instrument] = sums.get(position.instrument, ZERO) + qty
    return sums


def _sizes(state: State, venue: VenueTruth, missed: tuple[Execution, ...]) -> Iterator[Finding]:
    """Yield where the quantities differ although everything missed is counted in."""
    here = _net(state)
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
        foreign = tuple(
            e
            for e in venue.fills
            if e.instrument == instrument and not is_ours(state, e.fill.order)
        )
        subject = ", ".join(held) or "no trade"
        yield Finding(
            what, Action.AGAIN, subject, venue.at, instrument, ours, theirs, fills=foreign
        )


def _is_about_us(state: State, venue: VenueTruth) -> bool:
    """Return whether the answer shows something of ours: an entry's fill, or a quantity of an
    instrument that we hold (what was carried into this session has its fills in an older one).
    """
    held = {position.instrument for position in state.positions.values()}
    if not held or any(venue.positions.get(instrument) for instrument in held):
        return True
    entries = {OrderId(position.id) for position in state.positions.values()}
    return any(execution.fill.order in entries for execution in venue.fills)


def _stray_orders(state: State, venue: VenueTruth) -> Iterator[Finding]:
    for order in venue.orders:
        if order.id not in state.orders:
            yield _stray(order, venue.at)


def _stray(order: OpenOrder, at: Nanos) -> Finding:
    there = order.side.sign * order.qty
    return Finding(Found.STRAY_ORDER, Action.AGAIN, order.id, at, order.instrument, ZERO, there)


def _again(finding: Finding, before: Finding | None, state: State) -> Finding:
    """Return `finding` with what follows, now that the last run may have found it too."""
    if before is None:
        return finding
    is_proven = finding.since - before.since >= PROOF
    action = Action.AGAIN
    if is_proven:
        is_mine = finding.what is Found.STRAY_ORDER and is_ours(state, OrderId(finding.subject))
        action = Action.SETTLE if is_mine else Action.ASK
    return Finding(
        finding.what,
        action,
        finding.subject,
        before.since,
        finding.instrument,
        finding.here,
        finding.there,
        finding.row,
        finding.fills,
    )


def _missed(state: State, venue: VenueTruth, execution: Execution) -> Finding:
    instrument = execution.instrument
    return Finding(
        Found.MISSED_FILL,
        Action.SETTLE,
        execution.fill.id,
        venue.at,
        instrument,
        _net(state).get(instrument, ZERO),
        venue.positions.get(instrument, ZERO),
        fills=(execution,),
    )


def _orphan_rows(state: State, venue: VenueTruth, rows: Iterable[OpenRow]) -> Iterator[Finding]:
    """Yield the rows that the journal does not say; it is complete, so one look is proof."""
    here = _net(state)
    for row in rows:
        if row.position not in state.positions:
            yield Finding(
                Found.ORPHAN_ROW,
                Action.SETTLE,
                row.position,
                venue.at,
                row.instrument,
                here.get(row.instrument, ZERO),
                venue.positions.get(row.instrument, ZERO),
                row=f"active, {row.side} {row.qty}",
            )
