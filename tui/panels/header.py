"""Two lines that cannot be scrolled away: mode, money, health, time; lamps and what is new."""

from __future__ import annotations

from typing import Final

from engine.domain import calendar
from engine.domain.ids import MINUTE, SECOND, Nanos
from engine.domain.session import Mode
from tui import formatting as fmt
from tui.book import Totals, totals
from tui.hues import LEVELS
from tui.panel import Desk
from tui.progress import Step, Told
from tui.recording import Recording
from tui.sanitise import for_screen
from tui.widgets.line import Line, Span, cut, line_cells, pushed_apart

Chunk = tuple[int, Line]
"""(priority, spans): the highest number is dropped first."""

UNANSWERED: Final = 2 * SECOND
"""A command without its next step for so long is said to be waiting."""
FEED_LATE: Final = 5 * SECOND
MODES: Final = {Mode.PAPER: "paper", Mode.LIVE: "live", Mode.REPLAY: "replay"}
STEPS: Final = {
    Step.SENT: "muted",
    Step.ACCEPTED: "accent",
    Step.COMMITTED: "accent",
    Step.FILLED: "ok",
    Step.DONE: "ok",
    Step.REFUSED: "error",
}


def project(desk: Desk, width: int, height: int = 2) -> list[Line]:
    """Return the header's lines; with one line only the essentials."""
    if height == 1:
        return [_fitted([mode(desk), *_short(desk)], _clock(desk, short=True), width)]
    top = [
        mode(desk),
        *_venue(desk),
        *_money(desk),
        *_health(desk, "H" if width < 100 else "Health"),
    ]
    clock = _clock(desk, short=width < 100)
    live = desk.live or desk
    lit = [*_lamps(live), *_decisions(live, width)]
    lamps = [*lit, *_session(live)] if desk.live is None else [(0, ((" live:", "muted"),)), *lit]
    fixed = sum(line_cells(line) + 2 for priority, line in lamps if priority == 0)
    news = cut(message(live), max(30, width - fixed, width - 40 if width < 120 else 0))
    return [_fitted(top, clock, width), _fitted(lamps, news, width)]


def mode(desk: Desk) -> Chunk:
    """Return the mode as a block: LIVE is red and reverse in every theme."""
    session = desk.replica.state.session
    if desk.replica.is_waiting:
        return (0, ((" STARTING ", "alert"),))
    if session is None:
        return (0, ((" NO SESSION ", "alert"),))
    word = f" {session.mode.name} "
    block: Line = ((word, MODES[session.mode]),)
    return (0, (*block, (" READ ONLY", "warning")) if desk.is_read_only else block)


def _venue(desk: Desk) -> list[Chunk]:
    welcome = desk.replica.welcome
    if welcome is None:
        return []
    feed, venue = for_screen(welcome.feed, 16), for_screen(welcome.venue, 16)
    return [(5, ((f"{feed} → {venue}" if feed != venue else venue, "muted"),))]


def _money(desk: Desk) -> list[Chunk]:
    sums = totals(desk.replica, desk.book)
    if sums is None:
        return []
    partial = "?" if sums.is_partial else ""
    value = fmt.money(sums.equity, sums.currency) + partial
    more: list[Chunk] = [(6, ((f"+{sums.others} accounts", "muted"),))] if sums.others else []
    return [
        (2, (("Value ", "muted"), (value, "text!"), (f" {sums.currency}", "muted"))),
        *more,
        (0, (("Day ", "muted"), *_day(sums))),
        (7, (("open ", "muted"), _tinted(sums, "open"))),
        (8, (("realised ", "muted"), _tinted(sums, "realised"))),
    ]


def _day(sums: Totals) -> Line:
    hue = "profit" if sums.day > 0 else "loss" if sums.day < 0 else "text"
    text = fmt.signed_money(sums.day, sums.currency)
    ratio = f" {fmt.percent(sums.day_ratio)}" if sums.day_ratio is not None else ""
    return ((text, f"{hue}!"), (ratio, hue))


def _tinted(sums: Totals, name: str) -> Span:
    value = sums.open if name == "open" else sums.realised
    hue = "profit" if value > 0 else "loss" if value < 0 else "text"
    return (fmt.signed_money(value, sums.currency), hue)


def _health(desk: Desk, word: str) -> list[Chunk]:
    health = desk.replica.health
    if health is None:
        return [(1, ((f"{word} –", "muted"),))]
    hue = LEVELS[health.level]
    return [
        (1, ((f"{word} ", "muted"), (f"{health.score:.0f}", f"{hue}!"))),
        (4, ((health.level.value, hue),)),
    ]


def _short(desk: Desk) -> list[Chunk]:
    sums = totals(desk.replica, desk.book)
    health = desk.replica.health
    count = len((desk.live or desk).replica.state.decisions)
    lamps = "".join(_mark(ok) for ok in _states(desk.live or desk))
    return [
        *([(0, ((f" {count}? ", "alert"),))] if count else []),
        (1, _day(sums)[:1] if sums else ()),
        (3, ((lamps, "muted"),)),
        (2, ((f"H{health.score:.0f}", LEVELS[health.level]),) if health else ()),
    ]


def _clock(desk: Desk, *, short: bool) -> Line:
    show = fmt.clock if short else fmt.clock_zone
    if desk.live is not None:
        return ((f"{show(desk.now, desk.replica.zone)} ", "replay"),)
    pulse = desk.replica.pulse
    if pulse is None:
        return (("--:--:-- ", "muted"),)
    return ((f"{show(pulse.now, desk.replica.zone)} ", "text!"),)


def _states(desk: Desk) -> tuple[bool, bool, bool]:
    pulse = desk.replica.pulse
    is_late = pulse is None or (pulse.feed_age >= FEED_LATE and not desk.is_recorded)
    runs = not desk.is_recorded or desk.replica.recording.told not in {"ENDED", "PAUSED"}
    up = pulse is not None and pulse.is_feed_up and not is_late and runs
    return not desk.is_grey, pulse is not None and pulse.is_persisted, up


def _mark(is_good: bool) -> str:
    return "●" if is_good else "○"


def _lamps(desk: Desk) -> list[Chunk]:
    link, store, feed = _states(desk)
    pulse, welcome = desk.replica.pulse, desk.replica.welcome
    if desk.replica.is_waiting and not desk.replica.lost:
        return [(0, ((" no figures yet: the engine has not answered", "muted"),))]
    on_link: Span = ("● LINK", "ok") if link else ("○ LINK LOST", "live")
    on_store: Span = ("● STORE", "ok") if store else ("○ NOT PERSISTED", "live")
    if welcome is not None and welcome.persistence == "off":
        on_store = ("○ NOT PERSISTED (off)", "live")
    age = fmt.age(pulse.feed_age) if pulse is not None else fmt.NOTHING
    on_feed: Span = (f"{_mark(feed)} FEED {age}", "ok" if feed else "warning")
    if desk.is_recorded:
        recording = desk.replica.recording
        on_feed = (_recorded(feed, recording, age), "ok" if feed else "warning")
    if pulse is not None and not pulse.is_feed_up:
        on_feed = ("○ FEED DOWN", "error")
    lamps: list[Chunk] = [(0, ((" ", "text"), on_link)), (0, (on_store,)), (0, (on_feed,))]
    return lamps


def _decisions(desk: Desk, width: int) -> list[Chunk]:
    """Return how many decisions wait; it never gives way to anything."""
    count = len(desk.replica.state.decisions)
    text = f" D {count} " if width < 100 else f" {count} TO DECIDE (D) "
    return [(0, ((text, "alert"),))] if count else []


def _recorded(is_up: bool, recording: Recording, age: str) -> str:
    told = f"{_mark(is_up)} FEED {recording.told}"
    return told if recording.has_ended else f"{told} {age}"


def _session(desk: Desk) -> list[Chunk]:
    replica = desk.replica
    session, pulse = replica.state.session, replica.pulse
    if session is None or pulse is None:
        return []
    minute = Nanos(pulse.now // MINUTE * MINUTE)
    markets = [item for item in replica.state.instruments.values() if item.is_tradable]
    is_open = any(calendar.is_open(minute, item) for item in markets[:50])
    trades = sum(account.trades for account in replica.state.accounts.values())
    wins = sum(account.wins for account in replica.state.accounts.values())
    texts = (
        (3, "market open" if is_open or not markets else "market closed"),
        (5, f"since {fmt.clock(session.started_at, replica.zone)[:5]}"),
        (4, f"{trades} trade{'' if trades == 1 else 's'}{f', {wins} won' if trades else ''}"),
        (6, f"{pulse.ticks_per_s:,.0f} ticks/s"),
    )
    return [(priority, ((text, "muted"),)) for priority, text in texts]


def message(desk: Desk) -> Line:
    """Return what is new: a command on its way, else the newest alert with their number."""
    told = desk.progress.newest(desk.mono)
    is_answered = desk.alerts.has_said and told is not None and told.since < desk.alerts.said_at
    if told is not None and not is_answered:
        return (*_told(told, desk.mono), (" ", "text"))
    if desk.alerts.waiting:
        newest = desk.alerts.waiting[-1]
        count = desk.alerts.count
        waiting: Line = ((f" {count}! ", "alert"),) if count else ()
        return (*waiting, (f" {newest.text} ", newest.token))
    return ()


def _told(told: Told, mono: Nanos) -> Line:
    why = f": {told.reason}" if told.reason else ""
    waited = mono - told.since
    if not told.is_final and waited > UNANSWERED:
        why = f", nothing heard of it for {fmt.duration(waited)}"
    return ((f"{told.label} ", "text"), (f"▸ {told.step.value}{why}", STEPS[told.step]))


def _fitted(chunks: list[Chunk], right: Line, width: int) -> Line:
    """Return the chunks that fit before `right`, the least important dropped."""
    room = width - line_cells(right) - 1
    kept = list(chunks)
    while kept and sum(line_cells(line) + 2 for _, line in kept) > room + 2:
        drop = max(range(len(kept)), key=lambda index: (kept[index][0], index))
        if kept[drop][0] == 0:
            break
        del kept[drop]
    spans: list[Span] = []
    for _, line in kept:
        if line:
            spans += [*((("  ", "text"),) if spans else ()), *line]
    return pushed_apart(tuple(spans), right, width)
