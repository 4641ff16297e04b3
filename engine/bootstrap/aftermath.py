"""What a live session does after a crash, or an orderly end with something open, beside watching:
looks back, asks, lets entries in again.

Positions are watched by their ordinary rules from the first tick on; nothing here delays that.
Entries stay out until all that was found is judged and decided, and prices and strategies are
seen to work (E-65). A recording stands still while nobody runs it: it has no gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from engine.bootstrap.feeds import Source
from engine.bootstrap.opening import paper_settings
from engine.bootstrap.options import LiveOptions
from engine.domain.decision import Choice
from engine.domain.event import EntriesBlocked, RecoverySettled
from engine.domain.gap import Absence, Gap
from engine.domain.ids import SECOND, Nanos
from engine.domain.inputs import GapSeen
from engine.domain.recovery import unsettled
from engine.domain.risk import RECOVERY
from engine.domain.session import Mode
from engine.domain.shadow import watched
from engine.domain.state import State
from engine.domain.strategy import Phase
from engine.ports.venue import GapUnknown
from engine.runtime.clock import ManualClock
from engine.runtime.engine import Engine
from engine.runtime.hindsight import Hindsight, Seen
from engine.runtime.logbook import Logbook
from engine.runtime.market_hours import MarketHours
from engine.venues.paper.venue import PaperVenue

FIRST_PRICE_SECONDS: Final = 3.0
"""Looking back waits so long for the market of now to begin, so that it is not in its way."""
LOOK_BACK_SECONDS: Final = 60.0
"""A gap that is not known by then is unknown."""
FLOW_SECONDS: Final = 20.0
"""So long prices and strategies have to come; then once more."""
ATTEMPTS: Final = 3
_STEP_S: Final = 0.1


class Aftermath:
    """One life's part in a recovery; `run` returns when it is settled."""

    def __init__(
        self, options: LiveOptions, engine: Engine, source: Source, logbook: Logbook
    ) -> None:
        self._options, self._engine = options, engine
        self._source, self._logbook = source, logbook
        self._clock = source.clock
        self._then = State()
        """As of the crash."""
        self._locked_at = Nanos(0)
        """From then on this life watches."""
        self.hours: Callable[[], MarketHours] = MarketHours
        """Whether a market trades now; set once the monitor knows."""
        self.connect_anew: Callable[[], None] = lambda: None
        """Begins the feed anew."""

    @property
    def absence(self) -> Absence | None:
        """What is still to be settled; None: nothing is."""
        absence = self._engine.state.absence
        return None if absence is None or absence.is_settled else absence

    async def lock(self) -> None:
        """Keep entries out until this is settled; remember what is to be judged."""
        absence = self.absence
        if absence is None:
            return
        if self._source.mode is Mode.REPLAY:
            await self._engine.settle(self._stood_still(absence))
            await self._engine.settle(RecoverySettled("the recording stood still meanwhile"))
            return
        held = f"{absence.positions} positions, {absence.orders} orders"
        what = "time without an engine after" if absence.was_stopped else "crash of"
        why = f"{what} session {absence.session} ({held}) is not settled yet"
        await self._engine.settle(EntriesBlocked(RECOVERY, why))
        self._then, self._locked_at = self._engine.state, self._clock.now()

    def _stood_still(self, absence: Absence) -> GapSeen:
        since = absence.since
        held = self._engine.state.positions.values()
        gaps = (Gap(position.id, position.instrument, since, since, 0) for position in held)
        return GapSeen(tuple(gaps), (), Choice.KEEP)

    async def run(self) -> None:
        """Look back at the gap, then wait until everything is settled."""
        absence = self.absence
        if absence is None:
            return
        if self._then.positions or watched(self._then.shadows):
            await self._first_price()
            seen = await self._look_back(absence)
            self._engine.submit(self._given(seen))
        await self._settle()

    async def _first_price(self) -> None:
        waited = 0.0
        while not self._engine.core.ticks and waited < FIRST_PRICE_SECONDS:
            await self._clock.sleep(_STEP_S)
            waited += _STEP_S

    async def _look_back(self, absence: Absence) -> Seen:
        """Return what the rules would have done meanwhile."""
        then, until = self._then, self._locked_at
        clock = ManualClock()
        cash = {currency: account.cash for currency, account in then.accounts.items()}
        venue = PaperVenue(clock, paper_settings(self._options, then, cash))
        for position in then.positions.values():
            venue.hold(position)
        hindsight = Hindsight(self._engine.core.catalog, then, venue, clock, absence.since)
        try:
            if self._source.history is None:
                raise GapUnknown(f"the feed {self._options.feed} tells nothing of the past")
            async with asyncio.timeout(LOOK_BACK_SECONDS):
                between = self._source.history.between
                wanted = hindsight.instruments
                async for items in between(hindsight.begins, until, wanted):
                    await hindsight.take(items)
                return await hindsight.seen(until)
        except GapUnknown as error:
            why = str(error)
        except TimeoutError:
            why = f"it was not told within {LOOK_BACK_SECONDS:g} s"
        except Exception as error:  # noqa: BLE001  whatever it was, it proves nothing
            why = f"{type(error).__name__}: {error}"[:200]
        held = then.positions.values()
        gaps = (Gap(p.id, p.instrument, absence.since, until, 0, unknown=why) for p in held)
        return Seen(tuple(gaps), ())

    def _given(self, seen: Seen) -> GapSeen:
        options, policy = self._options, self._options.recovery_gap
        asks = policy is None or options.is_attended
        due = Nanos(self._clock.now() + int(options.recovery_countdown_s * SECOND))
        return GapSeen(
            seen.gaps,
            seen.peaks,
            traded=seen.traded,
            shadows=seen.shadows,
            policy=policy or Choice.EXIT_NOW,
            due_at=due if asks and policy is not None else None,
            is_answered=not asks,
            can_book=True,
        )

    async def _settle(self) -> None:
        """Let entries in once nothing is left to decide and everything flows; try three times."""
        began, attempt, is_told = self._clock.monotonic(), 1, False
        while self.absence is not None:
            why = self._not_flowing()
            if not why and not self._unjudged() and not unsettled(self._engine.state):
                self._engine.submit(RecoverySettled(self._summary()))
            elif why and self._clock.monotonic() - began > FLOW_SECONDS * SECOND:
                began = self._clock.monotonic()
                if attempt < ATTEMPTS:
                    text = f"{why} for {FLOW_SECONDS:g} s, attempt {attempt} of {ATTEMPTS}"
                    self._logbook.log("warning", RECOVERY, f"{text}; connecting anew")
                    attempt += 1
                    self.connect_anew()
                elif not is_told:
                    is_told = True
                    self._alert(f"{why}, after {ATTEMPTS} attempts")
            await self._clock.sleep(_STEP_S)

    def _unjudged(self) -> bool:
        """Return whether something that was open has no judgement of its gap yet."""
        absence = self.absence
        judged = absence.gaps if absence is not None else {}
        return any(id_ not in judged for id_ in self._then.positions)

    def _alert(self, why: str) -> None:
        text = f"{why}: entries stay blocked until it does; open positions are watched"
        self._logbook.log("critical", RECOVERY, text)
        self._engine.submit(EntriesBlocked(RECOVERY, text))

    def _not_flowing(self) -> str:
        """Return what does not come that should; empty: everything does."""
        state, core, now = self._engine.state, self._engine.core, self._clock.now()
        for id_ in sorted({position.instrument for position in state.positions.values()}):
            quote, is_open = core.quotes.get(id_), self.hours().is_open
            is_new = quote is not None and quote.source != "journal"
            if not is_new and is_open(now, state.instruments[id_]):
                return f"no price of {id_} came"
        if not core.ticks and any(self.hours().is_open(now, i) for i in core.catalog.values()):
            return "no price came"
        starting = [r.name for r in state.strategies.values() if r.phase is Phase.STARTING]
        return f"strategy {', '.join(starting)} has not answered" if starting else ""

    def _summary(self) -> str:
        state = self._engine.state
        absence = state.absence
        judged = len(absence.gaps) if absence is not None else 0
        if not self._then.positions:
            return "nothing was open, prices flow"
        return f"{judged} positions looked back at, {len(state.positions)} watched, prices flow"
