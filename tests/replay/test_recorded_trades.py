"""Random signals on the recorded days: `holdfast replay` says what the naive reference says.

Signals are seeded: long and short, options, the index (refused), a perpetual, SPY before and after
its session; quantities that are no lots, ids used twice, stops and targets, also on the wrong side.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.replay.reference import (
    LEAST,
    Parameters,
    Reference,
    Terms,
    Wish,
    instant,
    rows,
)
from tests.strategy_desk import DATA
from tui.cli import main

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="recorded days are not at hand")

D = Decimal
CHAINS = ("nifty-chain-2026-01-29", "nifty-chain-2026-01-30")
BARS = "nifty-1m-2026-07-15.csv"
PERPETUAL = "btcusdt-perp-trades-2024-08-08.csv.gz"
SPY = "spy-trades-2013-10-08.csv.gz"
RICH = D(10_000_000)
PARAMETERS = {
    "defaults": Parameters(capital=RICH),
    "tight": Parameters(
        D("0.02"), D("0.01"), D("0.01"), D("0.005"), D("0.02"), capital=RICH, has_end_of_day=True
    ),
    "a minute": Parameters(
        D("0.001"),
        D("0.0005"),
        D("0.0005"),
        D("0.0005"),
        take_profit=D("0.002"),
        minutes=1,
        capital=RICH,
    ),
    "poor until one": Parameters(
        None,
        trailing=None,
        vwap=D("0.1"),
        oi=None,
        take_profit=D("0.15"),
        end_of_day="13:00",
        minutes=30,
        capital=D(300_000),
        leverage=D(5),
    ),
    "overnight": Parameters(
        D("0.5"), D("0.2"), D("0.3"), None, D("0.05"), has_end_of_day=False, capital=RICH
    ),
    "always trailing": Parameters(D("0.05"), D(0), D("0.05"), None, None, minutes=15, capital=RICH),
}


def dice(seed: int) -> Callable[[int], int]:
    """A repeatable `randrange` without a library's generator."""
    state = seed * 2654435761 % 2**32 + 1

    def roll(sides: int) -> int:
        nonlocal state
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (state >> 33) % sides

    return roll


def terms_of(name: str) -> dict[str, Terms]:
    india = ("Asia/Kolkata", "09:15", "15:30")
    if name in CHAINS:
        listed = json.loads((DATA / f"{name}.instruments.json").read_text())
        return {
            i["symbol"]: Terms(i["kind"], D(i.get("lot_size", 1)), D(1), D(i["tick_size"]), *india)
            for i in listed
        }
    if name == BARS:
        step = D("0.05")
        return {
            "NIFTY": Terms("index", D(1), D(1), step, *india),
            "NIFTY2672124300CE": Terms("option", D(1), D(1), step, *india),
        }
    if name == PERPETUAL:
        return {"BTCUSDT-PERP": Terms("linear", D("0.0001"), D(1), D("0.1"))}
    return {"SPY": Terms(zone="America/New_York", opens="09:30", closes="16:00")}


def wishes(name: str, seed: int, count: int = 30) -> list[Wish]:
    """Signals at the times and around the prices of random rows."""
    roll, terms = dice(seed), terms_of(name)
    recorded = list(rows(path_of(name)))
    found = []
    for n in range(count):
        row = recorded[roll(len(recorded))]
        its, side = terms[row["symbol"]], 1 if roll(2) else -1
        at = instant(row["time"]) + (0, 0, 1, -1, 7 * 10**9)[roll(5)]
        last = D(row.get("price") or row["open"])
        qty = its.lot * (1 + roll(300 if its.kind == "linear" else 3))
        qty += its.lot / 2 if roll(15) == 0 else 0
        away = D(1 + roll(30)) / (1000 if name in (SPY, PERPETUAL) else 100)
        stop = round_to(last * (1 - side * away), its.tick) if roll(3) == 0 else None
        target = round_to(last * (1 + side * away), its.tick) if roll(3) == 0 else None
        id_ = f"s{n}" if roll(20) else f"s{max(0, n - 3)}"
        found.append(Wish(id_, at, row["symbol"], side, qty, stop or None, target or None))
    return found


def round_to(amount: D, step: D) -> D:
    return (amount / step).to_integral_value() * step


def path_of(name: str) -> Path:
    return DATA / (f"{name}.csv.gz" if name in CHAINS else name)


def arguments(name: str, p: Parameters) -> list[str]:
    """The command line that says what `p` says."""
    rules = {
        "initial": ("pct", p.initial),
        "trailing": ("pct", p.trailing),
        "vwap": ("pct", p.vwap),
        "oi": ("pct", p.oi),
        "take_profit": ("pct", p.take_profit),
        "time_stop": ("minutes", p.minutes),
    }
    sets = [f"exits.trailing.activation_pct={p.activation}"]
    sets += [f"paper.initial_capital={p.capital}", f"paper.leverage={p.leverage}"]
    for rule, (key, value) in rules.items():
        sets.append(f"exits.{rule}.enabled={str(value is not None).lower()}")
        sets += [] if value is None else [f"exits.{rule}.{key}={value}"]
    sets.append(f"exits.end_of_day.enabled={str(p.has_end_of_day).lower()}")
    sets += [f"exits.end_of_day.time={p.end_of_day}"] if p.end_of_day else []
    words = ["replay", str(path_of(name)), "--json", "--speed", "max", "--bar-path", p.path]
    if name in CHAINS:
        words += ["--instruments", str(DATA / f"{name}.instruments.json")]
    return words + [word for text in sets for word in ("--set", text)]


def signals_file(path: Path, all_: list[Wish]) -> Path:
    lines = []
    for wish in all_:
        line = {"id": wish.id, "time": wish.at, "symbol": wish.symbol, "qty": str(wish.qty)}
        line["side"] = "buy" if wish.side > 0 else "sell"
        line |= {} if wish.stop is None else {"stop_loss": str(wish.stop)}
        line |= {} if wish.target is None else {"take_profit": str(wish.target)}
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines) + "\n")
    return path


def exactly(amount: D) -> str:
    text = f"{amount.quantize(LEAST):f}".rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def by_reference(done: Reference) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *(c.symbol, c.entry_at, c.exit_at, exactly(c.qty), "long" if c.side > 0 else "short"),
            *(exactly(c.entry), exactly(c.exit), c.reason, tuple(c.also)),
            *("" if c.level is None else exactly(c.level), exactly(c.pnl)),
        )
        for c in done.closed
    )


def by_engine(said: dict[str, Any]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *(t["symbol"], instant(t["entry_time"]), instant(t["exit_time"]), t["qty"], t["side"]),
            *(t["entry_price"], t["exit_price"], t["exit_reason"], tuple(t["also_fired"])),
            *("" if t["level"] is None else exactly(D(t["level"])), t["pnl"]),
        )
        for t in said["trades"]
    )


def check(
    name: str, p: Parameters, seed: int, tmp: Path, capsys: pytest.CaptureFixture[str]
) -> int:
    """Compare everything; return how many trades there were."""
    all_ = wishes(name, seed)
    done = Reference(terms_of(name), p, all_).run(path_of(name))
    words = [*arguments(name, p), "--signals", str(signals_file(tmp / "signals.jsonl", all_))]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert by_engine(said) == by_reference(done)
    assert sorted(
        (h["symbol"], instant(h["entry_time"]), h["side"], h["qty"], h["entry_price"])
        for h in said["open_positions"]
    ) == sorted(
        (h.symbol, h.at, "long" if h.side > 0 else "short", exactly(h.qty), exactly(h.entry))
        for h in done.held
    )
    told = {refused["id"] for refused in said["refused_signals"]}
    assert set(done.refused) <= told
    account = said["account"]
    assert D(account["cash"]) == done.cash
    assert D(account["realised_pnl"]) == done.realised
    tied = D(account["cost_of_open_positions"])
    assert D(account["cash"]) + tied == D(account["initial"]) + D(account["realised_pnl"])
    return len(said["trades"])


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("which", PARAMETERS)
def test_option_chains(
    name: str, which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trades = check(name, PARAMETERS[which], 11 + len(which), tmp_path, capsys)
    assert trades > 5


@pytest.mark.parametrize("path", ["pessimistic", "ohlc", "olhc"])
@pytest.mark.parametrize("which", PARAMETERS)
def test_bars(which: str, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    p = Parameters(**{**vars(PARAMETERS[which]), "path": path})
    trades = check(BARS, p, 5 + len(which), tmp_path, capsys)
    assert trades > 3


@pytest.mark.parametrize("which", ["a minute", "always trailing"])
def test_perpetual(which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(PERPETUAL, PARAMETERS[which], 3, tmp_path, capsys)


def test_a_whole_session_of_spy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trades = check(SPY, PARAMETERS["a minute"], 7, tmp_path, capsys)
    assert trades > 20


def test_the_same_input_gives_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = arguments(CHAINS[1], PARAMETERS["tight"])
    signals = signals_file(tmp_path / "signals.jsonl", wishes(CHAINS[1], 2))
    said = []
    for _ in range(2):
        assert main([*words, "--signals", str(signals)]) == 0
        out = capsys.readouterr().out
        said.append(out[: out.rindex('"elapsed_s"')])
    assert said[0] == said[1]
    assert '"trades": [{' in said[0]
