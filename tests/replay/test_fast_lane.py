"""`holdfast replay` says the same and journals the same in either lane, whatever is recorded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bootstrap import replay
from engine.bootstrap.replay import ReplayPlan, run_replay
from engine.domain.event import Entry
from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Tick
from engine.domain.money import Currency, price, qty
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.signal import Signal
from engine.runtime import blocks
from engine.runtime.strategy_loading import StrategySpec
from engine.store.memory import MemoryJournal
from engine.venues.paper.settings import PaperSettings
from engine.venues.replay.tape import TapeWriter
from tests.builders import SECOND

INR = Currency("INR")
HOURS: dict[str, Any] = {
    "calendar": "NSE",
    "time_zone": "Asia/Kolkata",
    "session_open": "09:15",
    "session_close": "15:30",
}
TERMS = (
    Instrument(InstrumentId("DAY1"), Kind.EQUITY, INR, **HOURS),
    Instrument(InstrumentId("DAY2"), Kind.EQUITY, INR, **HOURS),
    Instrument(InstrumentId("ALWAYS"), Kind.SPOT, INR),
    Instrument(InstrumentId("SELDOM"), Kind.SPOT, INR),
)
RULES: dict[str, dict[str, Any]] = {
    "initial": {"pct": Decimal("0.02")},
    "trailing": {"activation_pct": Decimal("0.003"), "pct": Decimal("0.004")},
    "vwap": {"pct": Decimal("0.004")},
    "oi": {"pct": Decimal("0.05")},
    "take_profit": {"pct": Decimal("0.01")},
    "end_of_day": {"time": "15:10"},
    "time_stop": {"minutes": 40},
}
TICKS = 9_000
BEGINS = 1_769_657_400 * SECOND
"""2026-01-29 09:00 in India: a quarter of an hour before the session."""


def walk(chance: random.Random, n: int, *, is_wide: bool, step_s: float) -> Iterator[Tick]:
    prices, oi, at = [10_000] * len(TERMS), 1000, BEGINS
    for _ in range(n):
        at += int(chance.choice([0, 1, 1, 1, 3]) * step_s * SECOND / 7)
        which = chance.choice([0, 0, 1, 1, 2, 2, 2]) if chance.random() < 0.98 else 3
        prices[which] = max(100, prices[which] + chance.randint(-12, 12))
        oi += chance.randint(-3, 4)
        last = price(Decimal(prices[which]) / 100)
        tick = Tick(TERMS[which].id, last, Nanos(at))
        tick.volume = None if chance.random() < 0.1 else Decimal(chance.randint(0, 50))
        tick.oi = Decimal(max(1, oi)) if chance.random() < 0.3 else None
        if is_wide:
            tick.bid, tick.ask = last - Decimal("0.01"), last + Decimal("0.02")
            tick.bid_size = tick.ask_size = Decimal(1000)
        yield tick


def a_tape(path: Path, chance: random.Random, n: int, *, is_wide: bool, step_s: float) -> Path:
    with TapeWriter(path, TERMS, is_wide=is_wide) as tape:
        for place, tick in enumerate(walk(chance, n, is_wide=is_wide, step_s=step_s)):
            tape.write(tick)
            if place == n // 2 and not is_wide:  # no listed instrument, no price, and back in time
                tape.write_raw(99, tick.at, 1.0)
                tape.write_raw(0, tick.at, -5.0)
                tape.write_raw(0, BEGINS, 100.0)
    return path


def wishes(chance: random.Random, span: int) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            f"s{n}",
            chance.choice(TERMS).id,
            chance.choice(list(Side)),
            Nanos(BEGINS + chance.randrange(span)),
            qty=qty(chance.randint(1, 30)),
            strategy=StrategyName("signals"),
        )
        for n in range(60)
    )


async def both(
    plan: ReplayPlan, monkeypatch: pytest.MonkeyPatch, block: int
) -> tuple[dict[str, Any], list[Entry]]:
    """Replay in both lanes; return what the ordinary one led to, once the other one agrees."""
    done = []
    monkeypatch.setattr(blocks, "RECORDS", block)
    for long in (0, 10**9):
        monkeypatch.setattr(replay, "LONG", long)
        journal = MemoryJournal()
        done.append((await run_replay(plan, journal), await journal.read()))
    (fast, fast_entries), (plain, plain_entries) = done
    for one, other in zip(fast_entries, plain_entries, strict=False):
        assert repr(one) == repr(other)
    assert fast == plain
    return plain, plain_entries


def a_plan(tape: Path, signals: tuple[Signal, ...], rules: dict[str, Any]) -> ReplayPlan:
    return ReplayPlan(
        (tape,),
        signals=signals,
        rules=rules,
        initial_capital=Decimal(10_000_000),
        paper=PaperSettings(slippage_bps=Decimal(1)),
    )


@pytest.mark.parametrize("block", [50, 3000])
@pytest.mark.parametrize("is_wide", [False, True])
@pytest.mark.parametrize("step_s", [0.2, 8.0], ids=["an hour", "days"])
@pytest.mark.parametrize("left_out", [(), ("vwap",), ("vwap", "oi", "end_of_day", "time_stop")])
async def test_both_lanes_say_and_journal_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    left_out: tuple[str, ...],
    step_s: float,
    is_wide: bool,
    block: int,
) -> None:
    chance = random.Random(f"{left_out}{step_s}{is_wide}")
    tape = a_tape(tmp_path / "days.tape", chance, TICKS, is_wide=is_wide, step_s=step_s)
    span = int(TICKS * step_s * SECOND * 6 / 35)
    rules = {code: rule for code, rule in RULES.items() if code not in left_out}
    said, _ = await both(a_plan(tape, wishes(chance, span), rules), monkeypatch, block)
    reasons = {trade["exit_reason"] for trade in said["trades"]}
    assert len(said["trades"]) > 15
    assert len(reasons) > 2
    assert said["ticks"] == TICKS
    assert is_wide or sum(said["quality"]["refused"].values()) == 3


EVERY = """
from dataclasses import dataclass

from engine.domain.ids import InstrumentId
from engine.domain.order import Side
from engine.domain.signal import Signal
from engine.domain.strategy import Advice, Needs


@dataclass(frozen=True)
class Nothing:
    pass


class Every:
    Settings = Nothing

    def __init__(self, name, settings):
        self.name, self.heard, self.asked = name, 0, 0

    def needs(self):
        return Needs(frozenset({InstrumentId("DAY1")}), ticks=True)

    def on_tick(self, tick):
        self.heard += 1
        if self.heard % 500:
            return Advice()
        return Advice((self.wish("DAY1", tick.at), self.wish("ALWAYS", tick.at)))

    def on_closed(self, holding, reason, pnl, now):
        if holding.instrument == "DAY2":
            return Advice()
        return Advice((self.wish("DAY2", now),))

    def wish(self, symbol, at):
        self.asked += 1
        side = Side.BUY if self.asked % 3 else Side.SELL
        return Signal(f"e{self.asked}", InstrumentId(symbol), side, at, strategy=self.name)

    def on_start(self, instruments, holding, now):
        return Advice()

    def on_bars(self, moment):
        return Advice()

    def on_opened(self, holding):
        return Advice()

    def on_refused(self, signal, reason):
        return Advice()

    def memory(self):
        return {"heard": self.heard, "asked": self.asked}

    def restore(self, memory):
        self.heard, self.asked = memory["heard"], memory["asked"]
"""


async def test_a_strategy_that_hears_every_tick_of_one_instrument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "every.py"
    source.write_text(EVERY)
    chance = random.Random(5)
    tape = a_tape(tmp_path / "day.tape", chance, 2 * TICKS, is_wide=False, step_s=2.0)
    plan = a_plan(tape, (), {k: v for k, v in RULES.items() if k != "vwap"})
    spec = StrategySpec(StrategyName("every"), f"{source}:Every")
    made = ReplayPlan(plan.paths, strategies=(spec,), rules=plan.rules, paper=plan.paper)
    said, _ = await both(made, monkeypatch, 777)
    assert said["strategies"][0]["failure"] == ""
    assert len({trade["symbol"] for trade in said["trades"]}) == 3


async def test_a_limit_on_losses_sees_every_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(9)
    tape = a_tape(tmp_path / "day.tape", chance, TICKS, is_wide=False, step_s=2.0)
    plan = a_plan(tape, wishes(chance, int(400 * SECOND)), {"initial": {"pct": Decimal("0.3")}})
    limited = ReplayPlan(
        plan.paths, signals=plan.signals, rules=plan.rules, limits=Limits(daily_loss=Decimal(2))
    )
    said, _ = await both(limited, monkeypatch, 500)
    assert "risk_limit" in {trade["exit_reason"] for trade in said["trades"]}
