"""The fast lane of a replay: raw records, two comparisons for a quiet one, no object made.

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
    core = replayer.core
    bands = [core.bands.setdefault(id_, Band()) for id_ in ids]
    newest: list[Record | None] = [None] * len(ids)
    second_ends = 0
    count = slow = 0
    for record in records:
        index, at, price, _, oi = record
        if at >= second_ends:
            if second_ends:
                _catch_up(replayer, newest, bands, ids)
                replayer.pass_until(Nanos(at))
                if replayer.unflushed >= FLUSH_AT:
                    await replayer.flush()
            second_ends = (at // SECOND + 1) * SECOND
        band = bands[index]
        count += 1
        newest[index] = record
        if band.lo < price < band.hi and at < band.deadline and not oi >= band.oi_from:
            if price > band.high:
                band.high = price
            if price < band.low:
                band.low = price
            continue
        slow += 1
        newest[index] = None
        replayer.take(_tick(record, ids))
        if replayer.unflushed >= FLUSH_AT:
            await replayer.flush()
    _catch_up(replayer, newest, bands, ids)
    core.ticks += count - slow
    await replayer.finish()


def _catch_up(
    replayer: Replayer,
    newest: list[Record | None],
    bands: Sequence[Band],
    ids: Sequence[InstrumentId],
) -> None:
    """Enter the newest quiet record of each held instrument: its quote is about to be read."""
    for index, record in enumerate(newest):
        if record is not None and bands[index].held:
            newest[index] = None
            replayer.see(_tick(record, ids))


def _tick(record: Record, ids: Sequence[InstrumentId]) -> Tick:
    index, at, price, volume, oi = record
    return Tick(
        ids[index],
        Price(Decimal(repr(price))),
        Nanos(at),
        volume=None if isnan(volume) else Decimal(repr(volume)),
        oi=None if isnan(oi) else Decimal(repr(oi)),
    )
