"""Whatever is shown of the past is what the engine's own fold of that prefix says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import event as ev
from engine.domain.errors import IllegalTransition
from engine.domain.evolve import evolve, fold
from engine.domain.ids import Nanos
from engine.domain.narrate import narrate
from engine.domain.state import State
from tests.histories import History
from tests.past_days import days
from tests.past_pages import page, timeline
from tui.past import timeline as module
from tui.past.kinds import Kind, kind_of
from tui.past.player import Player
from tui.past.replica import PastReplica
from tui.past.timeline import Timeline


def states(entries: list[ev.Entry]) -> list[State]:
    """Return the state after each prefix, the empty one first."""
    out = [State()]
    for entry in entries:
        out.append(evolve(out[-1], entry))
    return out


def shown(line: Timeline, position: int) -> PastReplica:
    player = Player(line)
    player.go(position)
    replica = PastReplica()
    replica.show(player)
    return replica


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 90), order=st.randoms())
def test_every_prefix_is_shown_as_its_fold_in_whatever_order_it_is_visited(
    seed: int, size: int, order: random.Random
) -> None:
    entries = History(seed).run(200).entries
    line, expected = timeline(entries, size), states(entries)
    assert len(line) == line.total == len(entries)
    visits = list(range(len(entries) + 1))
    order.shuffle(visits)
    for position in visits:
        moment = line.moment(position)
        assert moment.state == expected[position]
        entry = line.entry(position)
        assert entry == (entries[position - 1] if position else None)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(1, 40))
def test_with_few_moments_kept_everything_is_still_exact(seed: int, size: int) -> None:
    entries = History(seed).run(150).entries
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BASES_MAX", 3)
        patch.setattr(module, "OPENED_MAX", 1)
        line = timeline(entries, size)
    kept = [base for base in line._bases if base is not None]
    assert len(kept) <= 4
    expected = states(entries)
    for position in range(len(entries), -1, -7):
        assert line.moment(position).state == expected[position]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_from_any_base_before_the_session_the_same_is_shown(seed: int, data: st.DataObject) -> None:
    history = History(seed).run(80).close_all()
    history.end()
    first = len(history.entries) + 1
    history.start().run(len(history.entries) + 60)
    entries, expected = history.entries, states(history.entries)
    base = data.draw(st.integers(0, first - 1))
    line = timeline(entries, data.draw(st.integers(1, 50)), first, expected[base])
    assert len(line) == len(entries) - first + 1
    for position in range(len(line) + 1):
        assert line.moment(position).state == expected[first - 1 + position]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_price_is_shown_that_the_journal_had_not_said_by_then(seed: int) -> None:
    entries = History(seed).run(250).entries
    line = timeline(entries, 30)
    said: set[tuple[str, str, Nanos]] = set()
    requests = [e.event.order for e in entries if isinstance(e.event, ev.OrderRequested)]
    by_order = {order.id: order for order in requests}
    positions = {order.position: order.instrument for order in requests}
    for position, entry in enumerate(entries, 1):
        match entry.event:
            case ev.QuotesMarked(marks=marks):
                said |= {(mark.instrument, str(mark.last), mark.at) for mark in marks}
            case ev.OrderFilled(fill=fill):
                said.add((by_order[fill.order].instrument, str(fill.price), fill.at))
            case ev.StopFired():
                fired = entry.event
                said.add((positions[fired.position], str(fired.price), fired.price_at))
        quotes = line.moment(position).quotes
        assert {(q.instrument, str(q.last), q.at) for q in quotes.values()} <= said


def test_the_replica_says_what_the_log_said_and_nothing_of_later() -> None:
    entries = days()
    line, expected = timeline(entries, 10), states(entries)
    for position in range(1, len(entries) + 1):
        replica = shown(line, position)
        assert replica.state == fold(entries[:position])
        assert list(replica.entries) == entries[:position]
        texts = [record.text for record in replica.logs]
        told = [narrate(e, expected[n + 1]) for n, e in enumerate(entries[:position])]
        assert len(texts) == len([record for record in told if record is not None])
        assert replica.now(Nanos(10**18)) == replica.at == line.time(position)


def test_jumps_find_exactly_the_entries_of_their_kind_in_both_directions() -> None:
    entries = History(5).run(400).entries
    line = timeline(entries, 33)
    for kind in (Kind.EXIT, Kind.FILL, Kind.TROUBLE):
        wanted = [n for n, e in enumerate(entries, 1) if kind_of(e.event) is kind]
        assert wanted
        forward, player = [], Player(line)
        while player.jump(kind, 1):
            forward.append(player.position)
        assert forward == wanted
        player.go(len(entries) + 1)
        backward = [wanted[-1]] if wanted[-1] == len(entries) else []
        while player.jump(kind, -1):
            backward.append(player.position)
        assert backward == wanted[::-1]


@given(speed=st.integers(0, 9), steps=st.lists(st.integers(0, 3_000_000_000), max_size=30))
@settings(max_examples=30, deadline=None)
def test_playing_shows_at_every_moment_what_had_happened_by_then(
    speed: int, steps: list[int]
) -> None:
    line = _played()
    player = Player(line)
    player.go(1)
    player.change_speed(speed)
    mono = Nanos(5)
    player.toggle(mono)
    begun = player.now
    for step in steps:
        mono = Nanos(mono + step)
        player.advance(mono)
        by_then = [n for n in range(1, len(line) + 1) if line.time(n) <= player.now]
        assert player.position == len(by_then)
        if player.is_playing:
            assert player.now == begun + (mono - 5) * player.speed


def _played() -> Timeline:
    return timeline(History(7).run(60).entries, 16)


def test_an_entry_that_cannot_follow_is_refused_and_what_was_there_stays() -> None:
    entries = History(3).run(60).entries
    line = timeline(entries[:40], 10)
    with pytest.raises(IllegalTransition):
        line.add(page(entries[45:50]))
    assert len(line) == 40
    assert line.moment(40).state == fold(entries[:40])


def test_a_session_too_long_to_hold_is_held_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES_MAX", 1)
    line = timeline(History(3).run(40).entries, 10)
    assert line.is_full
