"""What oi_momentum does on the two recorded chain days. Figures were derived from the CSV with a
separate calculation in binary floats; `by_hand` below repeats it beside the real thing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, time

import pytest

from engine.domain.event import OrderFilled, SignalAccepted, StrategyChanged
from engine.domain.ids import Nanos, PositionId, Seq
from engine.domain.market import Tick
from engine.domain.position import Trade
from engine.domain.signal import Signal
from tests.strategy_desk import (
    DATA,
    StrategyDesk,
    recorded_catalog,
    recorded_rows,
    recorded_ticks,
    spec,
)

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="recorded days are not at hand")


@dataclass
class Candidate:
    bar: time
    symbol: str
    price: float
    vwap: float


def by_hand(day: str) -> list[Candidate]:
    """Bars in which an entry is allowed while flat, cooldown and positions left aside."""
    terms = recorded_catalog(day)
    bars: dict[datetime, dict[str, dict[str, str]]] = {}
    turnover: dict[str, float] = defaultdict(float)
    volume: dict[str, float] = defaultdict(float)
    sums: dict[datetime, tuple[dict[str, float], dict[str, float]]] = {}
    for row in recorded_rows(day):
        at = datetime.fromisoformat(row["time"])
        bar = at.replace(minute=at.minute // 5 * 5, second=0)
        bars.setdefault(bar, {})[row["symbol"]] = row
        if row["volume"]:
            turnover[row["symbol"]] += float(row["price"]) * float(row["volume"])
            volume[row["symbol"]] += float(row["volume"])
        sums[bar] = dict(turnover), dict(volume)
    right = {"2026-01-29": "CALL", "2026-01-30": "PUT"}[day]
    history: dict[str, list[float]] = defaultdict(list)
    found: list[Candidate] = []
    for bar, rows in bars.items():
        spot = float(rows["NIFTY"]["price"])
        options = {
            float(item.strike): symbol
            for symbol, item in terms.items()
            if item.strike is not None and item.right is not None and item.right.value == right
        }
        for symbol, row in rows.items():
            if row["oi"]:
                history[symbol].append(float(row["oi"]))
        if right == "CALL":
            symbol = options[min(s for s in options if s >= spot)]
        else:
            symbol = options[max(s for s in options if s < spot)]
        oi, ltp = history[symbol], float(rows[symbol]["price"])
        traded = sums[bar][1][symbol]
        is_unwinding = oi[-1] < oi[0] or (len(oi) > 3 and oi[-4] > oi[-3] > oi[-2] > oi[-1])
        if time(9, 30) <= bar.time() <= time(14, 30) and is_unwinding and traded:
            vwap = sums[bar][0][symbol] / traded
            if ltp > vwap:
                found.append(Candidate(bar.time(), symbol, ltp, vwap))
    return found


def run(day: str, **settings: str) -> StrategyDesk:
    desk = StrategyDesk([spec("oi_momentum", **settings)], recorded_catalog(day)).begin()
    for tick in recorded_ticks(day):
        desk.tick(tick)
    return desk


def accepted(desk: StrategyDesk) -> list[Signal]:
    return [event.signal for event in desk.of(SignalAccepted)]


def test_on_29_january_a_tie_in_distance_makes_the_day_a_call_day() -> None:
    notes = run("2026-01-29").notes()
    assert notes[0] == "Max Call OI: 6,910,215 @ 25300, Max Put OI: 6,693,895 @ 25300"
    assert notes[1].startswith("DIRECTION CALL: spot 25272.7 is 27.3 from max call OI strike 25300")
    assert "the larger OI decides" in notes[1]
    assert notes[2] == "STRIKE none → 25300 (spot 25272.7)"
    assert "STRIKE 25300 → 25250 (spot 25222.9)" in notes
    assert notes[3] == "NO ENTRY: entry window opens 09:30"


def test_on_30_january_the_nearer_put_level_makes_the_day_a_put_day() -> None:
    notes = run("2026-01-30").notes()
    assert notes[0] == "Max Call OI: 6,140,160 @ 25500, Max Put OI: 4,869,540 @ 25200"
    assert notes[1] == (
        "DIRECTION PUT: spot 25278.9 is 221.1 from max call OI strike 25500 "
        "and 78.9 from max put OI strike 25200"
    )
    assert notes[2] == "STRIKE none → 25250 (spot 25278.9)"
    assert "NO ENTRY: entry window closed 14:30" in notes


def test_the_first_entry_of_29_january_is_the_25250_call_at_the_first_tick_after_its_bar() -> None:
    desk = run("2026-01-29")
    signal = accepted(desk)[0]
    assert signal.instrument == "NIFTY2620325250CE"
    assert signal.reason == (
        "25250 CALL: OI 4.3M falling 3 bars, not below open 1.9M; LTP 212.8 above VWAP 196.57"
    )
    assert ("oi", "4331860") in signal.inputs
    assert ("oi_open", "1897935") in signal.inputs
    filled = desk.of(OrderFilled)[0].fill
    row = next(
        row
        for row in recorded_rows("2026-01-29")
        if row["symbol"] == signal.instrument and "T11:12:45" in row["time"]
    )
    assert str(filled.price) == row["price"]
    assert filled.at == Nanos(1769665365 * 10**9)  # 11:12:45 +05:30


@pytest.mark.parametrize("day", ["2026-01-29", "2026-01-30"])
def test_entries_are_exactly_the_candidates_that_a_separate_calculation_finds(day: str) -> None:
    desk = run(day, cooldown_s="0")
    expected = by_hand(day)
    assert expected, "the calculation itself must find something"
    entered = [(signal.id.rsplit("-", 1)[1], signal.instrument) for signal in accepted(desk)]
    free = _while_flat(desk, expected, day)
    assert entered == [(str(_epoch(day, candidate.bar)), candidate.symbol) for candidate in free]


@pytest.mark.parametrize("day", ["2026-01-29", "2026-01-30"])
def test_without_a_window_that_is_open_there_is_no_entry_and_a_reason(day: str) -> None:
    desk = run(day, window_start="15:25", window_end="15:25")
    assert not accepted(desk)
    assert desk.record("oi_momentum").waits_for == "entry window opens 15:25" or (
        desk.record("oi_momentum").waits_for == "entry window closed 15:25"
    )


def test_a_second_run_writes_the_same_journal() -> None:
    assert run("2026-01-29").entries == run("2026-01-29").entries


@pytest.mark.parametrize("day", ["2026-01-29", "2026-01-30"])
def test_killed_and_restored_after_any_bar_the_journal_goes_on_as_if_never_interrupted(
    day: str,
) -> None:
    ticks = list(recorded_ticks(day))
    whole = StrategyDesk([spec("oi_momentum")], recorded_catalog(day)).begin()
    for tick in ticks:
        whole.tick(tick)
    broken = StrategyDesk([spec("oi_momentum")], recorded_catalog(day)).begin()
    for number, tick in enumerate(ticks):
        if number and number % 195 == 0:  # between every two snapshots
            broken = reborn(broken, ticks[:number])
        broken.tick(tick)
    assert unnumbered(broken) == unnumbered(whole)
    assert [s.id for s in accepted(broken)] == [s.id for s in accepted(whole)]
    assert broken.record("oi_momentum").memory == whole.record("oi_momentum").memory
    assert broken.state.closed or broken.state.positions


def unnumbered(desk: StrategyDesk) -> list[Trade]:
    """Trades without their places in the journal, which also holds the restarts."""
    return [replace(trade, id=PositionId(""), seq=Seq(0)) for trade in desk.state.closed]


def reborn(old: StrategyDesk, past: list[Tick]) -> StrategyDesk:
    """A new process on the same state, told what its predecessor had not journaled yet."""
    new = StrategyDesk([spec("oi_momentum")], old.catalog, state=old.state)
    new.core, new.now, new.entries = old.core, old.now, list(old.entries)
    new.clock.set(old.now)
    new.begin()
    since = new.strategist.since()
    assert since is not None
    for tick in past:
        if tick.at >= since:
            start = new.core.session_start(tick.instrument, tick.at)
            new.strategist.on_missed(tick, start)
    new.drain()
    return new


def _while_flat(desk: StrategyDesk, candidates: list[Candidate], day: str) -> list[Candidate]:
    """Candidates whose bar ended while neither a position nor an entry was open."""
    held = [(trade.entry_at, trade.exit_at) for trade in desk.state.closed]
    held += [(position.opened_at, Nanos(2**62)) for position in desk.state.positions.values()]
    free: list[Candidate] = []
    asked_until = Nanos(0)
    for candidate in candidates:
        ends = Nanos((_epoch(day, candidate.bar) + 300) * 10**9)
        if ends <= asked_until or any(first < ends <= last for first, last in held):
            continue
        free.append(candidate)
        asked_until = next((first for first, _ in held if first >= ends), Nanos(2**62))
    return free


def _epoch(day: str, bar: time) -> int:
    return int(datetime.fromisoformat(f"{day}T{bar.isoformat()}+05:30").timestamp())


def test_the_phases_follow_the_life_cycle() -> None:
    desk = run("2026-01-29")
    phases = desk.phases("oi_momentum")
    assert phases[:4] == ["starting", "analyzing", "entering", "position_open"]
    trades: tuple[Trade, ...] = desk.state.closed
    if trades:
        assert "exiting" in phases
        assert "cooldown" in phases
    assert all(isinstance(event, StrategyChanged) for event in desk.of(StrategyChanged))
