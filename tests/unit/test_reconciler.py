"""The reconciler in motion: what it asks, settles, blocks, and leaves alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.command import Reconcile, SubmitSignal
from engine.domain.event import EntriesBlocked, FeedChanged, OrderFilled, SignalRefused
from engine.domain.ids import CommandId, Nanos, OrderId
from engine.domain.order import Side
from engine.domain.reconcile import Action, Found
from engine.domain.session import Mode
from engine.domain.truth import OpenOrder, VenueTruth
from engine.ports.journal import Journal
from engine.runtime import reconciler as module
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.engine import Engine
from engine.runtime.executor import Executor
from engine.runtime.logbook import Logbook
from engine.runtime.reconciler import Reconciler
from engine.store.memory import MemoryJournal
from engine.store.mending import Mending, _expected, _put
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.paper.settings import PaperSettings
from tests.builders import CATALOG, INR, NIFTY, PUT_25900, SECOND, session, signal, tick
from tests.contract.told_venue import Change, ToldVenue, empty, flat

START = Nanos(1_769_753_527 * SECOND)


class Bench:
    """An engine on paper with a position, and its reconciler, on a clock moved by hand."""

    def __init__(self, directory: Path, journal: Journal | None = None) -> None:
        self.clock = ManualClock(START)
        self.logbook = Logbook(directory, self.clock)
        self.engine = Engine(Core(CATALOG), journal or MemoryJournal(), self.clock)
        self.venue = ToldVenue(self.clock, PaperSettings(cash={INR: Decimal(100_000)}))
        Executor(self.venue, self.engine.submit, self.clock)
        self.reconciler = Reconciler(self.engine, self.venue, self.clock, self.logbook)
        self.engine.subscribe(self.reconciler.on_entry)

    async def opened(self, *, is_heard: bool = True) -> Bench:
        await self.engine.settle(session())
        await self.enter("a", is_heard=is_heard)
        return self

    async def enter(self, id_: str, *, is_heard: bool = True) -> None:
        now = self.clock.now()
        self.venue.on_tick(tick("30", now))
        self.engine.submit(tick("30", now))
        self.engine.submit(SubmitSignal(CommandId(f"c-{id_}"), signal(id_, at=now)))
        await self.settled()
        for working in tuple(self.engine.state.orders.values()):
            hear, self.venue.report = self.venue.report, self.venue.report
            if not is_heard:
                self.venue.report = lambda report: None
            self.venue.place(working.order, PUT_25900)
            self.venue.report = hear
        await self.settled()

    async def settled(self) -> None:
        """Let the engine take in everything that waits."""
        self.engine.stop()
        await self.engine.run()

    async def run(self, seconds: float = 6) -> list[tuple[Found, Action]]:
        """Reconcile once, some seconds later."""
        self.clock.set(Nanos(self.clock.now() + int(seconds * SECOND)))
        found = await self.reconciler.reconcile()
        await self.settled()
        return [(finding.what, finding.action) for finding in found]

    @property
    def blocks(self) -> dict[str, str]:
        return dict(self.engine.state.blocks)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    return await Bench(tmp_path).opened()


async def test_three_that_agree_change_nothing_and_are_told_at_debug(bench: Bench) -> None:
    before = bench.engine.state
    assert await bench.run() == []
    assert bench.engine.state == before
    assert bench.reconciler.good_at == bench.clock.now()
    assert bench.logbook.recent[-1].level == "debug"


async def test_a_fill_that_nobody_heard_of_is_booked_once(tmp_path: Path) -> None:
    bench = await Bench(tmp_path).opened(is_heard=False)
    assert not bench.engine.state.positions
    entries: list[object] = []
    bench.engine.subscribe(lambda entry, _state: entries.append(entry.event))
    assert await bench.run() == [(Found.MISSED_FILL, Action.SETTLE)]
    assert [p.qty for p in bench.engine.state.positions.values()] == [75]
    assert await bench.run() == []
    assert sum(isinstance(event, OrderFilled) for event in entries) == 1


@pytest.mark.parametrize("change", [empty, flat])
async def test_a_wrong_empty_answer_closes_nothing_however_often(
    bench: Bench, change: Change
) -> None:
    bench.venue.change = change
    held = bench.engine.state.positions
    for _ in range(20):
        assert Action.SETTLE not in {action for _, action in await bench.run()}
    assert bench.engine.state.positions == held
    assert not bench.engine.state.orders


async def test_a_failing_and_a_silent_venue_are_unreachable_and_block_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.engine.state
    bench.venue.failure = ConnectionResetError("reset by peer")
    assert await bench.run() == [(Found.UNREACHABLE, Action.NOTHING)]
    assert bench.reconciler.found[0].subject == "ConnectionResetError: reset by peer"
    bench.venue.failure, bench.venue.is_silent = None, True
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
    assert await bench.run() == [(Found.UNREACHABLE, Action.NOTHING)]
    assert bench.reconciler.found[0].subject == "no answer within 0.01 s"
    assert bench.reconciler.good_at is None
    assert bench.engine.state == before


async def test_a_difference_blocks_its_instrument_until_it_is_over_and_never_an_exit(
    bench: Bench,
) -> None:
    bench.venue.change = lambda truth: replace(truth, positions={NIFTY: Decimal(150)})
    assert await bench.run() == [(Found.DIFFERS, Action.AGAIN)]
    assert bench.blocks == {}
    assert await bench.run() == [(Found.DIFFERS, Action.ASK)]
    reason = bench.blocks[f"venue:{NIFTY}"]
    assert "75 here, 150 at the venue" in reason
    refused: list[str] = []
    bench.engine.subscribe(
        lambda entry, _state: (
            refused.append(entry.event.reason) if isinstance(entry.event, SignalRefused) else None
        )
    )
    bench.engine.submit(SubmitSignal(CommandId("c-b"), signal("b", at=bench.clock.now())))
    await bench.settled()
    assert refused == [reason]
    bench.engine.submit(tick("10", bench.clock.now()))
    await bench.settled()
    (exit_,) = bench.engine.state.orders.values()
    assert exit_.order.side is Side.SELL  # the stop fired all the same
    bench.venue.place(exit_.order, PUT_25900)
    await bench.settled()
    bench.venue.change = lambda truth: truth
    assert await bench.run() == []
    assert bench.blocks == {}


async def test_a_failed_run_lifts_no_block(bench: Bench) -> None:
    bench.engine.submit(EntriesBlocked(f"venue:{NIFTY}", "differs"))
    await bench.settled()
    bench.venue.failure = OSError("down")
    await bench.run()
    assert bench.blocks == {f"venue:{NIFTY}": "differs"}
    bench.venue.failure = None
    await bench.run()
    assert bench.blocks == {}


async def test_a_stray_order_of_ours_is_cancelled_and_a_strangers_is_left(bench: Bench) -> None:
    def with_strays(truth: VenueTruth) -> VenueTruth:
        ours = OpenOrder(OrderId("s1-999"), NIFTY, Side.SELL, Decimal(75))
        return replace(truth, orders=(ours, replace(ours, id=OrderId("hand"))))

    bench.venue.change = with_strays
    await bench.run()
    assert not bench.venue.cancelled
    await bench.run()
    assert bench.venue.cancelled == [OrderId("s1-999")]


async def test_it_looks_again_after_five_seconds_in_doubt_and_at_once_when_prices_are_back(
    bench: Bench,
) -> None:
    bench.venue.change = flat
    await bench.run()
    assert bench.reconciler._pause(60) == 5
    bench.venue.change = lambda truth: truth
    await bench.run()
    assert bench.reconciler._pause(60) == 60
    assert not bench.reconciler._is_wanted
    bench.engine.submit(FeedChanged("sim", is_up=True, why="back"))
    await bench.settled()
    assert bench.reconciler._is_wanted


async def test_a_person_can_have_it_done_now(bench: Bench) -> None:
    await bench.run()
    bench.engine.submit(Reconcile(CommandId("r1"), "cli"))
    await bench.settled()
    assert bench.reconciler._is_wanted
    await bench.run()
    assert not bench.reconciler._is_wanted


async def test_each_finding_is_one_structured_record_said_once(bench: Bench) -> None:
    bench.venue.change = flat
    for _ in range(4):
        await bench.run()
    lines = [record for record in bench.logbook.recent if record.source == "reconcile"]
    assert [dict(line.fields)["action"] for line in lines] == ["looked at again", "asks a person"]
    assert dict(lines[-1].fields) | {"trade": ""} == {
        "trade": "",
        "instrument": NIFTY,
        "engine": "75",
        "database": "",
        "venue": "0",
        "action": "asks a person",
    }
    assert bench.reconciler.counts == {Found.GONE: 1}


async def test_health_knows_how_old_the_last_answer_is_and_what_a_person_must_decide(
    bench: Bench,
) -> None:
    await bench.run()
    bench.venue.failure = OSError("down")
    await bench.run(90)
    vitals = bench.reconciler.vitals(bench.clock.now())
    assert (vitals.runs, vitals.age_s, vitals.why) == (2, 90.0, "OSError: down")
    bench.venue.failure, bench.venue.change = None, flat
    for _ in range(3):
        await bench.run()
    vitals = bench.reconciler.vitals(bench.clock.now())
    assert (vitals.age_s, len(vitals.asking), vitals.found) == (0.0, 1, 2)


@asynccontextmanager
async def stored(tmp_path: Path) -> AsyncIterator[tuple[Bench, Path]]:
    path = tmp_path / "holdfast.db"
    stamp = Stamp(Mode.PAPER, "paper")
    async with SqliteJournal.open(path, stamp, START) as journal:
        bench = await Bench(tmp_path, journal).opened()
        bench.reconciler._tables = Mending(journal, path)
        yield bench, path


def rows(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as db:
        return db.execute("SELECT position_id, status FROM positions ORDER BY 1").fetchall()


async def test_a_row_typed_by_hand_is_found_and_removed_in_one_run(tmp_path: Path) -> None:
    async with stored(tmp_path) as (bench, path):
        (before,) = rows(path)
        with sqlite3.connect(path) as db:
            db.execute(
                "INSERT INTO positions SELECT 'typed', "
                + ", ".join(r[1] for r in db.execute("PRAGMA table_info(positions)") if r[5] == 0)
                + " FROM positions"
            )
        assert len(rows(path)) == 2
        assert await bench.run() == [(Found.ORPHAN_ROW, Action.SETTLE)]
        assert rows(path) == [before]
        assert await bench.run() == []


async def test_a_closed_row_edited_to_active_is_closed_again_with_its_own_figures(
    tmp_path: Path,
) -> None:
    async with stored(tmp_path) as (bench, path):
        bench.engine.submit(tick("10", bench.clock.now()))
        await bench.settled()
        (exit_,) = bench.engine.state.orders.values()
        bench.venue.place(exit_.order, PUT_25900)
        await bench.settled()
        with sqlite3.connect(path) as db:
            before = db.execute("SELECT * FROM positions").fetchall()
            db.execute("UPDATE positions SET status = 'active', exit_price = NULL, pnl = NULL")
        assert await bench.run() == [(Found.ORPHAN_ROW, Action.SETTLE)]
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT * FROM positions").fetchall() == before


@pytest.mark.parametrize(
    "edit", ["qty = 999", "status = 'closed'", "side = 'sell', direction = 'short'"]
)
async def test_an_edited_row_of_an_open_position_is_rewritten_at_the_second_look(
    tmp_path: Path, edit: str
) -> None:
    async with stored(tmp_path) as (bench, path):
        with sqlite3.connect(path) as db:
            before = db.execute("SELECT * FROM positions").fetchall()
            db.execute(f"UPDATE positions SET {edit}")
        assert await bench.run() == [(Found.EDITED_ROW, Action.AGAIN)]
        assert bench.engine.state.positions  # it is watched as before
        assert await bench.run() == [(Found.EDITED_ROW, Action.SETTLE)]
        with sqlite3.connect(path) as db:
            assert db.execute("SELECT * FROM positions").fetchall() == before
        assert await bench.run() == []


async def test_an_edited_row_is_left_while_its_position_moves(tmp_path: Path) -> None:
    async with stored(tmp_path) as (bench, path):
        (position,) = bench.engine.state.positions
        expected, seq = await asyncio.to_thread(_expected, path, (position,))
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("UPDATE positions SET qty = 999")
            db.execute("UPDATE events SET type = 'OrderFilled' WHERE seq = ?", (seq,))
            assert _put(db, (position,), expected, seq - 1) == []
            assert db.execute("SELECT qty FROM positions").fetchone() == (999,)
            assert len(_put(db, (position,), expected, seq)) == 1
            assert db.execute("SELECT qty FROM positions").fetchone() == (75,)
