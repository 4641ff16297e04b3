"""Holds engine, database and venue against each other, again and again, and acts on the proven.

A run never closes a position on its own word and never waits longer than the venue is given. What
it settles goes through the inbox like everything: a missed fill is reported like any fill, fills of
others are handed over as proof, an order is cancelled like any order. What needs a person becomes a
decision and blocks entries on its instrument, with the finding as the reason; exits never ask.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

from engine.domain import operator
from engine.domain.decision import RECONCILED, Decision
from engine.domain.entries import VENUE_BLOCK
from engine.domain.event import (
    CommandAccepted,
    DecisionAsked,
    DecisionTaken,
    DecisionWithdrawn,
    EntriesAllowed,
    EntriesBlocked,
    Entry,
    FeedChanged,
)
from engine.domain.ids import SECOND, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.inputs import Listing, Reported
from engine.domain.questions import MATTERS, Policy, is_about, question
from engine.domain.reconcile import PROOF, Action, Finding, Found, findings, proofs, reports
from engine.domain.state import State
from engine.domain.truth import Failed, OpenRow, VenueTruth
from engine.domain.vitals import ReconcileVitals
from engine.ports.clock import Clock
from engine.ports.journal import JournalError
from engine.ports.tables import Tables
from engine.ports.venue import Accountant, Venue
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.runtime.reconcile_log import SOURCE, ReconcileLog
from engine.runtime.sensors import Sensors

ANSWER_SECONDS: Final = 10.0
"""A venue that has not answered by then has not answered."""
LOOK_BACK: Final = 5 * SECOND
"""Fills are asked for from so long before the oldest entry, and before all last agreed: clocks
differ, orders take time."""
_SIZES: Final = frozenset({Found.GONE, Found.UNKNOWN_HERE, Found.DIFFERS})
_ROWS: Final = frozenset({Found.ORPHAN_ROW, Found.EDITED_ROW})
_STEP_S: Final = 0.25


class Books(Venue, Accountant, Protocol):
    """A venue that can be asked for its account."""


class Reconciler:
    """`begin` once before the session begins, then `run` beside it."""

    def __init__(
        self,
        engine: Engine,
        venue: Books,
        clock: Clock,
        logbook: Logbook,
        tables: Tables | None = None,
        policy: Policy = Policy(),
    ) -> None:
        self._engine, self._venue, self._clock = engine, venue, clock
        self._logbook, self._tables, self._policy = logbook, tables, policy
        self._log = ReconcileLog(logbook)
        self._is_wanted = self._is_asked = False
        self._every_s = 60.0
        self.found: tuple[Finding, ...] = ()
        """What the newest run found."""
        self._agreed_at: Nanos | None = None
        """When all quantities were last the same: what differs now was traded since."""
        self.good_at: Nanos | None = None
        """When the venue last answered."""
        self.runs = 0

    async def begin(self, sensors: Sensors) -> None:
        """Listen to the engine, tell health what is found, and reconcile for the first time."""
        self._engine.subscribe(self.on_entry)
        sensors.reconciled = self.vitals
        await self.reconcile()

    def vitals(self, now: Nanos) -> ReconcileVitals:
        """Return how well the three agree, for health."""
        failed = [f.subject for f in self.found if f.what is Found.UNREACHABLE]
        left = _left(self._engine.state)
        asking = [f for f in self.found if f.action is Action.ASK]
        return ReconcileVitals(
            runs=self.runs,
            age_s=None if self.good_at is None else max(0, now - self.good_at) / SECOND,
            every_s=self._every_s,
            asking=tuple(str(f) for f in asking if not any(is_about(d, f) for d in left)),
            left=tuple(decision.text for decision in left),
            outcomes=self._log.outcomes,
            found=sum(self.counts.values()),
            why=failed[0] if failed else "no run since",
        )

    @property
    def counts(self) -> Counter[Found]:
        """How often each kind was found anew."""
        return self._log.counts

    def on_entry(self, entry: Entry, state: State) -> None:
        """Reconcile at once on command and when prices flow again; an engine's entry listener."""
        match entry.event:
            case CommandAccepted(text=operator.RECONCILE):
                self._is_asked = True
                self.want()
            case FeedChanged(is_up=True) | DecisionTaken():
                self.want()
            case _:
                return

    def want(self) -> None:
        """Let the next run begin now."""
        self._is_wanted = True

    async def run(self, every_s: float) -> None:
        """Reconcile for ever: every `every_s` seconds, sooner when asked or in doubt."""
        self._every_s = every_s
        while True:
            waited = 0.0
            while waited < self._pause(every_s) and not self._is_wanted:
                await self._clock.sleep(_STEP_S)
                waited += _STEP_S
            await self.reconcile()

    def _pause(self, every_s: float) -> float:
        in_doubt = any(f.action in {Action.AGAIN, Action.NOTHING} for f in self.found)
        return min(every_s, PROOF / SECOND) if in_doubt else every_s

    async def reconcile(self) -> tuple[Finding, ...]:
        """Ask, compare, settle what is proven, and return what was found."""
        self._is_wanted, is_asked = False, self._is_asked
        self._is_asked = False
        # A position that closes while its row is read is no orphan: it was open before.
        held = tuple(self._engine.state.positions.values())
        rows = await self._rows()
        truth = await self._ask(self._engine.state)
        before, state = self.found, self._engine.state
        self.found = findings(state, truth, rows or (), before, None if rows is None else held)
        self.runs += 1
        asked: list[str] = []
        if not any(finding.what is Found.UNREACHABLE for finding in self.found):
            self.good_at = truth.at
            if not any(finding.what in _SIZES for finding in self.found):
                self._agreed_at = truth.at
            self._block(state)
            asked = self._ask_about(state)
        self._log.tell(self.found, before, is_whole=is_asked)
        if is_asked:
            self._log.sum_up(self.found, asked, self.runs)
        await self._settle()
        return self.found

    async def _rows(self) -> list[OpenRow] | None:
        """Return the open rows; None: they cannot be read."""
        if self._tables is None or not self._engine.is_persisted:
            return None
        try:
            return await self._tables.open_rows()
        except (JournalError, OSError) as error:
            self._logbook.log("warning", SOURCE, f"the tables cannot be read: {error}")
            return None

    async def _ask(self, state: State) -> VenueTruth | Failed:
        now = self._clock.now()
        begun = [position.opened_at for position in state.positions.values()]
        begun += [working.requested_at for working in state.orders.values()]
        begun.append(self._agreed_at or (state.session.started_at if state.session else now))
        since = Nanos(max(0, min(begun) - LOOK_BACK))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._venue.account_truth(since)
        except TimeoutError:
            return Failed(now, f"no answer within {ANSWER_SECONDS:g} s")
        except Exception as error:  # noqa: BLE001  whatever it was, it proves nothing
            return Failed(now, f"{type(error).__name__}: {error}"[:200])

    def _block(self, state: State) -> None:
        """Block entries on what a person must look at; allow them where all is well again."""
        doubted = {finding.instrument for finding in self.found if finding.what in MATTERS}
        for source in state.blocks:
            id_ = InstrumentId(source.removeprefix(VENUE_BLOCK))
            if source.startswith(VENUE_BLOCK) and id_ not in doubted:
                self._engine.submit(EntriesAllowed(source))
        for finding in self.found:
            if finding.action is Action.ASK:
                source = f"{VENUE_BLOCK}{finding.instrument}"
                self._engine.submit(EntriesBlocked(source, str(finding)))

    def _ask_about(self, state: State) -> list[str]:
        """Withdraw what is so no more, ask what is not asked yet; return the ids of the new."""
        new: list[str] = []
        standing = [*state.decisions.values(), *_left(state)]
        for decision in standing:
            is_here = any(is_about(decision, finding) for finding in self.found)
            if decision.matter in RECONCILED and not is_here:
                why = "the venue and the engine agree again, or differ otherwise"
                self._engine.submit(DecisionWithdrawn(decision.id, why))
        for finding in self.found:
            if finding.action is not Action.ASK:
                continue
            if any(is_about(decision, finding) for decision in standing):
                continue
            terms = self._engine.core.catalog.get(finding.instrument or InstrumentId(""))
            if terms is not None:
                self._engine.submit(Listing(terms))
            decision = question(finding, self._policy, self._clock.now())
            self._engine.submit(DecisionAsked(decision))
            new.append(decision.id)
        return new

    async def _settle(self) -> None:
        for report in reports(self.found):
            self._engine.submit(Reported(report))
        for proof in proofs(self.found):
            self._engine.submit(proof)
        settled = [finding for finding in self.found if finding.action is Action.SETTLE]
        for finding in settled:
            if finding.what is Found.STRAY_ORDER:
                await self._cancel(OrderId(finding.subject))
        await self._mend(PositionId(f.subject) for f in settled if f.what in _ROWS)

    async def _cancel(self, order: OrderId) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._venue.cancel(order)
        except Exception as error:  # noqa: BLE001  it is found again and tried again
            text = f"stray order {order} could not be cancelled: {type(error).__name__}: {error}"
            self._logbook.log("warning", SOURCE, text)

    async def _mend(self, orphans: Iterable[PositionId]) -> None:
        wanted = tuple(orphans)
        if self._tables is None or not wanted:
            return
        try:
            done = await self._tables.mend(wanted)
        except (JournalError, OSError) as error:
            done = [f"rows could not be put right: {error}"]
        for line in done:
            self._logbook.log("warning", SOURCE, line)


def _left(state: State) -> list[Decision]:
    """Return what was answered and may still be so: left as it is, or being cancelled."""
    return [answer.decision for answer in state.answers.values() if answer.stands]
