"""From measurements to components with reasons (O-20). Pure; a component that is not built yet
(breakers, API, caches) is left out, it is not shown as healthy.

Each is 100 minus its losses, at least 0. Most losses are ramps: none up to `good`, then growing
evenly up to `points` at `bad` and above, so no band has a hole or a cliff that was not meant.

| component | weight | critical | loses |
|---|---|---|---|
| feed | 20 | yes | down 100; silence from its limit to 60 s: 70; held prices stale: 30 to 70 |
| exits | 25 | yes | unchecked 1 to 5 s: 100; decision p99 6 to 250 ms: 60; |
|  |  |  | exit durable p99 50 ms to 1 s: 60; inbox 1 k to 20 k: 40; |
|  |  |  | unknown exit 30 each, failed close 15 each, 90 together |
| store | 20 | yes | NOT PERSISTED 100; off 30; commit p99 20 ms to 2 s: 60; checkpoint late: 40 |
|  |  |  | write-ahead log 64 to 256 MB: 40 |
| quality | 5 | no | what the data score lacks; 10 per instrument below the gate, 40 together |
| reconciliation | 5 | no | last answer 2 to 10 intervals ago: 100; none ever: 50; |
|  |  |  | 40 per difference that a person must decide, 80 together; |
|  |  |  | 10 per one that was left as it is, 40 together |
| loop | 5 | no | lag p99 20 to 500 ms: 100 |
| strategies | 5 | no | share that failed x 100 |
| memory | 5 | no | 60 to 100 % of the limit: 100 |
| disk | 5 | yes | 1 000 to 50 MB free: 100 (below 50 MB entries stop) |
| clock | 5 | no | skew 0.5 to 5 s: 100 |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from engine.domain.health import Component, Health, Level, Loss, combine
from engine.domain.vitals import WAL_MB, Vitals

CHECKPOINT_BAD: Final = 10
"""Checkpoints this many intervals late cost everything they can cost."""


def examine(vitals: Vitals, before: Level | None = None) -> Health:
    """Return health from `vitals`; `before` is the level shown until now."""
    return combine(tuple(part(vitals) for part in COMPONENTS), vitals.at, before)


def ramp(value: float, good: float, bad: float, points: float) -> float:
    """Return 0 at or before `good`, `points` at or beyond `bad`, linear between (either way)."""
    share = (value - good) / (bad - good)
    return points * min(1.0, max(0.0, share))


def _feed(vitals: Vitals) -> Component:
    given = vitals.feed
    age = "none yet" if given.age_s is None else _seconds(given.age_s)
    figures: tuple[tuple[str, str], ...] = (
        ("newest tick", age),
        ("ticks/s", f"{given.ticks_per_s:,.0f}"),
        ("stale held", str(len(given.stale))),
    )
    losses: list[Loss] = []
    if not given.is_up:
        losses.append(Loss(100, f"{given.name} is down: {given.why or 'no reason given'}"))
    elif not given.is_market_open:
        figures = (*figures, ("market", "closed"))
    elif given.age_s is not None:
        why = f"{given.name} silent for {_seconds(given.age_s)}"
        losses.append(Loss(ramp(given.age_s, given.limit_s, max(60.0, given.limit_s * 2), 70), why))
    if given.stale and given.is_market_open:
        worst, age_s = max(given.stale, key=lambda pair: pair[1])
        n = len(given.stale)
        why = f"{n} held price{'s' if n > 1 else ''} stale, {worst} for {_seconds(age_s)}"
        losses.append(Loss(30 + ramp(age_s, 60, 300, 40), why))
    return _component("feed", 20, figures, losses, is_critical=True)


def _exits(vitals: Vitals) -> Component:
    given = vitals.exits
    longest = given.unchecked[0][1] if given.unchecked else 0.0
    figures = (
        ("decision p99", _ms(given.decision_ms_p99)),
        ("exit durable p99", _ms(given.durable_ms_p99)),
        ("positions", str(given.positions)),
        ("longest unchecked", _seconds(longest)),
        ("inbox", f"{given.waiting:,}"),
    )
    losses = [
        Loss(ramp(given.decision_ms_p99, 6, 250, 60), f"decision p99 {_ms(given.decision_ms_p99)}"),
        Loss(
            ramp(given.durable_ms_p99, 50, 1_000, 60),
            f"exits durable after {_ms(given.durable_ms_p99)} at p99",
        ),
        Loss(ramp(given.waiting, 1_000, 20_000, 40), f"{given.waiting:,} inputs waiting"),
    ]
    if given.unchecked:
        position, age_s = given.unchecked[0]
        why = f"position {position} not checked for {_seconds(age_s)}"
        losses.append(Loss(ramp(age_s, 1, 5, 100), why))
    troubled = min(90.0, 30.0 * given.unknown_orders + 15.0 * given.failed_closes)
    what = f"{given.unknown_orders} exit orders of unknown outcome, {given.failed_closes} failed"
    losses.append(Loss(troubled, what))
    return _component("exits", 25, figures, losses, is_critical=True)


def _store(vitals: Vitals) -> Component:
    given = vitals.store
    age = given.checkpoint_age_s
    figures = (
        ("commit p99", _ms(given.commit_ms_p99)),
        ("commit p50", _ms(given.commit_ms_p50)),
        ("commits", f"{given.commits:,}"),
        ("last checkpoint", "none" if age is None else _seconds(age)),
    )
    losses: list[Loss] = []
    if not given.is_on:
        losses.append(Loss(30, "persistence is off: a crash loses everything"))
    elif not given.is_persisted:
        losses.append(Loss(100, f"NOT PERSISTED: {given.why or 'commits fail'}"))
    losses.append(
        Loss(ramp(given.commit_ms_p99, 20, 2_000, 60), f"commit p99 {_ms(given.commit_ms_p99)}")
    )
    grown = f"write-ahead log {given.wal_mb:,.0f} MB: a reader does not end"
    losses.append(Loss(ramp(given.wal_mb, WAL_MB, 4 * WAL_MB, 40), grown))
    if age is not None:
        every = given.checkpoint_every_s
        lost = ramp(age, 2 * every, CHECKPOINT_BAD * every, 40)
        losses.append(Loss(lost, f"last checkpoint {_seconds(age)} ago"))
    return _component("store", 20, figures, losses, is_critical=True)


def _quality(vitals: Vitals) -> Component:
    given = vitals.data
    n = len(given.below)
    figures = (
        ("score", f"{given.score:.0f}"),
        ("below gate", str(n)),
        ("refused", f"{given.refused:,}"),
    )
    lacking = Loss(100 - given.score, f"data score {given.score:.0f} {given.worst}".rstrip())
    first = f", first {given.below[0]}" if given.below else ""
    gated = Loss(min(40.0, 10.0 * n), f"{n} instruments below the gate {given.gate:g}{first}")
    return _component("quality", 5, figures, [lacking, gated])


def _reconciliation(vitals: Vitals) -> Component:
    given = vitals.reconcile
    n, age = len(given.asking), given.age_s
    figures = (
        ("last answer", "none yet" if age is None else f"{_seconds(age)} ago"),
        ("runs", f"{given.runs:,}"),
        ("found", f"{given.found:,}"),
        ("to decide", str(n)),
        ("left", str(len(given.left))),
        *((name, f"{times:,}") for name, times in given.outcomes),
    )
    losses: list[Loss] = []
    if age is not None:
        lost = ramp(age, 2 * given.every_s, 10 * given.every_s, 100)
        losses.append(Loss(lost, f"venue last answered {_seconds(age)} ago: {given.why}"))
    elif given.runs:
        losses.append(Loss(50, f"venue never answered: {given.why}"))
    first = f", first {given.asking[0]}" if n else ""
    what = f"{n} difference{'s' if n > 1 else ''} to decide{first}"
    losses.append(Loss(min(80.0, 40.0 * n), what))
    if given.left:
        left = f"{len(given.left)} left as they are, first {given.left[0]}"
        losses.append(Loss(min(40.0, 10.0 * len(given.left)), left))
    return _component("reconciliation", 5, figures, losses)


def _loop(vitals: Vitals) -> Component:
    given = vitals.host
    figures = (("lag p99", _ms(given.lag_ms_p99)), ("lag max", _ms(given.lag_ms_max)))
    lag = Loss(ramp(given.lag_ms_p99, 20, 500, 100), f"event loop {_ms(given.lag_ms_p99)} late")
    return _component("loop", 5, figures, [lag])


def _strategies(vitals: Vitals) -> Component:
    given = vitals.strategies
    figures = (
        ("active", f"{given.active} of {given.total}"),
        ("paused", str(given.paused)),
        ("failed", str(len(given.failed))),
    )
    share = len(given.failed) / max(given.total, len(given.failed), 1)
    failed = Loss(100 * share, f"failed: {', '.join(given.failed[:5])}")
    return _component("strategies", 5, figures, [failed])


def _memory(vitals: Vitals) -> Component:
    given = vitals.host
    figures = (("rss", f"{given.rss_mb:,.0f} MB"), ("limit", f"{given.rss_limit_mb:,.0f} MB"))
    share = given.rss_mb / given.rss_limit_mb
    used = Loss(ramp(share, 0.6, 1.0, 100), f"{share:.0%} of the memory limit in use")
    return _component("memory", 5, figures, [used])


def _disk(vitals: Vitals) -> Component:
    free = vitals.host.disk_free_mb
    if free is None:
        return _component("disk", 5, (("free", "unknown"),), [Loss(10, "free space unknown")])
    low = Loss(ramp(free, 1_000, 50, 100), f"{free:,.0f} MB free")
    return _component("disk", 5, (("free", f"{free:,.0f} MB"),), [low], is_critical=True)


def _clock(vitals: Vitals) -> Component:
    skew = vitals.host.skew_s
    if skew is None:
        return _component("clock", 5, (("skew", "no sample yet"),), [])
    off = Loss(ramp(abs(skew), 0.5, 5, 100), f"clock {skew:+.1f} s from the venue's")
    return _component("clock", 5, (("skew", f"{skew:+.2f} s"),), [off])


COMPONENTS: Final[tuple[Callable[[Vitals], Component], ...]] = (
    *(_feed, _exits, _store, _quality, _reconciliation, _loop),
    *(_strategies, _memory, _disk, _clock),
)


def _component(
    name: str,
    weight: float,
    figures: tuple[tuple[str, str], ...],
    losses: Iterable[Loss],
    *,
    is_critical: bool = False,
) -> Component:
    kept = tuple(sorted((x for x in losses if x.points > 0), key=lambda x: -x.points))
    score = max(0.0, 100.0 - sum(loss.points for loss in kept))
    return Component(name, score, weight, is_critical, figures, kept)


def _ms(value: float) -> str:
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 10 else f"{value:,.0f} s"
