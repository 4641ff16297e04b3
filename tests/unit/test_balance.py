"""Money adds up over sessions and nights, and a row that does not is named."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.balance import PositionBook, SessionBook, prove
from engine.domain.carryover import tied, unrealised
from engine.domain.event import Entry
from engine.domain.evolve import fold
from engine.domain.ids import Nanos
from engine.domain.session import Mode
from engine.store.reader import StoreReader
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from tests.builders import INR
from tests.unit.test_carryover import closes, ends, next_day, opened, trades


def two_days() -> list[Entry]:
    desk = opened()
    trades(desk, "100.00")
    first = desk.open("a")
    trades(desk, "104.00")
    closes(desk, first)
    held = desk.open("b", size="150")
    closes(desk, held, "75")
    trades(desk, "105.00")
    ends(desk)
    next_day(desk)
    trades(desk, "106.00")
    return desk.entries


async def stored(path: Path) -> Path:
    found, state = two_days(), fold(two_days())
    file = path / "holdfast.db"
    async with SqliteJournal.open(file, Stamp(Mode.PAPER, "paper"), Nanos(0)) as journal:
        await journal.append(found, state)
    return file


async def test_two_days_with_a_position_held_over_the_night_are_proven(tmp_path: Path) -> None:
    with StoreReader.open(await stored(tmp_path)) as reader:
        proofs = reader.balance()
    assert [str(proof) for proof in proofs] == ["OK", "OK"]


async def test_a_price_after_the_end_moves_the_closing_equity_with_it(tmp_path: Path) -> None:
    desk = opened()
    trades(desk, "100.00")
    desk.open("a")
    ends(desk)
    trades(desk, "103.00")
    desk.pass_time(20)
    next_day(desk)
    file = tmp_path / "holdfast.db"
    async with SqliteJournal.open(file, Stamp(Mode.PAPER, "paper"), Nanos(0)) as journal:
        await journal.append(desk.entries, desk.state)
    with StoreReader.open(file) as reader:
        assert [str(proof) for proof in reader.balance()] == ["OK", "OK"]


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE positions SET pnl = '299.99' WHERE status = 'closed'", "position s1-"),
        ("UPDATE positions SET cost = '7800.01' WHERE status = 'active'", "INR is off by 0.01"),
        (
            "UPDATE trading_sessions SET final_portfolio_value = '1' WHERE session_id = 's1'",
            "session s1: closing equity",
        ),
        (
            """UPDATE trading_sessions SET accounts =
            replace(accounts, '"realised":"300', '"realised":"301') WHERE session_id = 's1'""",
            "from what session s1 made",
        ),
    ],
)
async def test_a_row_edited_by_hand_breaks_the_balance_and_is_named(
    tmp_path: Path, statement: str, named: str
) -> None:
    file = await stored(tmp_path)
    with sqlite3.connect(file) as db:
        assert db.execute(statement).rowcount == 1
    db.close()
    with StoreReader.open(file) as reader:
        broken = [str(proof) for proof in reader.balance() if not proof.is_ok]
    assert len(broken) == 1
    assert broken[0].startswith("BROKEN")
    assert named in broken[0]


@settings(max_examples=60, deadline=None)
@given(
    prices=st.lists(st.integers(900, 1100), min_size=2, max_size=6),
    off=st.integers(1, 10**6),
    place=st.integers(0, 99),
)
def test_every_history_balances_and_any_amount_moved_breaks_it(
    prices: list[int], off: int, place: int
) -> None:
    desk = opened()
    books: list[SessionBook] = []
    for number, cents in enumerate(prices):
        trades(desk, f"{cents}.00")
        if held := list(desk.state.positions.values()):
            closes(desk, held[0])
        desk.open(f"n{number}", size="75")
        trades(desk, f"{cents + number}.00")
        ends(desk)
        state = desk.state
        account = state.accounts[INR]
        closing = account.cash + tied(state, INR) + unrealised(state, INR)
        books.append(SessionBook(f"{number}", (account,), closing))
        next_day(desk)
    books.append(SessionBook("last", (desk.state.accounts[INR],), None))
    rows = [
        PositionBook(p.id, "last", INR, p.realised, p.fees, None, p.cost)
        for p in desk.state.positions.values()
    ]
    assert all(proof.is_ok for proof in prove(books, rows))
    at = place % len(books)
    moved = Decimal(off) / 100
    account = replace(books[at].accounts[0], realised=books[at].accounts[0].realised + moved)
    wrong = [*books[:at], replace(books[at], accounts=(account,)), *books[at + 1 :]]
    (broken,) = [proof for proof in prove(wrong, rows) if not proof.is_ok]
    assert broken.session == books[at].session
