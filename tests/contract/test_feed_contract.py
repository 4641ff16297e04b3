"""What every feed promises, and what is special about pacing and the simulated market."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Bar, Tick
from engine.domain.money import Currency
from engine.ports.venue import Feed, FeedItem
from engine.runtime.clock import ManualClock
from engine.venues import FEEDS, adapter
from engine.venues.refusals import Refusals
from engine.venues.replay.feed import BATCH, ReplayFeed
from engine.venues.replay.tape import TapeReader, TapeWriter
from engine.venues.sim.disturbance import Disturbance, Trouble
from engine.venues.sim.feed import SimFeed
from tests.builders import SECOND

START = Nanos(1_769_744_809_000_000_000)
ROWS = "".join(
    f"{START // 1_000_000 + 250 * n},{'AAPL' if n % 3 else 'MSFT'},{100 + n % 7},{n % 5}\n"
    for n in range(40)
)


def _file(folder: Path) -> Path:
    path = folder / "ticks.csv"
    path.write_text("time,symbol,price,volume\n" + ROWS)
    return path


def _replay(folder: Path) -> Feed:
    feed: Feed = adapter(FEEDS, "replay")([_file(folder)], ManualClock(START))
    return feed


def _sim(folder: Path) -> Feed:
    feed: Feed = adapter(FEEDS, "sim")(ManualClock(START), duration_s=3.0)
    return feed


MADE: Final[dict[str, Callable[[Path], Feed]]] = {"replay": _replay, "sim": _sim}


async def everything(feed: Feed) -> list[FeedItem]:
    return [item async for batch in feed.items() for item in batch]


@pytest.fixture(params=sorted(MADE))
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> Feed:
    return MADE[str(request.param)](tmp_path)


def test_every_registered_feed_is_held_to_the_contract() -> None:
    assert set(MADE) == set(FEEDS)


async def test_every_item_is_listed_finite_and_positive(feed: Feed) -> None:
    terms = await feed.instruments()
    items = await everything(feed)
    assert items
    for item in items:
        assert item.instrument in terms
        last = item.close if isinstance(item, Bar) else item.price
        assert last.is_finite()
        assert last > 0


async def test_items_come_in_time_order_and_no_batch_is_empty(feed: Feed) -> None:
    latest = 0
    async for batch in feed.items():
        assert batch
        for item in batch:
            assert item.at >= latest
            latest = item.at


async def test_the_same_feed_made_again_says_the_same(feed: Feed, tmp_path: Path) -> None:
    again = MADE[feed.name](tmp_path)
    assert await everything(feed) == await everything(again)


async def test_a_paced_replay_takes_as_long_as_the_recording_divided_by_its_speed(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    feed = ReplayFeed([_file(tmp_path)], clock, speed=2.0)
    await everything(feed)
    assert clock.now() == 39 * SECOND // 4 // 2


async def test_at_full_speed_nothing_waits_and_batches_stay_small(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = "".join(f"{START // SECOND},AAPL,{1 + n}\n" for n in range(3 * BATCH))
    path.write_text("time,symbol,price\n" + rows)
    clock = ManualClock(START)
    sizes = [len(batch) async for batch in ReplayFeed([path], clock).items()]
    assert sum(sizes) == 3 * BATCH
    assert max(sizes) <= BATCH
    assert clock.now() == START


async def test_a_paused_replay_delivers_steps_only_and_resumes_with_nothing_lost(
    tmp_path: Path,
) -> None:
    feed = ReplayFeed([_file(tmp_path)], ManualClock(START))
    batches = feed.items()
    feed.step(3)
    assert len(await anext(batches)) == 3
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await anext(batches)
    feed = ReplayFeed([_file(tmp_path)], ManualClock(START))
    batches = feed.items()
    feed.step(2)
    first = await anext(batches)
    feed.resume()
    rest = [item async for batch in batches for item in batch]
    assert len(first) + len(rest) == 40


async def test_seeking_forward_leaves_nothing_out_and_waits_for_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    feed = ReplayFeed([_file(tmp_path)], clock, speed=1.0)
    feed.seek(Nanos(START + 5 * SECOND))
    assert len(await everything(feed)) == 40
    assert clock.now() == 19 * SECOND // 4
    with pytest.raises(ValueError, match="forward only"):
        feed.seek(START)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_an_impossible_speed_is_refused(tmp_path: Path, speed: float) -> None:
    with pytest.raises(ValueError, match="speed was"):
        ReplayFeed([_file(tmp_path)], ManualClock(), speed=speed)
    with pytest.raises(ValueError, match="speed was"):
        SimFeed(ManualClock(), speed=speed)


async def test_a_tape_replays_as_the_ticks_that_were_recorded(tmp_path: Path) -> None:
    sim = SimFeed(ManualClock(START), duration_s=2.0)
    recorded = [item for item in await everything(sim) if isinstance(item, Tick)]
    path = tmp_path / "sim.tape"
    with TapeWriter(path, (await sim.instruments()).values(), is_wide=True) as tape:
        for tick in recorded:
            tape.write(tick)
    feed = ReplayFeed([path], ManualClock(START))
    assert await feed.instruments() == await sim.instruments()
    replayed = await everything(feed)
    for tick in recorded:
        tick.source = "feed"
    assert replayed == recorded


async def test_the_sim_prices_everything_it_lists_in_its_first_batch() -> None:
    sim = SimFeed(ManualClock(START))
    first = await anext(sim.items())
    assert {item.instrument for item in first} == set(await sim.instruments())


async def test_options_have_oi_and_volume_and_the_perpetual_has_bid_and_ask() -> None:
    sim = SimFeed(ManualClock(START), duration_s=1.0)
    ticks = {item.instrument: item for item in await everything(sim) if isinstance(item, Tick)}
    option = ticks[InstrumentId("NIFTY-25000-CALL")]
    assert option.oi
    assert option.volume
    perpetual = ticks[InstrumentId("BTC_USDC-PERPETUAL")]
    assert perpetual.bid
    assert perpetual.ask
    assert perpetual.bid < perpetual.ask
    assert ticks[InstrumentId("NIFTY")].volume is None


async def test_sim_prices_are_whole_ticks_and_volumes_whole_lots() -> None:
    sim = SimFeed(ManualClock(START), duration_s=2.0)
    terms = await sim.instruments()
    for item in await everything(sim):
        assert isinstance(item, Tick)
        of = terms[item.instrument]
        assert item.price % of.tick_size == 0
        assert (item.volume or Decimal(0)) % of.lot_size == 0


async def test_another_seed_is_another_market() -> None:
    one = await everything(SimFeed(ManualClock(START), seed=1, duration_s=1.0))
    two = await everything(SimFeed(ManualClock(START), seed=2, duration_s=1.0))
    assert one != two


async def test_a_sim_that_goes_on_after_a_restart_has_the_same_prices() -> None:
    through = SimFeed(ManualClock(START), duration_s=12.0)
    wanted = {i.instrument: i for i in await everything(through) if isinstance(i, Tick)}
    clock = ManualClock(Nanos(START + 10 * SECOND))
    resumed = SimFeed(clock, began=START, duration_s=12.0)
    found = {i.instrument: i for i in await everything(resumed) if isinstance(i, Tick)}
    index = InstrumentId("NIFTY")
    assert found[index] == wanted[index]
    assert found[InstrumentId("NIFTY-25000-PUT")].oi == wanted[InstrumentId("NIFTY-25000-PUT")].oi


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Trouble.NOT_A_NUMBER, "price_not_finite"),
        (Trouble.ZERO, "price_zero"),
        (Trouble.NEGATIVE, "price_negative"),
        (Trouble.LATE, "out_of_order"),
    ],
)
async def test_a_bad_tick_on_demand_is_counted_and_not_delivered(
    trouble: Trouble, reason: str
) -> None:
    wrong = Disturbance(trouble, InstrumentId("AAPL"), at=1.0)
    sim = SimFeed(ManualClock(START), duration_s=2.0, disturbances=[wrong])
    good = SimFeed(ManualClock(START), duration_s=2.0)
    assert len(await everything(sim)) == len(await everything(good)) - 1
    assert sim.refused.counts() == ((reason, 1),)


async def test_a_halt_silences_an_index_and_its_options() -> None:
    index = InstrumentId("NIFTY")
    halted = SimFeed(
        ManualClock(START),
        duration_s=6.0,
        disturbances=[Disturbance(Trouble.HALT, index, at=1.0, seconds=4.0)],
    )
    times = {i.at for i in await everything(halted) if i.instrument.startswith("NIFTY")}
    assert not {at for at in times if START + SECOND <= at < START + 5 * SECOND}
    assert max(times) > START + 5 * SECOND


async def test_a_gap_moves_an_index_without_trading_between() -> None:
    index = InstrumentId("NIFTY")
    gap = Disturbance(Trouble.GAP, index, at=1.0, size=-0.05)
    sim = SimFeed(ManualClock(START), duration_s=2.0, disturbances=[gap])
    prices = [
        item.price
        for item in await everything(sim)
        if isinstance(item, Tick) and item.instrument == index
    ]
    assert min(after / before for before, after in pairwise(prices)) < Decimal("0.96")


def test_a_tape_that_was_cut_off_reads_to_the_last_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "t.tape"
    with TapeWriter(path, []) as tape:
        for n in range(5):
            tape.write_raw(0, START + n, 100.5)
    path.write_bytes(path.read_bytes()[:-7])
    reader = TapeReader(path)
    assert reader.count == 4
    assert [record[1] - START for record in reader.raw()] == [0, 1, 2, 3]


def test_a_damaged_record_is_counted_and_the_others_are_kept(tmp_path: Path) -> None:
    share = Instrument(InstrumentId("AAPL"), Kind.EQUITY, Currency("USD"))
    path = tmp_path / "t.tape"
    with TapeWriter(path, [share]) as tape:
        for index, at, last in ((0, 1, 5.0), (7, 2, 5.0), (0, 3, -5.0), (0, 0, 5.0), (0, 4, 6.0)):
            tape.write_raw(index, at, last)
    refused = Refusals()
    assert [tick.price for tick in TapeReader(path).ticks(refused)] == [5, 6]
    assert refused.counts() == (("record_damaged", 3),)
