"""The band fires the same exits, tick for tick, as asking every rule of every position."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.event import StopFired
from engine.domain.exits import judge
from engine.domain.ids import Nanos, PositionId
from engine.domain.market import Quote, Tick, observe
from engine.domain.money import Price, price
from engine.domain.order import Side
from engine.domain.position import Position
from engine.domain.stop import ExitRule, View
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.time_stop import TimeStop
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop
from tests.builders import NIFTY, PUT_25900, SECOND, Desk, session


def rules(activation: str, trail: str, minutes: int) -> tuple[ExitRule, ...]:
    return (
        InitialStop(Decimal("0.05")),
        TrailingStop(Decimal(activation), Decimal(trail)),
        VwapStop(Decimal("0.01")),
        OpenInterestStop(Decimal("0.10")),
        TakeProfit(Decimal("0.08")),
        EndOfDay(),
        TimeStop(minutes),
    )


RULES = st.sampled_from(
    [rules("0.02", "0.02", 3), rules("0.004", "0.03", 20), rules("0", "0.01", 60)]
)


@dataclass
class Held:
    position: Position
    peak: Price


class Naive:
    """Asks every rule of every position on every tick: slow, and obviously right."""

    def __init__(self, rules: tuple[ExitRule, ...]) -> None:
        self.rules = rules
        self.quotes: dict[str, Quote] = {}
        self.held: dict[PositionId, Held] = {}
        self.exits: list[tuple[PositionId, str, tuple[str, ...], Nanos]] = []

    def tick(self, given: Tick) -> None:
        quote = observe(self.quotes, given, None)  # type: ignore[arg-type]
        for id_, held in list(self.held.items()):
            best = max if held.position.side is Side.BUY else min
            held.peak = best(held.peak, given.price)
            view = View(held.position, PUT_25900, quote, given.at, held.peak)
            verdict = judge(self.rules, view)
            if verdict is not None:
                self.exits.append((id_, verdict.rule.reason, verdict.also, given.at))
                del self.held[id_]


STEPS = st.lists(
    st.tuples(
        st.integers(-12, 12),  # price step in ticks of 0.05
        st.integers(0, 5),  # volume
        st.sampled_from([None, None, 1000, 1050, 1100, 1200]),  # open interest
        st.sampled_from(["", "", "", "buy", "sell"]),  # enter after this tick
        st.integers(1, 40),  # seconds
    ),
    min_size=5,
    max_size=120,
)


@given(steps=STEPS, rules=RULES)
@settings(max_examples=400, deadline=None)
def test_exits_equal_the_naive_reference(
    steps: list[tuple[int, int, int | None, str, int]], rules: tuple[ExitRule, ...]
) -> None:
    desk, naive = Desk().start(session(cash="100000000", rules=rules)), Naive(rules)
    ticks, at = 600, 0
    for n, (step, volume, oi, enter, seconds) in enumerate(steps):
        ticks, at = max(20, ticks + step), at + seconds * SECOND
        made = Tick(
            NIFTY,
            price(Decimal(ticks) * Decimal("0.05")),
            Nanos(at),
            volume=Decimal(volume),
            oi=None if oi is None else Decimal(oi),
        )
        desk.tick(made)
        naive.tick(made)
        if enter:
            position = desk.open(f"s{n}", side=Side(enter))
            naive.held[position.id] = Held(position, position.entry)
    fired = [
        (e.event.position, e.event.reason.code, e.event.reason.also_fired, e.at)
        for e in desk.entries
        if isinstance(e.event, StopFired)
    ]
    assert sorted(fired) == sorted(naive.exits)
    assert set(desk.state.positions) == set(naive.held)
    for id_, held in naive.held.items():
        core = desk.core
        view = core.guard.view(desk.state.positions[id_], core.state, core.quotes)
        assert view.peak == held.peak
