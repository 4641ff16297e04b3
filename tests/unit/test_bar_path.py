"""interfaces.md, Bars: where on a bar's path a position closes, and at which price."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tui.cli import main

PUT = "NIFTY25DEC25900PE"
SPAN = ("10:00:00", "10:01:00", "10:02:00", "10:03:00", "10:04:00")


def closed(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    bars: list[str],
    path: str,
    *sets: str,
    side: str = "buy",
) -> tuple[str, str, str] | None:
    """Enter at the first bar's open; return (reason, price, minute) of the exit, or None."""
    rows = [
        f"2025-12-24T{at}+05:30,{PUT},{bar.replace(' ', ',')}"
        for at, bar in zip(SPAN, bars, strict=False)
    ]
    width = ["time", "symbol", "open", "high", "low", "close", "volume", "oi"]
    header = ",".join(width[: rows[0].count(",") + 1])
    (folder / "bars.csv").write_text("\n".join([header, *rows]) + "\n")
    wish = {"id": "a", "time": "2025-12-24T10:00:00+05:30", "symbol": PUT, "side": side, "qty": 75}
    (folder / "signals.jsonl").write_text(json.dumps(wish))
    words = ["replay", str(folder / "bars.csv"), "--json", "--bar-path", path]
    words += ["--signals", str(folder / "signals.jsonl")]
    words += [word for text in sets for word in ("--set", text)]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    if not said["trades"]:
        return None
    (trade,) = said["trades"]
    return trade["exit_reason"], trade["exit_price"], trade["exit_time"][14:16]


@pytest.mark.parametrize(
    ("path", "side", "expected"),
    [
        ("pessimistic", "buy", ("stop_loss_hit", "22.5", "31")),
        ("pessimistic", "sell", ("stop_loss_hit", "37.5", "31")),
        ("olhc", "buy", ("stop_loss_hit", "22.5", "31")),
        ("ohlc", "buy", ("take_profit_hit", "36", "31")),
        ("olhc", "sell", ("take_profit_hit", "24", "31")),
        ("ohlc", "sell", ("stop_loss_hit", "37.5", "31")),
    ],
)
def test_a_bar_that_touches_both_ends_by_its_path(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    path: str,
    side: str,
    expected: tuple[str, str, str],
) -> None:
    bars = ["30 30 30 30", "30 40 20 30"]
    sets = ("exits.take_profit.pct=0.2", "exits.trailing.enabled=false")
    assert closed(tmp_path, capsys, bars, path, *sets, side=side) == expected


BOTH = pytest.mark.parametrize("path", ["pessimistic", "ohlc", "olhc"])


@BOTH
def test_a_level_crossed_fills_at_the_level_and_one_jumped_at_the_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    crossed = closed(tmp_path, capsys, ["30 30 30 30", "30 30 21 21"], path)
    assert crossed == ("stop_loss_hit", "22.5", "31")
    jumped = closed(tmp_path, capsys, ["30 30 30 30", "20 30 19 25"], path)
    assert jumped == ("stop_loss_hit", "20", "31")
    target = ("exits.take_profit.pct=0.2", "exits.trailing.enabled=false")
    above = closed(tmp_path, capsys, ["30 30 30 30", "38 39 37 38"], path, *target)
    assert above == ("take_profit_hit", "38", "31")


@BOTH
def test_the_bar_of_the_entry_counts_from_its_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    assert closed(tmp_path, capsys, ["30 31 22 30"], path) == ("stop_loss_hit", "22.5", "30")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pessimistic", ("trailing_stop_hit", "36", "31")),  # down, up to 40, back through 36
        ("olhc", ("trailing_stop_hit", "36", "31")),
        ("ohlc", ("trailing_stop_hit", "36", "31")),
    ],
)
def test_a_stop_raised_by_a_bars_own_high_fills_later_in_the_bar(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, expected: tuple[str, str, str]
) -> None:
    assert closed(tmp_path, capsys, ["30 30 30 30", "30 40 29 35"], path) == expected


def test_a_bar_that_closes_at_its_high_leaves_the_raised_stop_for_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = ["30 30 30 30", "30 40 29 40", "40 40 35 35"]
    assert closed(tmp_path, capsys, bars, "pessimistic") == ("trailing_stop_hit", "36", "32")


def test_a_vwap_stop_fills_at_its_level(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bars = ["30 30 30 30 1000", "30 30 25 25 10"]
    assert closed(tmp_path, capsys, bars, "pessimistic") == ("vwap_stop_hit", "28.5", "31")


def test_open_interest_is_known_when_its_bar_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = ["30 30 30 30 0 1000", "30 30 30 30 0 1000"]
    grown = closed(tmp_path, capsys, [*bars, "30 30 29 29.5 0 1100"], "pessimistic")
    assert grown == ("oi_stop_hit", "29.5", "32")
    less = closed(tmp_path, capsys, [*bars, "30 30 29 29.5 0 1099"], "pessimistic")
    assert less is None


def test_open_interest_of_the_bar_before_acts_where_the_price_turns_to_a_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = ["30 30 30 30 0 1000", "30 31 30 31 0 1200", "31 31 29 29 0 1200"]
    assert closed(tmp_path, capsys, bars, "pessimistic") == ("oi_stop_hit", "29.95", "32")


def test_a_time_stop_waits_for_the_first_bar_later_than_its_minutes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = ["30 30 30 30"] * 5
    sets = "exits.time_stop.minutes=2"
    assert closed(tmp_path, capsys, bars, "pessimistic", sets) == ("time_stop", "30", "33")
