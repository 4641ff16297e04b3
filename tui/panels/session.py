"""One session: how it ended, crashes and who decided what, what it took over, its proof (C-15)."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar, Final

from engine.domain import event as ev
from engine.domain.event import (
    Entry,
    Event,
    RecoveryDecided,
    Resumed,
    SessionCrashed,
    SessionEnded,
)
from engine.domain.ids import Nanos
from engine.domain.narrate import narrate
from engine.domain.session import SessionStatus
from engine.domain.state import State
from engine.link.protocol_past import PastSession, SessionRecord
from tui import formatting as fmt
from tui.panel import Panel
from tui.past.sessions import Sessions, carried, decision_after
from tui.replica import Concern
from tui.sanitise import for_screen
from tui.widgets.line import BLANK, Line, Span, cut, line_cells

LABEL: Final = 13
_LABELS: Final[dict[type[Event], str]] = {
    ev.GapJudged: "gap",
    ev.DecisionAsked: "asked",
    ev.DecisionTaken: "answered",
    ev.DecisionWithdrawn: "withdrawn",
    ev.OrderAdopted: "adopted",
    ev.RecoverySettled: "settled",
}


def project(row: PastSession, known: Sessions, zone: str, width: int) -> list[Line]:
    """Return everything that was told of a session, as labelled lines."""
    record = known.records.get(row.id)
    lines = [
        _line("session", ((for_screen(row.id, 60), "text!"), (f"  {_kind(row)}", "muted"))),
        _line("started", ((_stamp(row.started_at, zone), "text"),)),
        _line("ended", _ended(row, record, zone)),
        _line("money", _money(row)),
        _line("balance", _balance(row, known)),
    ]
    if record is not None:
        lines += [_journal(record), *_carried(record, zone), *_story(record, zone)]
        lines += _checkpoints(record, zone)
    elif row.id in known.unproved:
        lines.append(_line("", ((for_screen(known.unproved[row.id], 160), "warning"),)))
    else:
        lines.append(_line("", (("being asked", "muted"),)))
    return [part for line in lines for part in _folded(line, width)]


def _folded(line: Line, width: int) -> list[Line]:
    """Return `line` in as many as its last words need: what was decided is read to its end."""
    if line_cells(line) <= width or width < 3 * LABEL:
        return [cut(line, width)]
    *head, (text, token) = line
    room = width - line_cells(tuple(head))
    first = wrap(text, room)[0] if room >= LABEL else ""
    rest = wrap(text[len(first) :], width - LABEL - 2)
    more = [_line("", ((part, token),)) for part in rest]
    return [cut((*head, (first, token)), width), *more]


def _line(label: str, spans: Line) -> Line:
    return ((f"  {fmt.fit(label, LABEL)}", "muted"), *spans)


def _stamp(at: Nanos, zone: str) -> str:
    return f"{fmt.day(at, zone)} {fmt.clock(at, zone)}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _kind(row: PastSession) -> str:
    return f"{row.mode.value}, {for_screen(row.feed, 20)} → {for_screen(row.venue, 20)}"


def _ended(row: PastSession, record: SessionRecord | None, zone: str) -> Line:
    report = record.report if record is not None else ()
    end = next((e.event for e in reversed(report) if isinstance(e.event, SessionEnded)), None)
    if row.status is SessionStatus.ACTIVE:
        return (("it runs", "accent"),)
    when = _stamp(row.ended_at, zone) if row.ended_at is not None else fmt.NOTHING
    if row.status is SessionStatus.CRASHED:
        return (("CRASHED", "error"), (f", last entry {when}", "text"))
    by = f", by {for_screen(end.by, 40)}" if end is not None else ""
    return ((f"{when}{by}", "text"),)


def _money(row: PastSession) -> Line:
    if row.opening is None or row.currency is None:
        return ((fmt.NOTHING, "muted"),)
    currency = row.currency
    hue = "profit" if row.pnl and row.pnl > 0 else "loss" if row.pnl and row.pnl < 0 else "text"
    spans: list[Span] = [(f"{fmt.money(row.opening, currency)} ", "text")]
    if row.pnl is not None:
        spans.append((fmt.signed_money(row.pnl, currency), hue))
    if row.closing is not None:
        spans.append((f" = {fmt.money(row.closing, currency)}", "text"))
    spans.append((f" {for_screen(currency, 8)}", "muted"))
    if row.fees is not None:
        spans.append((f"  fees {fmt.money(row.fees, currency)}", "muted"))
    wins = f", {row.wins} won" if row.trades else ""
    return (*spans, (f"  {_count(row.trades, 'trade')}{wins}", "muted"))


def _balance(row: PastSession, known: Sessions) -> Line:
    proof = known.proofs.get(row.id)
    if proof is None:
        return (("not checked yet", "muted"),)
    if proof.is_ok:
        return (
            ("OK", "ok"),
            ("  what was opened, made and paid adds up to the last unit", "muted"),
        )
    return (("BROKEN", "live"), (f"  {for_screen(proof.breaks, 200)}", "error"))


def _carried(record: SessionRecord, zone: str) -> list[Line]:
    taken = carried(record)
    if taken is None:
        return [_line("took over", (("nothing: it began with its own capital", "muted"),))]
    made = ", ".join(
        f"{fmt.signed_money(r.pnl, r.currency)} {for_screen(r.currency, 8)}" for r in taken.results
    )
    n = len(taken.positions)
    held = f"{_count(n, 'position')} held on" if n else "nothing open"
    text = f"session {for_screen(taken.session, 40)} of {_stamp(taken.ended_at, zone)}"
    return [_line("took over", ((f"{text}: {held}, it had made {made}", "text"),))]


def _story(record: SessionRecord, zone: str) -> list[Line]:
    lines: list[Line] = []
    for entry in record.report:
        match entry.event:
            case SessionCrashed():
                lines += _crash(entry, entry.event, record, zone)
            case Resumed(pid=pid, reason=reason):
                why = f": {for_screen(reason, 120)}" if reason else ""
                text = f"{_stamp(entry.at, zone)} by process {pid}{why}"
                lines.append(_line("resumed", ((text, "text"),)))
            case _:
                lines += _otherwise(entry, zone)
    return lines


def _otherwise(entry: Entry, zone: str) -> list[Line]:
    """Return what the log said of a gap, a question, or its answer."""
    label = _LABELS.get(type(entry.event))
    record = narrate(entry, State()) if label is not None else None
    if label is None or record is None:
        return []
    text = f"{_stamp(entry.at, zone)} {fmt.symbols_in(for_screen(record.text, 240))}"
    return [_line(label, ((text, "text"),))]


def _crash(entry: Entry, event: SessionCrashed, record: SessionRecord, zone: str) -> list[Line]:
    last = _stamp(event.last_at, zone)
    held = f"{_count(event.positions, 'position')} and {_count(event.orders, 'order')} were open"
    away = f"found {fmt.duration(event.away)} later, {held}"
    decided = decision_after(record, entry)
    lines = [_line("CRASHED", ((f"last entry {last}, ", "error"), (away, "text")))]
    if decided is None:
        return [*lines, _line("decided", (("nothing yet", "warning"),))]
    choice = decided.event
    assert isinstance(choice, RecoveryDecided)
    who = f"{choice.choice.value} by {for_screen(choice.by, 40)}: {for_screen(choice.why, 160)}"
    return [*lines, _line("decided", ((f"{_stamp(decided.at, zone)} {who}", "text"),))]


def _journal(record: SessionRecord) -> Line:
    count = max(0, record.last - record.first + 1)
    told = f"{count:,} entries, {record.first:,} to {record.last:,}; {record.open} open after them"
    return _line("journal", ((told, "text"), ("  enter: time line", "key")))


def _checkpoints(record: SessionRecord, zone: str) -> list[Line]:
    if not record.checkpoints:
        return [_line("checkpoints", (("none", "muted"),))]
    lines = [BLANK, _line("checkpoints", (("entry        positions  trades closed", "muted"),))]
    for point in record.checkpoints:
        figures = f"{point.seq:<12,} {point.positions:>9}  {point.trades:>13}"
        lines.append(_line(fmt.clock(point.at, zone), ((figures, "text"),)))
    return lines


class SessionPanel(Panel):
    """The session under the cursor of the table."""

    NAME: ClassVar[str] = "session"
    TITLE: ClassVar[str] = "Session"
    CONCERNS: ClassVar[frozenset[Concern]] = frozenset({Concern.LINK})

    def draw(self, width: int, height: int) -> list[Line]:
        known = self.desk.sessions
        row = known.rows.get(known.selected) if known.selected is not None else None
        if row is None:
            return [(("  no session selected", "muted"),)]
        return self.scrolled(project(row, known, self.desk.replica.zone, width), height)
