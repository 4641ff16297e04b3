"""`holdfast replay` on small files: what a scenario driven from outside comes to."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tui.cli import main

PUT = "NIFTY25DEC25900PE"
DAY = "2025-12-24T"
Capture = pytest.CaptureFixture[str]


class Bench:
    """A folder with files, and the command over them."""

    def __init__(self, folder: Path, capsys: Capture) -> None:
        self.folder, self.capsys = folder, capsys

    def write(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def ticks(self, *rows: str, header: str = "time,symbol,price") -> Path:
        """Rows are `HH:MM:SS price…` in Indian time, of the one PUT."""
        lines = []
        for row in rows:
            clock, *cells = row.split()
            lines.append(",".join((f"{DAY}{clock}+05:30", PUT, *cells)))
        return self.write("ticks.csv", header, *lines)

    def signals(self, *wishes: dict[str, Any]) -> Path:
        """Wishes default to buying 75 of the PUT; `time` is HH:MM:SS in Indian time."""
        lines = []
        for n, wish in enumerate(wishes):
            line = {"id": f"s{n}", "symbol": PUT, "side": "buy", "qty": 75, **wish}
            line["time"] = f"{DAY}{line['time']}+05:30"
            lines.append(json.dumps({k: v for k, v in line.items() if v is not None}))
        return self.write("signals.jsonl", *lines)

    def run(self, *words: object) -> dict[str, Any]:
        assert main(["replay", "--json", *map(str, words)]) == 0
        said = json.loads(self.capsys.readouterr().out)
        assert isinstance(said, dict)
        return said


@pytest.fixture
def bench(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path, capsys)


def of(said: dict[str, Any], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(trade[key] for key in keys) for trade in said["trades"]]


def test_the_worked_example_through_the_command_line(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 33.50", "10:02:00 30.20", "10:03:00 29.85")
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}))
    (trade,) = said["trades"]
    assert trade["entry_price"] == "30"
    assert (trade["exit_price"], trade["level"]) == ("29.85", "30.15")
    assert trade["exit_time"] == f"{DAY}04:33:00+00:00"
    assert (trade["exit_reason"], trade["also_fired"]) == ("trailing_stop_hit", [])
    assert (trade["pnl"], trade["pnl_pct"]) == ("-11.25", "-0.005")
    assert said["account"]["cash"] == said["account"]["equity"] == "99988.75"


def test_the_table_decides_and_the_others_are_recorded(bench: Bench) -> None:
    ticks = bench.ticks(
        "10:00:00 30.00 100 1000",
        "10:01:00 40.00 100 1000",
        "10:02:00 22.50 100 1100",
        header="time,symbol,price,volume,oi",
    )
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}))
    others = ["trailing_stop_hit", "vwap_stop_hit", "oi_stop_hit"]
    assert of(said, "exit_reason", "also_fired", "level") == [("stop_loss_hit", others, "22.5")]


def test_a_gap_fills_at_the_ticks_price(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 15.00")
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}))
    assert of(said, "exit_price", "level", "pnl") == [("15", "22.5", "-1125")]


def test_a_sell_is_a_short_and_everything_is_mirrored(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 27.00", "10:02:00 29.65", "10:03:00 29.70")
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00", "side": "sell"}))
    assert of(said, "side", "exit_reason", "level", "exit_price", "pnl") == [
        ("short", "trailing_stop_hit", "29.7", "29.7", "22.5")
    ]


def test_signals_act_on_the_first_tick_at_or_after_their_time(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 31.00", "10:02:00 31.50")
    signals = bench.signals(
        {"time": "09:00:00", "id": "early"},
        {"time": "10:00:01", "id": "between"},
        {"time": "10:02:00", "id": "on the tick"},
        {"time": "10:02:01", "id": "too late"},
        {"time": "10:00:00", "id": "unknown", "symbol": "WHAT-IS-THIS"},
    )
    said = bench.run(ticks, "--signals", signals)
    assert [p["entry_price"] for p in said["open_positions"]] == ["30", "31", "31.5"]
    assert {r["id"]: r["reason"] for r in said["refused_signals"]} == {
        "too late": "no tick at or after its time",
        "unknown": "unknown instrument WHAT-IS-THIS",
    }


def test_an_id_acts_once_however_many_come_between(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 31.00")
    many = [{"time": "10:00:00", "id": f"i{n}", "qty": 1} for n in range(600)]
    signals = bench.signals(*many, {"time": "10:01:00", "id": "i0", "qty": 1})
    said = bench.run(ticks, "--signals", signals)
    assert len(said["open_positions"]) == 600
    assert [r["reason"] for r in said["refused_signals"]] == ["signal i0 acted already"]


def test_a_signals_own_stop_and_target_act(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 29.00", "10:02:00 31.00")
    signals = bench.signals(
        {"time": "10:00:00", "stop_loss": "29.00"},
        {"time": "10:00:00", "take_profit": 31},
        {"time": "10:00:00", "stop_loss": 31},
        {"time": "10:00:00", "qty": 80},
        {"time": "10:00:00", "qty": 750_000},
        {"time": "10:00:00", "id": "s0"},
    )
    words = ("--set", "paper.initial_capital=10000", "--instruments", _lots(bench))
    said = bench.run(ticks, "--signals", signals, *words)
    assert of(said, "exit_reason", "exit_price", "level") == [
        ("stop_loss_hit", "29", "29"),
        ("take_profit_hit", "31", "31"),
    ]
    reasons = [r["reason"] for r in said["refused_signals"]]
    assert [r.split(":")[0] for r in reasons] == [
        "stop 31 is not below the price 30.00",
        "lot size",
        "insufficient funds",
        "signal s0 acted already",
    ]


def _lots(bench: Bench) -> Path:
    terms = {
        "symbol": PUT,
        "kind": "option",
        "strike": 25900,
        "right": "PUT",
        "lot_size": 75,
        "currency": "INR",
        "time_zone": "Asia/Kolkata",
        "session_open": "09:15",
        "session_close": "15:30",
    }
    return bench.write("instruments.json", json.dumps([terms]))


@pytest.mark.parametrize(
    ("sets", "ends"),
    [
        ((), "10:00:00"),
        (("exits.end_of_day.time=15:15",), "09:45:00"),
        (("exits.end_of_day.enabled=false",), None),
        (("profile=nifty-paper",), "09:45:00"),
    ],
)
def test_the_day_ends_when_it_is_told_to(
    bench: Bench, sets: tuple[str, ...], ends: str | None
) -> None:
    ticks = bench.ticks("15:00:00 30.00", "15:14:59 30.00", "15:15:00 30.00", "15:30:00 30.00")
    words = [word for text in sets for word in ("--set", text)]
    said = bench.run(ticks, "--signals", bench.signals({"time": "15:00:00"}), *words)
    expected = [] if ends is None else [("end_of_day", f"{DAY}{ends}+00:00")]
    assert of(said, "exit_reason", "exit_time") == expected


def test_a_daily_loss_flattens_and_blocks(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 25.00", "10:02:00 25.00")
    signals = bench.signals({"time": "10:00:00"}, {"time": "10:02:00"})
    said = bench.run(ticks, "--signals", signals, "--set", "exits.kill_switch.daily_loss=375")
    assert of(said, "exit_reason", "pnl") == [("risk_limit", "-375")]
    assert said["refused_signals"][0]["reason"].startswith("flatten is latched: daily loss 375")


def test_vwap_begins_anew_with_every_session(bench: Bench) -> None:
    rows = [
        f"2025-12-23T10:00:00+05:30,{PUT},90.00,1000000",
        f"2025-12-24T09:00:00+05:30,{PUT},80.00,1000000",  # before the open: does not count
        f"2025-12-24T10:00:00+05:30,{PUT},30.00,100",
        f"2025-12-24T10:01:00+05:30,{PUT},29.50,100",
        f"2025-12-24T10:02:00+05:30,{PUT},27.00,100",
    ]
    ticks = bench.write("ticks.csv", "time,symbol,price,volume", *rows)
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}))
    # (30 + 29.5 + 27) / 3 less 5 % is 27.39
    assert of(said, "exit_reason", "exit_price", "level") == [
        ("vwap_stop_hit", "27", "27.391666666667")
    ]


def test_what_the_venue_rejects_is_told_among_the_refusals(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00")
    words = ("--set", "paper.initial_capital=2250", "--set", "paper.fees.taker=0.001")
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}), *words)
    assert said["open_positions"] == []
    (refused,) = said["refused_signals"]
    assert refused["reason"].startswith("venue: insufficient_funds")


def test_bad_rows_are_counted_and_never_traded_on(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:00:01 NaN", "10:00:02 -5", "10:00:03 0")
    with ticks.open("a") as file:
        file.write(f"{DAY}09:59:00+05:30,{PUT},1.00\n{DAY}10:00:04+05:30,{PUT}\nrubbish,{PUT},9\n")
        file.write(f"{DAY}10:00:05+05:30,{PUT},1e999\n{DAY}10:00:06+05:30,<>,9\n\x00\x1b[2J,,\n")
        file.write(f"{DAY}10:00:09+05:30,{PUT},31.00\n")
    said = bench.run(ticks, "--signals", bench.signals({"time": "10:00:00"}))
    assert said["ticks"] == 2
    assert sum(said["quality"]["refused"].values()) == 9
    assert said["trades"] == []
    assert said["open_positions"][0]["last_price"] == "31"


def test_a_data_directory_holds_tables_and_csv_files(bench: Bench) -> None:
    ticks = bench.ticks("10:00:00 30.00", "10:01:00 15.00")
    data = bench.folder / "data"
    words = (ticks, "--signals", bench.signals({"time": "10:00:00"}), "--data-dir", data)
    first = bench.run(*words)
    second = bench.run(*words)
    assert first["trades"][0]["pnl"] == second["trades"][0]["pnl"] == "-1125"
    store = sqlite3.connect(f"file:{data / 'holdfast.db'}?mode=ro", uri=True)
    try:
        query = "select symbol, qty, status, exit_reason, pnl from positions"
        assert store.execute(query).fetchall() == [(PUT, 75, "closed", "stop_loss_hit", -1125)] * 2
        ended = store.execute("select status, total_trades from trading_sessions").fetchall()
        assert ended == [("completed", 1)] * 2
        for name in ("orders", "fills", "events", "strategies", "trades", "equity"):
            assert store.execute(f"select count(*) from {name}").fetchone()[0] > 0, name
    finally:
        store.close()
    cumulative = (data / "exports" / "trades.csv").read_text().splitlines()
    assert len(cumulative) == 3
    assert len(list((data / "exports").glob("trades-*.csv"))) == 2
