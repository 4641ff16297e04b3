"""The drill's examiner finds every kind of loss; the drill itself takes paper only."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.bootstrap.drill import Figures, copy_store, recovered_twice
from engine.bootstrap.drill_load import Chance, Load
from engine.bootstrap.drill_proof import (
    LEDGER,
    LOST,
    OTHER,
    TWICE,
    Examiner,
    Fault,
    Witness,
    went_back,
)
from engine.bootstrap.opening import paper_settings, past_of
from engine.bootstrap.options import LiveOptions
from engine.domain.command import ClosePosition, LiftLatch, ResumeEntries, SubmitSignal
from engine.domain.event import Entry, OrderFilled, OrderRequested
from engine.domain.ids import FillId, Nanos, OrderId, Seq
from engine.domain.inputs import Proof
from engine.domain.mapping import changed
from engine.domain.market import Quote
from engine.domain.money import Money, Price, price, qty
from engine.domain.order import Fill, Side
from engine.domain.session import Mode
from engine.domain.state import State
from engine.domain.truth import Execution
from engine.link.protocol import PROTOCOL, Welcome
from engine.ports.journal import JournalRefused
from engine.runtime.clock import ManualClock
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.paper.venue import PaperVenue
from tests.builders import INR, NIFTY, Desk, tick
from tests.linked import pulse
from tui.cli.parser import run

PAPER = Stamp(Mode.PAPER, "paper")


def traded() -> Desk:
    """Return a desk with one position closed and one open."""
    desk = Desk().start()
    desk.tick(tick("100.00", 1))
    desk.open("a")
    desk.tick(tick("60.00", 2))
    desk.tick(tick("100.00", 3))
    desk.open("b")
    desk.tick(tick("104.00", 4))
    desk.pass_time(1)
    assert [p.instrument for p in desk.state.positions.values()] == [NIFTY]
    return desk


async def store(directory: Path, desk: Desk, stamp: Stamp = PAPER) -> Path:
    """Return the closed store of what `desk` has journaled."""
    path = directory / "holdfast.db"
    async with SqliteJournal.open(path, stamp, Nanos(1)) as journal:
        await journal.append(desk.entries, desk.state)
    return path


def welcome(state: State) -> Welcome:
    return Welcome(
        protocol=PROTOCOL,
        engine_pid=1,
        started_at=Nanos(0),
        data_dir="",
        venue="paper",
        feed="sim",
        time_zone="UTC",
        state=state,
        quotes=(),
        instruments=(),
        health=None,
        quality=None,
        pulse=pulse(),
        logs=(),
        lease=None,  # type: ignore[arg-type]
    )


def heard(entries: list[Entry]) -> Witness:
    witness = Witness()
    witness.hear(welcome(State()))
    for entry in entries:
        witness.hear(entry)
    witness.settle()
    return witness


def kinds(faults: list[Fault]) -> set[str]:
    return {fault.kind for fault in faults}


async def test_a_journal_that_has_all_that_was_told_is_found_to_be_right(tmp_path: Path) -> None:
    desk = traded()
    examiner = Examiner(await store(tmp_path, desk))
    witness = heard(desk.entries)
    assert examiner.examine(witness) == []
    assert examiner.state == desk.state
    assert examiner.fills == 3
    assert set(witness.claims) == {0}  # what was shown after the last entry was compared


async def test_what_the_venue_executed_without_us_and_we_adopted_is_right(tmp_path: Path) -> None:
    desk = traded()
    free = Money(Decimal(0), INR)
    fill = Fill(FillId("x1"), OrderId("foreign"), price("105"), qty("75"), free, desk.now)
    execution = Execution(fill, NIFTY, Side.SELL)
    desk.give(Proof(NIFTY, Decimal(75), Decimal(0), (execution,)))
    assert not desk.state.positions
    assert Examiner(await store(tmp_path, desk)).examine(heard(desk.entries)) == []


async def test_an_acknowledged_entry_that_the_journal_lacks_is_lost(tmp_path: Path) -> None:
    desk = traded()
    witness = heard(desk.entries)
    told = desk.entries[-1]
    desk.entries.pop()
    cut = Desk()
    cut.entries = desk.entries
    path = tmp_path / "holdfast.db"
    async with SqliteJournal.open(path, PAPER, Nanos(1)) as journal:
        from engine.domain.evolve import fold

        await journal.append(cut.entries, fold(cut.entries))
    faults = Examiner(path).examine(witness)
    assert kinds(faults) == {LOST}
    assert str(told.seq) in str(faults[0])


async def test_an_acknowledged_entry_that_is_stored_otherwise_is_lost(tmp_path: Path) -> None:
    desk = traded()
    witness = heard(desk.entries)
    last = desk.entries[-1]
    witness.told[last.seq] = (int(last.at) + 1, *witness.told[last.seq][1:])
    faults = Examiner(await store(tmp_path, desk)).examine(witness)
    assert [(f.kind, "another" in f.text) for f in faults] == [(LOST, True)]


async def test_an_examined_entry_that_changes_afterwards_is_found(tmp_path: Path) -> None:
    desk = traded()
    path = await store(tmp_path, desk)
    examiner = Examiner(path)
    assert examiner.examine(heard(desk.entries)) == []
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TRIGGER IF EXISTS events_are_final")
        db.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")
    assert LOST in kinds(examiner.examine(Witness()))


async def test_a_watermark_that_is_gone_is_found(tmp_path: Path) -> None:
    path = await store(tmp_path, traded())
    path.with_name(f"{path.name}.watermark").unlink()
    assert kinds(Examiner(path).examine(Witness())) == {OTHER}


async def test_a_state_that_does_not_follow_from_the_journal_is_found(tmp_path: Path) -> None:
    desk = traded()
    witness = Witness()
    position = next(iter(desk.state.positions.values()))
    better = changed(position, stop_loss=Price(Decimal(1)))
    witness.hear(welcome(changed(desk.state, positions={position.id: better})))
    assert kinds(Examiner(await store(tmp_path, desk)).examine(witness)) == {OTHER}


def test_an_order_a_signal_or_a_fill_that_acts_twice_is_found() -> None:
    desk = traded()
    examiner = Examiner(Path("nowhere"))
    for entry in desk.entries:
        assert list(examiner._follow(entry, Witness(), "")) == []
    again = [e for e in desk.entries if isinstance(e.event, OrderRequested | OrderFilled)]
    for entry in again:
        assert TWICE in kinds(list(examiner._counted(entry)))


def test_cash_that_does_not_add_up_is_found_with_its_difference() -> None:
    desk = traded()
    examiner = Examiner(Path("nowhere"))
    for entry in desk.entries:
        list(examiner._follow(entry, Witness(), ""))
    assert list(examiner._balanced(desk.state.seq)) == []
    assert list(examiner._books_agree()) == []
    accounts = dict(desk.state.accounts)
    currency, account = next(iter(accounts.items()))
    accounts[currency] = changed(account, cash=account.cash + Decimal("0.01"))
    examiner.state = changed(desk.state, accounts=accounts)
    assert [f.amount for f in examiner._balanced(desk.state.seq)] == [Decimal("0.01")]
    assert [f.amount for f in examiner._books_agree()] == [Decimal("0.01")]
    examiner.state = changed(desk.state, positions={})
    assert LEDGER in kinds(list(examiner._books_agree()))


def test_a_new_engine_that_knows_less_or_a_worse_peak_went_back() -> None:
    desk = traded()
    assert went_back(None, desk.state) == []
    assert went_back(desk.state, desk.state) == []
    assert desk.state.extremes
    older = changed(desk.state, seq=Seq(desk.state.seq - 1), extremes={})
    assert len(went_back(desk.state, older)) == 2


async def test_recovering_twice_leads_to_one_state_and_touches_only_a_copy(tmp_path: Path) -> None:
    desk = traded()
    path = await store(tmp_path, desk)
    before = path.read_bytes()
    witness = Witness()
    assert await recovered_twice(path, witness) == []
    assert path.read_bytes() == before
    assert Examiner(path).examine(witness) == []
    assert not witness.claims


async def test_a_drill_copies_a_paper_store_whole_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    desk = traded()
    (tmp_path / "mine").mkdir()
    path = await store(tmp_path / "mine", desk)
    before = {p.name: p.read_bytes() for p in (tmp_path / "mine").iterdir()}
    data_dir = copy_store(path, tmp_path / "work", Nanos(2))
    assert Examiner(data_dir / path.name).examine(heard(desk.entries)) == []
    after = {p.name: p.read_bytes() for p in (tmp_path / "mine").iterdir() if p.name in before}
    assert after == before


async def test_a_drill_refuses_what_is_no_paper_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await store(tmp_path, traded(), Stamp(Mode.REPLAY, "paper"))
    with pytest.raises(JournalRefused, match="replay"):
        copy_store(path, tmp_path / "work", Nanos(2))
    assert run(["drill", "--data-dir", str(tmp_path / "nothing")]) == 6
    assert "no store" in capsys.readouterr().err


@pytest.mark.parametrize("kills", ["0", "-1", "many", "1000000"])
def test_a_number_of_kills_that_is_none_is_refused(
    kills: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["drill", "--kills", kills]) == 2
    assert "1 to 100000" in capsys.readouterr().err


def test_nothing_is_proven_without_positions_acknowledgements_or_with_a_fault() -> None:
    good = Figures(1, kills=3, with_positions=2, acked=5, restarts_s=[0.2, 0.9, 0.4])
    assert good.is_proven
    assert (good.restart(0.5), good.restart(0.95)) == (0.4, 0.9)
    assert not replace(good, with_positions=0).is_proven
    assert not replace(good, acked=0).is_proven
    bad = replace(good, faults=[Fault(LOST, "x"), Fault(LEDGER, "y", Decimal("0.5"))])
    assert not bad.is_proven
    row = json.loads(json.dumps(bad.row()))
    assert (row["lost"], row["ledger_difference"], row["proven"]) == (1, "0.5", False)


def test_a_load_keeps_positions_open_lifts_blocks_and_says_its_newest_words_again() -> None:
    desk = traded()
    quotes = {NIFTY: Quote(NIFTY, Price(Decimal(104)), desk.now)}
    instruments = tuple(desk.core.catalog.values())
    load = Load(Chance(1), "d", 2)
    said = [load.next(desk.state, quotes, instruments, desk.now) for _ in range(50)]
    assert {type(c) for c in said} >= {SubmitSignal, ClosePosition}
    assert list(load.opening(desk.state)) == [c for c in said if c][-4:]
    blocked = changed(desk.state, blocks={"safe-mode": "three crashes"})
    lifted = [load.next(blocked, quotes, instruments, desk.now) for _ in range(50)]
    assert any(isinstance(c, ResumeEntries) and c.source == "safe-mode" for c in lifted)
    assert not any(isinstance(c, LiftLatch) for c in lifted)
    ids = [c.id for c in (*said, *lifted) if c is not None]
    assert len(set(ids)) == len(ids)


async def test_a_paper_book_learnt_from_a_checkpoint_is_the_book_of_the_whole_journal(
    tmp_path: Path,
) -> None:
    desk = traded()
    path = tmp_path / "holdfast.db"
    async with SqliteJournal.open(path, PAPER, Nanos(1)) as journal:
        await journal.append(desk.entries, desk.state)
        await journal.checkpoint(desk.state, Nanos(2))
        known = len(desk.entries)
        desk.tick(tick("60.00", desk.now + 1))
        desk.tick(tick("100.00", desk.now + 2))
        desk.open("c")
        await journal.append(desk.entries[known:], desk.state)
    books = []
    async with SqliteJournal.open(path, PAPER, Nanos(3)) as journal:
        base = journal.recovered.base
        assert 0 < base.seq < desk.state.seq
        assert base.positions
        for start in (None, base):
            past = await past_of(journal, start)
            settings = paper_settings(LiveOptions(tmp_path), desk.state, past.cash)
            venue = PaperVenue(ManualClock(desk.now), settings)
            past.teach(venue)
            books.append(venue)
    whole, short = books
    assert short.account() == whole.account() == {c: a.cash for c, a in desk.state.accounts.items()}
    assert short.positions() == whole.positions() != {}
    assert short._book.lots == whole._book.lots
