"""`holdfast report operator`: each intervention beside what its rules would have done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.domain.command import ChangeStop, ClosePosition
from engine.domain.ids import CommandId, Nanos
from engine.domain.money import price
from engine.domain.session import Mode
from engine.runtime.outcome import Outcome
from engine.stops.time_stop import TimeStop
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import DEFAULT_RULES, SECOND, Desk, session, tick
from tui.cli import main
from tui.cli.report import totals


def go_on(desk: Desk, *prices: str) -> None:
    for last in prices:
        desk.tick(tick(last, desk.now + SECOND))


def interventions() -> Desk:
    """The worked example; a stop changed and a close that follows it; one that ends unseen."""
    desk = Desk().start(session(rules=(*DEFAULT_RULES, TimeStop(30))))
    go_on(desk, "30.00")
    first, second = desk.open("a"), desk.open("b")
    go_on(desk, "29.85")
    desk.give(ClosePosition(CommandId("x"), first.id, "console", note="\x1b[2Jnervous"))
    go_on(desk, "31.00")
    desk.give(ChangeStop(CommandId("e"), second.id, "cli", price("28.00"), None))
    desk.give(ClosePosition(CommandId("y"), second.id, "cli"))
    go_on(desk, "33.50", "30.15")
    desk.give(ClosePosition(CommandId("z"), desk.open("c").id, "console"))
    desk.pass_time(40 * 60)
    return desk


async def store(data_dir: Path, desk: Desk) -> None:
    stamp = Stamp(Mode.PAPER, "paper")
    async with SqliteJournal.open(data_dir / "holdfast.db", stamp, Nanos(5)) as journal:
        await journal.append(desk.entries, desk.state)


def told(data_dir: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["report", "operator", "--data-dir", str(data_dir), *words]) == 0
    said = capsys.readouterr().out
    return json.loads(said) if "--json" in words else said


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    import asyncio

    asyncio.run(store(tmp_path, interventions()))
    return tmp_path


def test_every_figure_is_exact_text(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(data_dir, capsys, "--json")["interventions"]
    figures = [
        (r["deed"], r["operator_pnl"], r["strategy_pnl"], r["difference"], r["exit_reason"])
        for r in rows
    ]
    assert figures == [
        ("closed", "-11.25", "11.25", "-22.5", "trailing_stop_hit"),
        ("restopped", "75", "11.25", "63.75", "trailing_stop_hit"),
        ("closed", "75", "11.25", "63.75", "trailing_stop_hit"),
        ("closed", "0", None, None, "time_stop"),
    ]
    assert rows[2]["follows"] == rows[1]["shadow_id"]
    assert (rows[3]["strategy_status"], rows[3]["why"]) == (
        "unknown",
        "the last price was 2400 s old, allowed: 60 s",
    )


def test_the_totals_count_each_quantity_once_and_nothing_unknown(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(data_dir, capsys, "--json")["totals"] == {
        "INR": {
            "operator_pnl": "63.75",
            "strategy_pnl": "22.5",
            "difference": "41.25",
            "final": 2,
            "open": 0,
            "unknown": 1,
            "part_of_another": 1,
        }
    }
    assert totals([]) == {}


def test_a_person_reads_it_in_a_table(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(data_dir, capsys)
    assert "trailing_stop_hit at 30.15" in said
    assert "strategy P&L unknown, the last price was 2400 s old" in said
    assert (
        "INR: operator 63.75, strategy 22.5, difference 41.25 over 2 final; 0 open, 1 unk" in said
    )
    assert "\x1b" not in said


def test_the_session_chooses_and_an_empty_store_has_none(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(told(data_dir, capsys, "--session", "s1", "--json")["interventions"]) == 4
    assert told(data_dir, capsys, "--session", "s2", "--json")["interventions"] == []
    assert told(tmp_path / "empty", capsys, "--json") == {"interventions": [], "totals": {}}
    assert "(none)" in told(tmp_path / "empty", capsys)


def test_an_outcome_names_interventions_only_if_there_are_any() -> None:
    desk = Desk().start(session())
    go_on(desk, "30.00")
    held = desk.open("a")
    assert "interventions" not in Outcome().report(desk.state, desk.core.quotes)
    go_on(desk, "29.85")
    desk.give(ClosePosition(CommandId("x"), held.id, "console"))
    go_on(desk, "31.00")
    (row,) = Outcome().report(desk.state, desk.core.quotes)["interventions"]
    assert (row["operator_pnl"], row["strategy_pnl"], row["difference"]) == (
        "-11.25",
        "75",
        "-86.25",
    )
    assert (row["operator_status"], row["strategy_status"], row["last_price"]) == (
        "final",
        "open",
        "31",
    )
