"""Looking back at a gap says what the engine would have done, had it lived (E-63)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.command import SubmitSignal
from engine.domain.event import Entry, OrderFilled, OrderRequested
from engine.domain.gap import GapFinding
from engine.domain.ids import CommandId, InstrumentId, Nanos, OrderId, PositionId
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.state import State
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.hindsight import Hindsight, Seen
from engine.runtime.replayer import Replayer
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from tests.builders import BTC, CATALOG, INR, NIFTY, SECOND, USDC, session, signal

BEGIN = Nanos(1_764_000_000 * SECOND)
RULES = (
    InitialStop(),
    TrailingStop(),
    VwapStop(),
    OpenInterestStop(),
    TakeProfit(Decimal("0.35")),
    EndOfDay(),
    TimeStop(1),
)
CASH = {INR: Decimal(100_000), USDC: Decimal(100_000)}
HELD = ((NIFTY, Side.BUY, "75"), (BTC, Side.SELL, "0.1"), (BTC, Side.BUY, "0.2"))


@dataclass
class Life:
    """An engine that watches ticks on paper, as the live one does: every second passes."""

    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = ManualClock(BEGIN)
        self.venue = PaperVenue(self.clock, PaperSettings(cash=CASH, leverage=Decimal(1)))
        self.core = Core(CATALOG)
        self.replayer = Replayer(self.core, self.venue, self.clock, MemoryJournal())
        self.replayer.watch(lambda entry, _state: self.entries.append(entry))

    def begin(self, limits: Limits) -> None:
        self.replayer.give(session(rules=RULES, limits=limits))
        self.replayer.settle()

    def pass_until(self, at: Nanos) -> None:
        while self.clock.now() // SECOND < at // SECOND:
            self.replayer.pass_until(self.clock.now())
            self.clock.set(Nanos((self.clock.now() // SECOND + 1) * SECOND))
            self.replayer.pass_until(self.clock.now())

    def take(self, tick: Tick) -> None:
        self.pass_until(tick.at)
        self.replayer.take(tick)

    def buy(self, number: int) -> None:
        instrument, side, size = HELD[number]
        wish = signal(f"s{number}", instrument, side, size, self.clock.now())
        if instrument in self.core.quotes:
            self.replayer.give(SubmitSignal(CommandId(f"c{number}"), wish))
            self.replayer.settle()


@st.composite
def markets(draw: st.DrawFn) -> list[Tick]:
    """Return ticks of two instruments, each at a time of its own."""
    prices = {NIFTY: Decimal(100), BTC: Decimal(90_000)}
    oi = Decimal(1000)
    at, ticks = int(BEGIN), []
    for _ in range(draw(st.integers(4, 60))):
        at += draw(st.integers(1, 5)) * draw(st.sampled_from((10**7, 10**9, 7 * 10**9)))
        id_: InstrumentId = draw(st.sampled_from((NIFTY, BTC)))
        size = CATALOG[id_].tick_size
        move = Decimal(draw(st.integers(-120, 120))) / 1000
        prices[id_] = max(size, prices[id_] * (1 + move) // size * size)
        oi += draw(st.integers(-20, 40))
        last = prices[id_]
        is_quoted = draw(st.booleans())
        ticks.append(
            Tick(
                id_,
                Price(last),
                Nanos(at),
                volume=Decimal(draw(st.integers(0, 5)) * 75),
                oi=oi if id_ == NIFTY else None,
                bid=max(size, last - size) if is_quoted else None,
                ask=last + size if is_quoted else None,
            )
        )
    return ticks


def exits(entries: list[Entry], of: State) -> dict[PositionId, tuple[object, ...]]:
    """Return of each position that `of` has open how its first exit came and what it got."""
    orders: dict[OrderId, PositionId] = {}
    found: dict[PositionId, tuple[object, ...]] = {}
    for entry in entries:
        match entry.event:
            case OrderRequested(order=order) if order.exit and order.position in of.positions:
                if order.position not in found:
                    orders[order.id] = order.position
                    found[order.position] = (entry.at, order.exit, order.reference)
            case OrderFilled(fill=fill) if fill.order in orders:
                found[orders.pop(fill.order)] += (fill.price, fill.at)
            case _:
                continue
    return found


def told(finding: GapFinding) -> tuple[object, ...]:
    first: tuple[object, ...] = (finding.fired_at, finding.reason, finding.price)
    if finding.first_tradable is not None:
        first += (finding.first_tradable, finding.first_tradable_at)
    return first


def look_back(then: State, since: Nanos, ticks: list[Tick], until: Nanos) -> Seen:
    clock = ManualClock()
    cash = {currency: account.cash for currency, account in then.accounts.items()}
    venue = PaperVenue(clock, PaperSettings(cash=cash, leverage=Decimal(1)))
    for position in then.positions.values():
        venue.hold(position)
    hindsight = Hindsight(CATALOG, then, venue, clock, since)
    begins = hindsight.begins

    async def judged() -> Seen:
        await hindsight.take(tick for tick in ticks if begins < tick.at <= until)
        return await hindsight.seen(until)

    return asyncio.run(judged())


@settings(max_examples=150, deadline=None)
@given(
    ticks=markets(),
    entered=st.tuples(st.integers(1, 15), st.integers(1, 15), st.integers(1, 15)),
    lived=st.integers(2, 40),
    loss=st.sampled_from((None, Decimal(800), Decimal(4000))),
)
def test_the_judgement_of_a_gap_is_what_the_engine_would_have_done(
    ticks: list[Tick], entered: tuple[int, int, int], lived: int, loss: Decimal | None
) -> None:
    lived = min(lived, len(ticks) - 1)
    life = Life()
    life.begin(Limits(daily_loss=loss))
    for number, tick in enumerate(ticks[:lived], start=1):
        life.take(tick)
        for index, when in enumerate(entered):
            if when == number:
                life.buy(index)
    then, died = life.core.state, len(life.entries)
    since, until = life.entries[-1].at, Nanos(ticks[-1].at + 200 * SECOND)
    for tick in ticks[lived:]:
        life.take(tick)
    life.pass_until(until)
    seen = look_back(then, since, ticks, until)
    findings = {gap.position: told(gap.finding) for gap in seen.gaps if gap.finding is not None}
    assert findings == exits(life.entries[died:], then)
    assert {gap.position for gap in seen.gaps} == set(then.positions)


def test_the_engine_that_lived_did_exit_in_many_ways() -> None:
    """The property would hold of nothing, too: a market that falls, rises and stands still."""
    reasons: set[str] = set()
    for prices in (("100", "74"), ("100", "120", "100"), ("100", "140"), ("100", "99")):
        ticks = [
            Tick(NIFTY, Price(Decimal(p)), Nanos(BEGIN + (n + 1) * SECOND), Decimal(75))
            for n, p in enumerate(prices)
        ]
        life = Life()
        life.begin(Limits())
        life.take(ticks[0])
        life.buy(0)
        then = life.core.state
        until = Nanos(ticks[-1].at + 200 * SECOND)
        seen = look_back(then, life.entries[-1].at, ticks, until)
        (gap,) = seen.gaps
        assert gap.finding is not None
        reasons.add(gap.finding.reason.code)
    assert reasons == {"stop_loss_hit", "trailing_stop_hit", "take_profit_hit", "time_stop"}
