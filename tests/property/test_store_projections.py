"""However a journal is cut into commits, the tables end the same: the ones the journal says."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import event as ev
from engine.domain.evolve import fold
from engine.domain.money import plain
from engine.domain.state import CLOSED_KEPT, State
from engine.store import tables
from engine.store.amounts import stored, text_of
from engine.store.projections import project
from engine.store.schema import TABLES
from tests.decided_history import DecidedHistory
from tests.histories import History, batches


def projected(cut: list[list[ev.Entry]]) -> dict[str, list[tuple[object, ...]]]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    for statement in TABLES:
        db.execute(statement)
    db.execute("PRAGMA foreign_keys = ON")
    state = State()
    for batch in cut:
        after = fold(batch, state)
        project(state, batch, after).write(db)
        state = after
    found = {
        t.name: db.execute(f"SELECT * FROM {t.name} ORDER BY {', '.join(t.key)}").fetchall()
        for t in tables.ALL
    }
    db.close()
    return found


def two_sessions(seed: int, length: int) -> History:
    history = History(seed).run(length)
    history.close_all().end()
    return history.start().run(2 * length)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 10**6), length=st.integers(5, 250))
def test_tables_do_not_depend_on_how_the_journal_was_cut(seed: int, cut: int, length: int) -> None:
    entries = two_sessions(seed, length).entries
    one_by_one = projected([[entry] for entry in entries])
    assert projected(batches(entries, cut)) == one_by_one
    assert projected([entries]) == one_by_one


def test_no_trade_is_lost_when_one_commit_closes_more_than_the_state_keeps() -> None:
    history = History(1).start()
    for _ in range(CLOSED_KEPT + 40):
        history.request_entry()
        history.close_all()
    entries = history.entries
    rows = projected([entries[:3], entries[3:]])["positions"]
    assert len(rows) == sum(a.trades for a in history.state.accounts.values()) > CLOSED_KEPT
    assert rows == projected([[entry] for entry in entries])["positions"]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_open_positions_and_working_orders_are_those_of_the_state(seed: int) -> None:
    history = History(seed).run(200)
    found = projected(batches(history.entries, seed))
    position = dict(zip(tables.POSITIONS.columns, range(99), strict=False))
    order = dict(zip(tables.ORDERS.columns, range(99), strict=False))
    active = {r[0] for r in found["positions"] if r[position["status"]] == "active"}
    final = {"filled", "rejected", "cancelled"}
    working = {r[0] for r in found["orders"] if r[order["status"]] not in final}
    assert active == set(history.state.positions)
    assert working == set(history.state.orders)


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.decimals(-(10**9), 10**9, places=4))
def test_an_amount_comes_back_from_a_table_digit_by_digit(amount: Decimal) -> None:
    with sqlite3.connect(":memory:") as db:
        ((kept,),) = db.execute("SELECT ?", (stored(amount),))
    assert text_of(kept) == plain(amount)


@given(st.integers(-(10**6), 10**6), st.integers(0, 12))
def test_equal_amounts_are_stored_equally_and_ordinary_ones_as_numbers(
    digits: int, places: int
) -> None:
    amount = Decimal(digits).scaleb(-places)
    longer = amount.quantize(Decimal(1).scaleb(-places - 5))
    assert stored(longer) == stored(amount)
    assert isinstance(stored(amount), float)
    assert Decimal(text_of(stored(amount))) == amount


@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=2, max_size=8))
def test_amounts_sort_and_compare_in_sql_as_numbers_do(amounts: list[Decimal]) -> None:
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE a (v ANY) STRICT")
        db.executemany("INSERT INTO a VALUES (?)", [(stored(amount),) for amount in amounts])
        by_size = [Decimal(text_of(v)) for (v,) in db.execute("SELECT v FROM a ORDER BY v DESC")]
        ((gains,),) = db.execute("SELECT count(*) FROM a WHERE v > 0")
    assert by_size == sorted(amounts, reverse=True)
    assert gains == sum(amount > 0 for amount in amounts)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.integers(0, 10**6), length=st.integers(20, 250))
def test_decisions_and_adopted_orders_do_not_depend_on_how_the_journal_was_cut(
    seed: int, cut: int, length: int
) -> None:
    entries = DecidedHistory(seed).run(length).entries
    one_by_one = projected([[entry] for entry in entries])
    assert projected(batches(entries, cut)) == one_by_one
    assert projected([entries]) == one_by_one


def test_a_decision_has_one_row_that_says_how_it_ended() -> None:
    history = DecidedHistory(3).run(400)
    rows = projected([history.entries])["decisions"]
    ends = {row[0]: row[13] for row in rows}
    asked, taken, withdrawn = set(), set(), set()
    for entry in history.entries:
        match entry.event:
            case ev.DecisionAsked(decision=decision):
                asked.add(decision.id)
            case ev.DecisionTaken(decision=id_):
                taken.add(id_)
            case ev.DecisionWithdrawn(decision=id_) if id_ not in taken:
                withdrawn.add(id_)
    assert set(ends) == asked
    assert taken
    assert withdrawn
    assert {id_ for id_, end in ends.items() if end == "taken"} == taken
    assert {id_ for id_, end in ends.items() if end == "withdrawn"} == withdrawn
    assert {id_ for id_, end in ends.items() if end == "pending"} == set(history.state.decisions)
