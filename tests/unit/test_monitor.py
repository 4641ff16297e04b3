"""The monitor measures a real engine: nothing here is a stand-in but time."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.checkup import examine
from engine.domain.command import SubmitSignal
from engine.domain.event import (
    EntriesAllowed,
    EntriesBlocked,
    FeedChanged,
    OrderTimedOut,
    SignalRefused,
)
from engine.domain.gate import ALL, Gates
from engine.domain.health import Level
from engine.domain.ids import CommandId, InstrumentId, Nanos
from engine.domain.inputs import Reported
from engine.domain.money import Price
from engine.domain.quality import InstrumentQuality, QualityReport
from engine.domain.quality_book import QualityBook
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.core import Elapsed
from engine.runtime.engine import Engine
from engine.runtime.host import Host
from engine.runtime.latencies import Latencies
from engine.runtime.monitor import Checkup, Monitor
from engine.runtime.watchdog import LoopWatch
from engine.store.memory import MemoryJournal
from tests.builders import BTC, CATALOG, NIFTY, SECOND, Desk, session, signal, tick

START = Nanos(1_769_753_527 * SECOND)


class Enough(Exception):
    """Ends a loop that would go on for ever."""


class Bench:
    """An engine with one position, and its monitor, on a clock that is moved by hand."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock(START)
        desk = Desk()
        desk.now = START
        desk.start(session())
        desk.tick(tick("60000", START, BTC))
        desk.open("a", BTC, size="0.001")
        self.desk = desk
        self.core = desk.core
        self.journal = MemoryJournal()
        self.engine = Engine(desk.core, self.journal, self.clock)
        self.monitor = Monitor(self.engine, self.clock, QualityBook(CATALOG), Host(directory))
        self.monitor.attach()

    def go(self, seconds: float, *, is_ticking: bool = True, is_swept: bool = True) -> Checkup:
        """Let time pass in steps of 0.2 s."""
        for _ in range(round(seconds * 5)):
            now = Nanos(self.clock.now() + SECOND // 5)
            self.clock.set(now)
            given = tick("60000", now, BTC)
            if is_ticking and self.monitor.accept(given, now):
                self.desk.tick(given)
                self.monitor.sensors._on_tick(given, self.core.quotes[BTC])
            if is_swept:
                self.monitor.swept()
        return self.monitor.measure()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def score(checkup: Checkup, name: str) -> float:
    return next(part.score for part in checkup.health.components if part.name == name)


def test_an_engine_that_works_is_excellent(bench: Bench) -> None:
    checkup = bench.go(30)
    assert checkup.health.level is Level.EXCELLENT
    assert checkup.vitals.exits.positions == 1
    assert checkup.vitals.feed.ticks_per_s == pytest.approx(5.0)
    assert checkup.vitals.host.rss_mb > 5
    assert checkup.vitals.host.disk_free_mb is not None
    assert (checkup.notices, checkup.polls) == ((), ())
    # Memory is this very process's, which has run other tests before.
    losing = {c.name for c in checkup.health.components if c.losses}
    assert losing <= {"memory"}
    assert checkup.figures["health"].endswith(" Excellent")
    assert losing or checkup.figures["health"] == "100.0 Excellent"
    assert checkup.figures["exits.positions"] == "1"


def test_a_feed_that_falls_silent_is_said_once_and_its_return_once(bench: Bench) -> None:
    bench.go(10)
    assert bench.go(2, is_ticking=False).notices == ()
    lost, block = bench.go(2, is_ticking=False).notices
    assert isinstance(lost, FeedChanged)
    assert not lost.is_up
    assert block == EntriesBlocked("feed", f"feed: {lost.why}")
    assert not bench.monitor.is_feed_up
    later = bench.go(30, is_ticking=False)
    assert later.notices == ()
    assert score(later, "feed") < 70
    back, allowed = bench.go(1).notices
    assert isinstance(back, FeedChanged)
    assert back.is_up
    assert allowed == EntriesAllowed("feed")


def test_a_feed_that_says_it_is_lost_is_back_with_its_first_price(bench: Bench) -> None:
    bench.go(10)
    bench.monitor.feed_lost("connection reset")
    assert bench.go(1, is_ticking=False).notices == (
        FeedChanged("feed", False, "connection reset"),
        EntriesBlocked("feed", "feed: connection reset"),
    )
    bench.go(5, is_ticking=False)
    bench.monitor.feed_lost("")
    assert bench.go(1, is_ticking=False).notices == ()
    assert bench.go(1).notices[1] == EntriesAllowed("feed")


def test_a_feed_block_of_an_earlier_process_is_lifted_by_the_first_price(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.desk.give(EntriesBlocked("feed", "feed: silent for 3.1 s"))
    bench.monitor.attach()
    assert bench.go(1, is_ticking=False).notices == ()
    assert EntriesAllowed("feed") in bench.go(1).notices


def test_while_the_feed_is_silent_nothing_is_entered_and_everything_may_be_left(
    bench: Bench,
) -> None:
    bench.go(10)
    for notice in bench.go(4, is_ticking=False).notices:
        bench.desk.give(notice)
    now = bench.clock.now()
    bench.desk.now = now
    bench.desk.give(SubmitSignal(CommandId("late"), signal("late", BTC, size="0.001", at=now)))
    refusal = bench.desk.entries[-1].event
    assert isinstance(refusal, SignalRefused)
    assert "entries blocked by feed: feed: silent for" in refusal.reason
    bench.desk.tick(tick("40000", now, BTC))
    assert bench.core.state.positions == {}


def test_a_silent_held_price_is_polled_and_then_stale(bench: Bench) -> None:
    bench.go(10)
    assert bench.go(55, is_ticking=False).polls == ()
    checkup = bench.go(10, is_ticking=False)
    assert checkup.polls == (BTC,)
    assert [instrument for instrument, _ in checkup.vitals.feed.stale] == [BTC]


def test_a_price_in_the_danger_zone_is_polled_after_half_the_time(bench: Bench) -> None:
    bench.go(10)
    now = bench.clock.now()
    bench.desk.tick(tick("45500", now, BTC))  # stop at 45 000
    assert bench.go(29, is_ticking=False).polls == ()
    assert bench.go(2, is_ticking=False).polls == (BTC,)


def test_an_exit_monitor_that_died_is_critical_within_five_seconds(bench: Bench) -> None:
    bench.go(10)
    checkup = bench.go(5.2, is_ticking=False, is_swept=False)
    assert score(checkup, "exits") == 0
    assert checkup.health.level is Level.CRITICAL
    assert checkup.vitals.exits.unchecked[0][1] > 5
    assert "nobody looked at position" in checkup.remarks[0].text
    assert [line.level for line in checkup.remarks] == ["critical", "error"]


def test_a_position_outside_every_band_is_found(bench: Bench) -> None:
    bench.go(10)
    bench.core.bands[BTC].held.clear()
    checkup = bench.go(6, is_ticking=False)
    assert [position for position, _ in checkup.vitals.exits.unchecked] == list(
        bench.core.state.positions
    )


def test_bad_prices_shut_the_gate_of_their_instrument_until_they_are_past(bench: Bench) -> None:
    bench.go(2)
    bad = replace(tick("30", bench.clock.now()), price=Price(Decimal("NaN")))
    for _ in range(10):
        assert not bench.monitor.accept(bad, bench.clock.now())
    notices = bench.monitor.measure().notices
    assert notices[0] == EntriesBlocked(
        f"instrument:{NIFTY}", "data quality 40 is below the gate 60"
    )
    assert bench.monitor.measure().notices == ()
    assert EntriesAllowed(f"instrument:{NIFTY}") in bench.go(301).notices


def test_a_block_of_an_earlier_process_is_lifted_when_its_data_is_good(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.desk.give(EntriesBlocked(f"instrument:{BTC}", "data quality 40 is below the gate 60"))
    bench.desk.give(EntriesBlocked("console", "lunch"))
    bench.monitor.attach()
    assert bench.go(1).notices == (EntriesAllowed(f"instrument:{BTC}"),)


def test_an_exit_of_unknown_outcome_costs_the_exits(bench: Bench) -> None:
    bench.go(2)
    bench.desk.holds = True
    bench.desk.tick(tick("40000", bench.clock.now(), BTC))
    order = bench.desk.waiting[0].id
    bench.desk.core.report(Reported(OrderTimedOut(order)), bench.clock.now())
    checkup = bench.go(1)
    assert checkup.vitals.exits.unknown_orders == 1
    assert score(checkup, "exits") == 70


def test_a_store_that_fails_makes_everything_critical(bench: Bench) -> None:
    bench.engine.is_persisted, bench.engine.store_error = False, "disk full"
    checkup = bench.go(1)
    assert checkup.health.level is Level.CRITICAL
    assert checkup.health.worst == "store: NOT PERSISTED: disk full"


async def test_commits_and_exits_of_a_running_engine_are_measured(bench: Bench) -> None:
    await bench.journal.append(bench.desk.entries, bench.desk.state)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(bench.engine.run())
        bench.engine.submit(tick("60000", bench.clock.now(), BTC))
        bench.engine.submit(tick("40000", bench.clock.now(), BTC))
        bench.engine.submit(Elapsed())
        bench.engine.submit(SubmitSignal(CommandId("c"), signal("b", at=START)))
        bench.engine.stop()
        await running
    vitals = bench.monitor.measure().vitals
    assert vitals.store.commits >= 1
    assert bench.monitor.sensors.exits.total == 1
    assert bench.monitor.sensors.decisions.total == 1


async def test_a_checkup_is_published_every_second(bench: Bench) -> None:
    seen: list[Checkup] = []
    beats: list[None] = []
    bench.monitor.beat = lambda: beats.append(None)

    def publish(checkup: Checkup) -> None:
        seen.append(checkup)
        if len(seen) == 3:
            raise Enough

    with pytest.raises(Enough):
        await bench.monitor.run(publish)
    assert [c.vitals.at - START for c in seen] == [SECOND, 2 * SECOND, 3 * SECOND]
    assert len(beats) == 30


class Disk(Host):
    """A disk that is as full as a test says."""

    free = 1_000.0

    def disk_free_mb(self) -> float | None:
        return self.free


def test_a_disk_that_fills_up_blocks_entries_until_there_is_room_again(bench: Bench) -> None:
    bench.monitor.sensors.host = disk = Disk(Path("/"))
    said = []
    for free in (50, 49.6, 20, 99, 100, 60):
        disk.free = free
        said.append(bench.go(1).notices)
    blocked = EntriesBlocked("disk", "50 MB free; entries need 100")
    assert said == [(), (blocked,), (), (), (EntriesAllowed("disk"),), ()]


def test_a_disk_block_of_an_earlier_process_is_lifted_when_there_is_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.desk.give(EntriesBlocked("disk", "20 MB free; entries need 100"))
    bench.monitor.sensors.host = Disk(tmp_path)
    bench.monitor.attach()
    assert bench.go(1).notices == (EntriesAllowed("disk"),)


def quality(value: float) -> QualityReport:
    one = InstrumentQuality(NIFTY, value, 0.0, 10, (), None)
    return QualityReport(START, 100.0, 60.0, (one,))


def test_a_gate_opens_again_a_little_above_where_it_shut() -> None:
    gates = Gates()
    turned = [
        [(g.instrument, g.is_open) for g in gates.turn(quality(q))] for q in (60, 59.9, 64, 65, 64)
    ]
    assert turned == [[], [(NIFTY, False)], [], [(NIFTY, True)], []]


def test_a_bad_feed_shuts_the_gate_of_everything() -> None:
    (gate,) = Gates().turn(replace(quality(100), score=50.0))
    assert (gate.instrument, gate.is_open) == (ALL, False)


def test_percentiles_are_close_and_never_too_low() -> None:
    latencies = Latencies()
    for us in range(1, 10_001):
        latencies.add(Nanos(us * 1_000))
    assert 5.0 <= latencies.ms(0.5) <= 5.0 * 1.125
    assert 9.9 <= latencies.ms(0.99) <= 10.0
    assert latencies.ms_max == 10.0


def test_old_samples_leave_after_a_minute() -> None:
    latencies = Latencies()
    latencies.turn(Nanos(0))
    latencies.add(Nanos(SECOND))
    latencies.turn(Nanos(31 * SECOND))
    latencies.add(Nanos(1_000_000))
    assert latencies.ms_max == 1_000
    latencies.turn(Nanos(62 * SECOND))
    assert latencies.ms_max == 1.0
    latencies.turn(Nanos(1000 * SECOND))
    assert (latencies.ms(0.99), latencies.total) == (0.0, 2)


def test_a_stuck_loop_is_named_once_by_the_place_that_holds_it() -> None:
    clock, told = ManualClock(), list[str]()
    watch = LoopWatch(clock, told.append)
    watch._loop_thread = threading.get_ident()
    clock.set(Nanos(60 * SECOND))
    watch.look()
    assert told == []
    watch.beat()
    watch.look()
    clock.set(Nanos(64 * SECOND))
    watch.look()
    watch.look()
    assert len(told) == 1
    assert "stuck for 4.0 s" in told[0]
    assert sys._getframe().f_code.co_name in told[0]
    watch.beat()
    watch.look()
    clock.set(Nanos(69 * SECOND))
    watch.look()
    assert len(told) == 2


def test_a_watch_starts_and_stops() -> None:
    watch = LoopWatch(SystemClock(), lambda _: None)
    watch.start()
    watch.stop()
    assert not watch._thread.is_alive()


def test_health_of_what_was_measured_is_the_same_again(bench: Bench) -> None:
    checkup = bench.go(3)
    assert examine(checkup.vitals, checkup.health.level) == checkup.health


def test_an_unknown_symbol_is_counted_against_the_feed(bench: Bench) -> None:
    ghost = tick("1", bench.clock.now(), InstrumentId("GHOST"))
    assert not bench.monitor.accept(ghost, bench.clock.now())
    assert dict(bench.monitor.measure().quality.refused) == {"unknown_instrument": 1}
