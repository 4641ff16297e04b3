"""Journal entries as rows of `events`, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from engine.domain import event as ev
from engine.domain.ids import Nanos, Seq
from engine.store import codec
from engine.store.chain import Head, RowTuple, digest
from engine.store.times import iso


def _of_request(event: ev.OrderRequested) -> str:
    if event.cause is not None:
        return event.cause
    order = event.order
    return f"rule:{order.exit.rule or order.exit.code}" if order.exit else f"{order.strategy or ''}"


_CAUSES: Final[dict[type, Callable[[Any], str]]] = {
    ev.SessionEnded: lambda e: e.by,
    ev.SignalAccepted: lambda e: f"signal:{e.signal.id}",
    ev.SignalRefused: lambda e: f"signal:{e.signal.id}",
    ev.OrderRequested: _of_request,
    ev.OrderAccepted: lambda e: f"order:{e.order}",
    ev.OrderFilled: lambda e: f"order:{e.fill.order}",
    ev.OrderRejected: lambda e: f"order:{e.order}",
    ev.OrderCancelled: lambda e: f"order:{e.order}",
    ev.OrderTimedOut: lambda e: f"order:{e.order}",
    ev.CancelRequested: lambda e: e.cause or "",
    ev.StopFired: lambda e: f"rule:{e.reason.rule or e.reason.code}",
    ev.CloseRearmed: lambda e: f"order:{e.order}",
    ev.StopChanged: lambda e: e.cause,
    ev.ShadowEnded: lambda e: f"rule:{e.reason.rule or e.reason.code}",
    ev.EntriesBlocked: lambda e: e.source,
    ev.EntriesAllowed: lambda e: e.source,
    ev.FlattenLatched: lambda e: e.command or e.by,
    ev.LatchLifted: lambda e: e.by,
    ev.CommandAccepted: lambda e: e.command,
    ev.CommandRefused: lambda e: e.command,
    ev.StrategyChanged: lambda e: f"strategy:{e.strategy}",
    ev.StrategyRemembered: lambda e: f"strategy:{e.strategy}",
    ev.StrategyNoted: lambda e: f"strategy:{e.strategy}",
    ev.StrategyFailed: lambda e: f"strategy:{e.strategy}",
    ev.FeedChanged: lambda e: f"feed:{e.feed}",
    ev.DecisionTaken: lambda e: e.by,
    ev.OrderAdopted: lambda e: e.cause or f"venue:{e.venue_order}",
}
"""Who or what caused an event (E-50); an event that is not named here caused itself."""


def rows_of(entries: Sequence[ev.Entry], head: Head, session: str) -> list[RowTuple]:
    """Return the rows that `entries` become after `head`, in session `session` ("": none yet)."""
    rows: list[RowTuple] = []
    encode, causes, previous = codec.encode_event, _CAUSES, head.hash
    for entry in entries:
        event, seq, at = entry.event, entry.seq, entry.at
        if isinstance(event, ev.SessionStarted):
            session = event.session
        kind, version, body = encode(event)
        cause_of = causes.get(type(event))
        cause = "" if cause_of is None else cause_of(event)
        previous = digest(previous, seq, at, session, kind, version, body, cause)
        rows.append((seq, iso(at), at, session, kind, version, body.decode(), cause, previous))
    return rows


def entry_of(seq: int, at_ns: int, kind: str, version: int, payload: str) -> ev.Entry:
    """Return the entry in a row. Raises CodecError."""
    return ev.Entry(Seq(seq), Nanos(at_ns), codec.decode_event(kind, version, payload))


def broken_at(rows: Iterable[RowTuple], head: Head) -> tuple[Head, str | None]:
    """Follow the chain from `head`; return its end, and what is wrong with the first bad row."""
    last, previous = int(head.seq), head.hash
    wrong = None
    for seq, at, at_ns, session, kind, version, payload, cause, stored in rows:
        if seq != last + 1:
            wrong = f"entry {last + 1} is missing, next is {seq}"
            break
        expected = digest(previous, seq, at_ns, session, kind, version, payload.encode(), cause)
        if expected != stored or at != iso(Nanos(at_ns)):
            wrong = f"entry {seq} is not the one that was written"
            break
        last, previous = seq, expected
    return Head(Seq(last), previous), wrong
