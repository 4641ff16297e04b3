"""Shadows end, tick for tick, where asking every rule of the untouched position would end them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.event import OrderRequested, ShadowEnded
from engine.domain.exits import judge
from engine.domain.ids import CommandId, Nanos, PositionId
from engine.domain.market import Quote, Tick, observe
from engine.domain.money import Price, Qty, price
from engine.domain.order import Side
from engine.domain.position import Position
from engine.domain.stop import ExitRule, View
from tests.builders import NIFTY, PUT_25900, SECOND, Desk, session
from tests.property.test_band_equals_naive import RULES


@dataclass
class Held:
    position: Position
    peak: Price


End = tuple[str, str, tuple[str, ...], Nanos, Price | None, Decimal | None]


class Untouched:
    """Keeps every position as it was when a person touched it, and asks every rule each tick."""

    def __init__(self, rules: tuple[ExitRule, ...]) -> None:
        self.rules = rules
        self.quotes: dict[str, Quote] = {}
        self.peaks: dict[PositionId, Price] = {}
        self.sides: dict[PositionId, Side] = {}
        self.shadows: dict[str, Held] = {}
        self.ends: list[End] = []

    def tick(self, given: Tick) -> None:
        quote = observe(self.quotes, given, None)  # type: ignore[arg-type]
        for id_, side in self.sides.items():
            self.peaks[id_] = _better(side, self.peaks[id_], given.price)
        for name, held in list(self.shadows.items()):
            held.peak = _better(held.position.side, held.peak, given.price)
            verdict = judge(self.rules, View(held.position, PUT_25900, quote, given.at, held.peak))
            if verdict is not None:
                pnl = held.position.pnl(given.price, PUT_25900)
                end = (verdict.rule.reason, verdict.also, given.at, given.price, pnl)
                self.ends.append((name, *end))
                del self.shadows[name]


def _better(side: Side, one: Price, other: Price) -> Price:
    return max(one, other) if side is Side.BUY else min(one, other)


STEPS = st.lists(
    st.tuples(
        st.integers(-12, 12),  # price step in ticks of 0.05
        st.integers(0, 5),  # volume
        st.sampled_from([None, None, 1000, 1050, 1100, 1200]),  # open interest
        st.sampled_from(["", "", "buy", "sell", "close", "close", "trim", "restop", "off"]),
        st.integers(1, 40),  # seconds
        st.integers(0, 5),  # which position
    ),
    min_size=5,
    max_size=120,
)


class Hands:
    """A person who enters, closes, trims and moves stops on a desk, and what that leaves."""

    def __init__(self, rules: tuple[ExitRule, ...]) -> None:
        self.desk = Desk().start(session(cash="100000000", rules=rules))
        self.naive = Untouched(rules)

    def act(self, deed: str, which: int, n: int) -> None:
        desk, naive = self.desk, self.naive
        if deed in {"buy", "sell"}:
            made = desk.open(f"s{n}", side=Side(deed), size="150")
            naive.peaks[made.id], naive.sides[made.id] = made.entry, made.side
            return
        known = list(desk.state.positions.values())
        if not deed or not known:
            return
        was = known[which % len(known)]
        command = CommandId(f"c{n}")
        size = was.qty
        if deed in {"close", "trim"}:
            size = Qty(Decimal(75)) if deed == "trim" else was.qty
            desk.give(ClosePosition(command, was.id, "console", size))
        else:
            last = desk.core.quotes[NIFTY].last
            stop = price(last * (1 - was.side.sign * Decimal("0.02"))) if deed == "restop" else None
            desk.give(ChangeStop(command, was.id, "console", stop, None))
        for shadow in desk.state.shadows.values():
            if shadow.ending is None and shadow.id not in naive.shadows:  # born just now
                value = was.entry_value * size / was.qty
                taken = _copy(was, Qty(size), value)
                naive.shadows[shadow.id] = Held(taken, naive.peaks[was.id])


def _copy(was: Position, size: Qty, value: Decimal) -> Position:
    """Return a position of its own: nothing of the engine's copy is believed."""
    return Position(
        was.id,
        was.instrument,
        was.side,
        size,
        was.entry,
        was.cost,
        was.currency,
        was.opened_at,
        was.opened_seq,
        was.opened_qty,
        value,
        oi_at_entry=was.oi_at_entry,
        stop_loss=was.stop_loss,
        take_profit=was.take_profit,
    )


@given(steps=STEPS, rules=RULES)
@settings(max_examples=300, deadline=None)
def test_shadows_end_where_the_naive_reference_ends_them(
    steps: list[tuple[int, int, int | None, str, int, int]], rules: tuple[ExitRule, ...]
) -> None:
    hands = Hands(rules)
    desk, naive, ticks, at = hands.desk, hands.naive, 600, 0
    for n, (step, volume, oi, deed, seconds, which) in enumerate(steps):
        ticks, at = max(20, ticks + step), at + seconds * SECOND
        made = Tick(
            NIFTY,
            price(Decimal(ticks) * Decimal("0.05")),
            Nanos(at),
            volume=Decimal(volume),
            oi=None if oi is None else Decimal(oi),
        )
        before = len([e for e in desk.events if isinstance(e, OrderRequested)])
        fired = len(desk.state.positions)
        desk.tick(made)
        naive.tick(made)
        asked = len([e for e in desk.events if isinstance(e, OrderRequested)]) - before
        assert asked == fired - len(desk.state.positions)  # one per position closed, none beside
        hands.act(deed, which, n)
    ended = [
        (
            e.event.shadow,
            e.event.reason.code,
            e.event.reason.also_fired,
            e.at,
            e.event.price,
            e.event.pnl,
        )
        for e in desk.entries
        if isinstance(e.event, ShadowEnded)
    ]
    assert sorted(ended, key=str) == sorted(naive.ends, key=str)
    watched = {s.id: s for s in desk.state.shadows.values() if s.ending is None}
    assert set(watched) == set(naive.shadows)
    core = desk.core
    for name, held in naive.shadows.items():
        view = core.guard.view(watched[name].position, core.state, core.quotes)  # type: ignore[index]
        assert view.peak == held.peak
