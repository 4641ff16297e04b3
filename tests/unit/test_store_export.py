"""Trade files are what the store says, whatever happened to them before."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.domain.state import State
from engine.store.export import TRADE_COLUMNS, CsvExports, cell, export_all, sync
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.histories import History, batches

STAMP = Stamp(Mode.PAPER, "paper")


def two_sessions() -> History:
    history = History(3).run(300).close_all()
    history.end()
    return history.start().run(600).close_all()


async def store(path: Path, history: History) -> None:
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        state = journal.recovered.state
        for batch in batches(history.entries[state.seq :], 2):
            state = fold(batch, state)
            await journal.append(batch, state)
        await journal.checkpoint(state, Nanos(9))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


async def test_the_cumulative_file_is_the_sum_of_the_session_files(tmp_path: Path) -> None:
    history = two_sessions()
    await store(tmp_path / "holdfast.db", history)
    exported = export_all(tmp_path / "holdfast.db", tmp_path / "exports")
    every = rows(tmp_path / "exports" / "trades.csv")
    sessions = [rows(tmp_path / "exports" / f"trades-{s}.csv") for s in ("s1", "s2")]
    assert every == sessions[0] + sessions[1]
    assert tuple(every[0]) == TRADE_COLUMNS
    assert exported.added["trades.csv"] == len(every) > 50
    newest = {trade.id: trade.pnl for trade in history.state.closed}
    assert {r["id"]: Decimal(r["pnl"]) for r in sessions[1][-len(newest) :]} == newest
    portfolio = rows(tmp_path / "exports" / "portfolio.csv")
    assert {r["currency"]: Decimal(r["cash"]) for r in portfolio} == {
        c: a.cash for c, a in history.state.accounts.items()
    }
    assert rows(tmp_path / "exports" / "portfolio-s2.csv") == portfolio


async def test_a_file_cut_or_edited_anywhere_is_complete_after_the_next_run(tmp_path: Path) -> None:
    await store(tmp_path / "holdfast.db", two_sessions())
    directory = tmp_path / "exports"
    export_all(tmp_path / "holdfast.db", directory)
    target = directory / "trades.csv"
    whole = target.read_bytes()
    for cut in (*range(0, len(whole), 997), len(whole) - 1):
        target.write_bytes(whole[:cut])
        export_all(tmp_path / "holdfast.db", directory)
        assert target.read_bytes() == whole
    for changed in (whole.replace(b"long", b"shrt", 1), whole + whole[-50:], b"\0" * len(whole)):
        target.write_bytes(changed)
        export_all(tmp_path / "holdfast.db", directory)
        assert target.read_bytes() == whole


async def test_following_a_running_store_writes_what_a_fresh_export_would(tmp_path: Path) -> None:
    path, history = tmp_path / "holdfast.db", two_sessions()
    following = CsvExports(path, tmp_path / "following")
    async with SqliteJournal.open(path, STAMP, Nanos(5)) as journal:
        state = State()
        for number, batch in enumerate(batches(history.entries, 4)):
            state = fold(batch, state)
            await journal.append(batch, state)
            if number % 9 == 0:
                await journal.checkpoint(state, Nanos(number))
                following.update()
            if number == 40:
                (tmp_path / "following" / "trades.csv").unlink()
        following.update()
        export_all(path, tmp_path / "fresh")
    names = sorted(f.name for f in (tmp_path / "fresh").iterdir())
    both = [f"{kind}{part}" for kind in ("portfolio", "trades") for part in ("-s1", "-s2", "")]
    assert names == [f"{name}.csv" for name in both]
    for name in names:
        assert (tmp_path / "following" / name).read_bytes() == (
            tmp_path / "fresh" / name
        ).read_bytes()


def test_an_unfinished_replacement_is_not_taken_for_the_file(tmp_path: Path) -> None:
    target = tmp_path / "trades.csv"
    (tmp_path / ".trades.csv.tmp").write_bytes(b"half a ro")
    assert sync(target, ("a", "b"), [{"a": 1, "b": 2}]) == 1
    assert target.read_bytes() == b"a,b\n1,2\n"
    assert sync(target, ("a", "b"), [{"a": 1, "b": 2}, {"a": 3, "b": 4}]) == 1
    assert target.read_bytes() == b"a,b\n1,2\n3,4\n"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["trades.csv"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1", "'+1"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        (" =1", "' =1"),
        ("\t=1", "' =1"),
        ("\r\n=HYPERLINK()", "'  =HYPERLINK()"),
        ("＝1", "'＝1"),
        ("two\nlines", "two lines"),
        ("\x1b[2J", " [2J"),
        ("-12.50", "-12.50"),
        ("0.1", "0.1"),
        (None, ""),
        (7, "7"),
        ("stop_loss_hit", "stop_loss_hit"),
    ],
)
def test_a_cell_is_one_line_and_never_a_formula(value: object, shown: str) -> None:
    assert cell(value) == shown
