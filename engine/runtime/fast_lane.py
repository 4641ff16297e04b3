"""The fast lane of a replay: a block of records at once, one by one only where something happens.

It leads to the same journal as giving every record to `Replayer.take` (tests/replay). Per second
and instrument it looks at the extremes of the records; what stays within the instrument's band is
noted and no more. A record goes the ordinary way (`take`) where the band, a reader or an order on
its way may have something to do with it. What watches entries may act on the instrument that
ticked only, unless it is a reader and says what it waits for (`quiet_until`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.runtime.backlog import Backlog
from engine.runtime.band_table import BandTable
from engine.runtime.block_scan import Row, Scan
from engine.runtime.blocks import Block, Floats
from engine.runtime.collecting import seldom
from engine.runtime.replayer import FLUSH_AT, Replayer
from engine.runtime.wants import Wants


async def run_blocks(
    replayer: Replayer, blocks: Iterable[Block], ids: Sequence[InstrumentId]
) -> None:
    """Take in all `blocks`; `ids` names the instruments by index."""
    replayer.begin()
    lane = _Lane(replayer, ids)
    with seldom():
        await _run(lane, replayer, blocks)
        await replayer.finish()


async def _run(lane: _Lane, replayer: Replayer, blocks: Iterable[Block]) -> None:
    for block in blocks:
        if lane.begin(block):
            for number in range(lane.seconds):
                lane.run_second(number)
                if replayer.unflushed >= FLUSH_AT:
                    await replayer.flush()
            lane.end()
            continue
        for tick in block.ticks():
            replayer.take(tick)
            if replayer.unflushed >= FLUSH_AT:
                await replayer.flush()
        lane.resume()
    lane.leave()


class _Lane:
    """Walks through the seconds of a block."""

    def __init__(self, replayer: Replayer, ids: Sequence[InstrumentId]) -> None:
        core = replayer.core
        self._replayer, self._core = replayer, core
        self._bands = [core.guard.band(id_) for id_ in ids]
        self._backlog = Backlog(replayer, ids)
        self._wants = Wants(replayer, ids)
        self._before = 0
        self.resume()

    def resume(self) -> None:
        """Take over where the ordinary lane has been."""
        self._table = BandTable(self._bands)
        self._core.guard.moved.clear()
        self._second = -1
        self._before = self._replayer.clock.now()
        self._wants.ask()

    @property
    def seconds(self) -> int:
        return len(self._scan.first_at)

    def begin(self, block: Block) -> bool:
        """Take up a block; return False if every record of it must go the ordinary way."""
        is_plain = (
            not self._core.is_risk_limited  # else every price counts, of whatever instrument
            and _is_sound(block, len(self._bands), self._replayer.clock.now())
            and int(self._wants.since[block.index].max()) > 0
        )
        if is_plain:
            self._block, self._scan = block, Scan(block)
        if not is_plain or not self._backlog.begin(block, self._scan):
            self.leave()
            return False
        self._upto = np.zeros(len(self._bands), np.intp)
        self._vwap: tuple[Floats, Floats] | None = None
        return True

    def leave(self) -> None:
        """Let the quotes say what the recording did so far."""
        self._backlog.enter_all()

    def end(self) -> None:
        """Leave the block."""
        self._backlog.end()
        self._replayer.clock.set(Nanos(self._before))

    def run_second(self, number: int) -> None:
        """Take in the records of one second of the block."""
        scan, table = self._scan, self._table
        self._pass_until(scan.first_at[number])
        start, end = scan.segments[number], scan.segments[number + 1]
        self._before = int(self._block.at[scan.begins[number + 1] - 1])
        self._core.ticks += scan.begins[number + 1] - scan.begins[number]
        inst = scan.inst[start:end]
        is_out = scan.high[start:end] > table.high[inst]
        is_out |= scan.low[start:end] < table.low[inst]
        if table.is_timed:
            is_out |= scan.last_at[start:end] >= table.deadline[inst]
            if scan.oi is not None:
                is_out |= scan.oi[start:end] >= table.oi_from[inst]
        if table.has_vwap:
            low, high = self._vwap_of()
            is_out |= low[start:end] <= table.vwap_low[inst]
            is_out |= high[start:end] >= table.vwap_high[inst]
        if self._wants.is_any:
            is_out |= self._wants.since[inst] <= scan.last_at[start:end]
        out = is_out.nonzero()[0]
        if len(out):
            self._look(number, out + start)
        self._upto[inst] = scan.ends[start:end]

    def _pass_until(self, at: int) -> None:
        """Let the time until `at` pass, as `Replayer.take` would."""
        second = at // SECOND
        if second == self._second:
            return
        self._second = second
        replayer, core, before = self._replayer, self._core, Nanos(self._before)
        silent = before - core.state.limits.price_age_max_s * SECOND
        if core.reads_quotes(before) or (
            self._table.is_timed and self._table.deadline.min() <= silent
        ):
            self._catch_up()
        replayer.clock.set(before)
        replayer.pass_until(Nanos(at))
        self._table.refresh_all(self._core.guard.moved)
        self._wants.ask()

    def _catch_up(self) -> None:
        """Enter the newest records of what is held: quotes are about to be read."""
        for index, band in enumerate(self._bands):
            if band.held:
                self._backlog.enter(index, int(self._upto[index]))

    def _look(self, number: int, out: NDArray[np.intp]) -> None:
        """Walk through what leaves its band, and note the rest, which is within after all."""
        scan, table, bands = self._scan, self._table, self._bands
        to_walk: list[int] = []
        quiet: list[tuple[int, float, float]] = []
        for segment, index, high, low, last in zip(
            out.tolist(),
            scan.inst[out].tolist(),
            scan.high[out].tolist(),
            scan.low[out].tolist(),
            scan.last_at[out].tolist(),
            strict=True,
        ):
            band = bands[index]
            is_within = band.lo < low and high < band.hi and last < band.deadline
            if is_within and not self._is_asked(segment, index, last):
                quiet.append((index, high, low))
            else:
                to_walk.append(segment)
        walked = self._walk(number, to_walk) if to_walk else ()
        for index, high, low in quiet:
            band = bands[index]
            if band.held and index not in walked:
                band.note(high)
                band.note(low)
                table.refresh(index)

    def _is_asked(self, segment: int, index: int, last: int) -> bool:
        """Return whether a reader, an order, open interest or the VWAP asks for a quiet segment."""
        scan, table, band = self._scan, self._table, self._bands[index]
        if self._wants.is_any and self._wants.since[index] <= last:
            return True
        if scan.oi is not None and scan.oi[segment] >= band.oi_from:
            return True
        if not band.vwap_rules:
            return False
        low, high = self._vwap_of()
        return bool(
            low[segment] <= table.vwap_low[index] or high[segment] >= table.vwap_high[index]
        )

    def _vwap_of(self) -> tuple[Floats, Floats]:
        """Return each segment's least and largest price as a ratio of the VWAP."""
        if self._vwap is None:
            self._vwap = self._scan.vwap(self._block.volume, *self._backlog.traded())
        return self._vwap

    def _walk(self, number: int, segments: list[int]) -> set[int]:
        """Go through the records of some segments one by one, in the order of the recording;
        return whose records those were in the end.
        """
        bands = self._bands
        rows: list[Row] = []
        for segment in segments:
            rows += self._scan.rows(segment)
        if len(segments) > 1:
            rows.sort()
        walked = {row[2] for row in rows}
        done = 0
        while done < len(rows):
            place, along, index, at, price, oi = rows[done]
            done += 1
            band = bands[index]
            is_wanted = self._wants.is_any and at >= self._wants.since[index]
            if not (is_wanted or band.vwap_rules or at >= band.deadline or oi >= band.oi_from):
                if band.calm_lo <= price <= band.calm_hi:
                    continue
                if not band.held:
                    continue
                if band.lo < price < band.hi or band.only_ratchets(price):
                    band.note(price)
                    continue
            self._take(place, along, index)
            if self._wants.ask():
                rows[done:] = sorted(rows[done:] + self._joining(number, walked, place))
        for index in walked:
            self._table.refresh(index)
        return walked

    def _joining(self, number: int, walked: set[int], now: int) -> list[Row]:
        """Return the rest of this second's records that somebody has begun to want."""
        scan, joining = self._scan, []
        for segment in range(scan.segments[number], scan.segments[number + 1]):
            index = int(scan.inst[segment])
            if index in walked or self._wants.since[index] > scan.last_at[segment]:
                continue
            walked.add(index)
            for row in self._scan.rows(segment):
                if row[0] > now:
                    joining.append(row)
                elif self._bands[index].held:
                    self._bands[index].note(row[4])
        return joining

    def _take(self, place: int, along: int, index: int) -> None:
        """Give a record the ordinary way."""
        self._backlog.enter(index, along)
        self._backlog.skip(index)
        self._core.ticks -= 1  # the ordinary way counts it, too
        self._replayer.take(self._block.make(self._block.record(place)))
        self._table.refresh_all(self._core.guard.moved)


def _is_sound(block: Block, count: int, now: Nanos) -> bool:
    """Return whether every record is of one of `count` instruments, has a price, and follows."""
    at, price = block.at, block.price
    return bool(
        (block.index < count).all()
        and ((price > 0) & (price < np.inf)).all()
        and at[0] >= now
        and (at[1:] >= at[:-1]).all()
    )
