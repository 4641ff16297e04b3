"""The fast lane of a replay: raw records, two comparisons for a calm one, no object made.

It leads to the same journal as giving every record to `Replayer.take` (tests/replay). It may be
used while nobody needs each tick: no reader, no VWAP rule, no risk limit; what watches entries may
act on the instrument that ticked. `can_use` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import isnan
from typing import TypeAlias

from engine.domain.band import Band
from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Tick
from engine.domain.money import Price
from engine.runtime.replayer import FLUSH_AT, Replayer

Record: TypeAlias = tuple[int, int, float, float, float]
"""(instrument index, UTC nanoseconds, price, volume, open interest); NaN: not said."""


def can_use(replayer: Replayer) -> bool:
    """Return whether the fast lane sees everything that anybody needs."""
    core = replayer.core
    is_plain = not any(rule.code == "vwap" for rule in core.state.rules)
    return is_plain and not core.is_risk_limited and not replayer.has_readers


async def run_tape(
    replayer: Replayer, records: Iterable[Record], ids: Sequence[InstrumentId]
) -> None:
    """Take in all `records`; `ids` names the instruments by index."""
    replayer.settle()
    lane = _Lane(replayer, ids)
    bands, newest = lane.bands, lane.newest
    stop = before = count = 0
    for record in records:
        index, at, price, _, oi = record
        if at >= stop:
            lane.pass_time(before, at)
            stop = (at // SECOND + 1) * SECOND
            if replayer.unflushed >= FLUSH_AT:
                await replayer.flush()
        before = at
        count += 1
        band = bands[index]
        newest[index] = record
        if band.calm_lo <= price <= band.calm_hi:
            continue
        if band.lo < price < band.hi and at < band.deadline and not oi >= band.oi_from:
            band.note(price)
        else:
            lane.leave_band(record, band)
    lane.catch_up()
    replayer.core.ticks += count - lane.taken
    if count:
        replayer.clock.set(Nanos(before))
    await replayer.finish()


class _Lane:
    """What is not the quiet case: the passing of time, wakes and exits."""

    def __init__(self, replayer: Replayer, ids: Sequence[InstrumentId]) -> None:
        core = replayer.core
        self._replayer = replayer
        self._ids = ids
        self.bands = [core.bands.setdefault(id_, Band()) for id_ in ids]
        self.newest: list[Record | None] = [None] * len(ids)
        """Newest record of each instrument that is not in its quote yet."""
        self.taken = 0
        """Records that went through the ordinary lane, which counts them itself."""

    def pass_time(self, before: int, at: int) -> None:
        """Let the second of `before`, the last record, pass."""
        replayer = self._replayer
        if before:
            if replayer.core.reads_quotes(Nanos(before)):
                self.catch_up()
            replayer.clock.set(Nanos(before))
        replayer.pass_until(Nanos(at))

    def catch_up(self) -> None:
        """Enter the newest quiet record of each held instrument: its quote is about to be read."""
        for index, record in enumerate(self.newest):
            if record is not None and self.bands[index].held:
                self.newest[index] = None
                self._replayer.see(_tick(record, self._ids))

    def leave_band(self, record: Record, band: Band) -> None:
        """Ratchet if that is all, else take the record as a tick."""
        index, at, price, _, oi = record
        if band.only_ratchets(price) and at < band.deadline and not oi >= band.oi_from:
            band.note(price)
            return
        self.newest[index] = None
        self.taken += 1
        self._replayer.take(_tick(record, self._ids))


def _tick(record: Record, ids: Sequence[InstrumentId]) -> Tick:
    index, at, price, volume, oi = record
    return Tick(
        ids[index],
        Price(Decimal(repr(price))),
        Nanos(at),
        volume=None if isnan(volume) else Decimal(repr(volume)),
        oi=None if isnan(oi) else Decimal(repr(oi)),
    )
