"""What an entry does to the table `shadows`: one whole row per intervention, never an increment."""

from __future__ import annotations

from collections.abc import Iterator

from engine.domain.event import Entry, QuotesMarked
from engine.domain.ids import Nanos
from engine.domain.shadow import Shadow, effect
from engine.domain.state import State
from engine.store.amounts import stored
from engine.store.tables import SqlRow, stored_or_none
from engine.store.times import iso


def needs_each_entry(before: State, after: State) -> bool:
    """Return whether rows between two states follow only from the entries, one by one."""
    return bool(before.shadows or after.shadows or before.interventions != after.interventions)


def shadow_rows(before: State, entry: Entry, after: State) -> dict[str, SqlRow]:
    """Return the rows that the one `entry` between the two states changes, by shadow."""
    return {str(s.id): _row(s, after, entry.at) for s in _touched(before, entry, after)}


def _touched(before: State, entry: Entry, after: State) -> Iterator[Shadow]:
    marked = entry.event.marks if isinstance(entry.event, QuotesMarked) else ()
    names = {mark.instrument for mark in marked}
    # What is not touched stays the very same object, and a flatten leaves a thousand of them.
    if names or after.shadows is not before.shadows:
        for id_, shadow in after.shadows.items():
            if before.shadows.get(id_) is not shadow or shadow.position.instrument in names:
                yield shadow
    if after.interventions is not before.interventions:
        known = {s.id: s for s in before.interventions}
        yield from (s for s in after.interventions if known.get(s.id) != s)


def _row(shadow: Shadow, state: State, at: Nanos) -> SqlRow:
    position, ending, levels = shadow.position, shadow.ending, shadow.levels
    instrument = state.instruments[position.instrument]
    mark = None if shadow.is_over else state.marks.get(position.instrument)
    last = None if mark is None else mark.last
    now = effect(shadow, state.positions.get(position.id), instrument, last)
    reason = None if ending is None else ending.reason
    return (
        *(shadow.id, shadow.session, position.id, position.instrument, position.strategy),
        *(position.side.standing, shadow.deed.value, shadow.by, iso(shadow.at), shadow.note),
        *(stored(position.qty), stored(position.entry)),
        *(stored_or_none(position.stop_loss), stored_or_none(position.take_profit)),
        *(stored_or_none(levels.stop_loss if levels else None),),
        *(stored_or_none(levels.take_profit if levels else None),),
        *(stored_or_none(shadow.exit_price(instrument)), stored_or_none(now.operator)),
        *(shadow.operator_status,),
        *(stored_or_none(ending.price if ending else None), stored_or_none(now.strategy)),
        *(shadow.strategy_status,),
        *(stored_or_none(now.difference), None if ending is None else iso(ending.at)),
        *(None if reason is None else reason.code, None if reason is None else reason.rule),
        *(stored_or_none(reason.level if reason else None), ending.why if ending else ""),
        *(stored_or_none(last), None if mark is None else iso(mark.at)),
        *(shadow.gaps, shadow.follows, position.currency, shadow.seq, iso(at)),
    )
