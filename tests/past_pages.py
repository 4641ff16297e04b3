"""Entries as pages of the link, without a store: for tests of the time line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from engine.domain.event import Entry
from engine.domain.ids import Seq, SessionId
from engine.domain.state import State
from engine.link.past_wire import unfold
from engine.link.protocol_past import EntryPage, SessionRecord
from engine.store.codec import encode_event
from tui.past.timeline import Timeline


def page(entries: Sequence[Entry]) -> EntryPage:
    """Return one page, encoded as the store encodes it."""
    rows = []
    for entry in entries:
        kind, version, body = encode_event(entry.event)
        rows.append([entry.seq, entry.at, kind, version, body.decode()])
    return EntryPage(Seq(entries[0].seq - 1), entries[-1].seq, json.dumps(rows).encode())


def pages(entries: Sequence[Entry], size: int) -> Iterator[EntryPage]:
    for start in range(0, len(entries), size):
        yield page(entries[start : start + size])


def timeline(
    entries: Sequence[Entry], size: int = 20, first: int = 1, base: State | None = None
) -> Timeline:
    """Return the time line of the session that begins at entry `first`, from `base` on."""
    record = SessionRecord(SessionId("s"), Seq(first), entries[-1].seq, 0, (), ())
    line = Timeline(record, unfold)
    line.base(base or State())
    for part in pages(entries[(base or State()).seq :], size):
        line.add(part)
    return line
