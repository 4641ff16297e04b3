"""Figures out of state, market, histograms and machine."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.order import OrderStatus
from engine.domain.position import Position
from engine.domain.quality import QualityReport
from engine.domain.silence import Hearing, is_poll_due
from engine.domain.state import State
from engine.domain.stop import Unit, view_of
from engine.domain.strategy import Phase
from engine.domain.vitals import (
    ExitVitals,
    FeedVitals,
    HostVitals,
    QualityVitals,
    StoreVitals,
    StrategyVitals,
    Vitals,
)
from engine.runtime.sensors import Sensors

_UNCHECKED_SHOWN: Final = 10


def vitals_of(sensors: Sensors, report: QualityReport, now: Nanos) -> Vitals:
    """Return everything that is measured, now."""
    return Vitals(
        at=now,
        ticks=sensors.engine.core.ticks,
        feed=_feed(sensors, now),
        exits=_exits(sensors),
        store=_store(sensors, now),
        host=_host(sensors),
        data=_data(report),
        strategies=_strategies(sensors.engine.state),
        reconcile=sensors.reconciled(now),
    )


def polls_of(sensors: Sensors, now: Nanos) -> tuple[InstrumentId, ...]:
    """Return the held instruments whose price is too old for where it stands (E-20)."""
    core, limits = sensors.engine.core, sensors.watching.polls
    due: dict[InstrumentId, None] = {}
    for position in core.state.positions.values():
        id_ = position.instrument
        quote = core.quotes.get(id_)
        if id_ in due or not sensors.hours.is_open(now, core.state.instruments[id_]):
            continue
        age_s = (now - (position.opened_at if quote is None else quote.at)) / SECOND
        if age_s > limits.danger_s and is_poll_due(age_s, _nearest(sensors, position, now), limits):
            due[id_] = None
    return tuple(due)


def _nearest(sensors: Sensors, position: Position, now: Nanos) -> Decimal | None:
    """Return the distance to the nearest price level of an armed rule; None: there is none."""
    core = sensors.engine.core
    state, quote = core.state, core.quotes.get(position.instrument)
    if quote is None:
        return None
    terms = state.instruments[position.instrument]
    view = view_of(position, terms, quote, now, state.peak(position))
    readings = [rule.reading(view) for rule in state.rules]
    return min(
        (r.distance for r in readings if r.is_armed and r.unit is Unit.PRICE and r.distance),
        default=None,
    )


def _feed(sensors: Sensors, now: Nanos) -> FeedVitals:
    core = sensors.engine.core
    is_open = _is_any_open(sensors, now)
    hearing = sensors.feed.look(now, is_open=is_open)
    newest = max((quote.at for quote in core.quotes.values()), default=None)
    ages = [] if newest is None else [(now - newest) / SECOND]
    silence = sensors.feed.silence_s(now)
    if silence is not None:
        ages.append(silence)
    return FeedVitals(
        name=sensors.watching.feed,
        is_up=not sensors.feed_down,
        why=sensors.feed_down,
        is_market_open=hearing is not Hearing.CLOSED,
        age_s=max(0.0, *ages) if ages else None,
        limit_s=sensors.feed.limit_s,
        ticks_per_s=sensors.ticks_per_s,
        stale=_stale(sensors, now),
    )


def _stale(sensors: Sensors, now: Nanos) -> tuple[tuple[InstrumentId, float], ...]:
    core = sensors.engine.core
    state = core.state
    stale: dict[InstrumentId, float] = {}
    for position in state.positions.values():
        quote = core.quotes.get(position.instrument)
        age_s = (now - (position.opened_at if quote is None else quote.at)) / SECOND
        is_old = age_s > state.limits.price_age_max_s
        if is_old and sensors.hours.is_open(now, state.instruments[position.instrument]):
            stale[position.instrument] = age_s
    return tuple(stale.items())


def _is_any_open(sensors: Sensors, now: Nanos) -> bool:
    """Return whether anything of the catalog trades now; one instrument per timetable is asked."""
    timetables = {
        (i.calendar, i.time_zone, i.session_open, i.session_close): i
        for i in sensors.engine.core.catalog.values()
    }
    return any(sensors.hours.is_open(now, one) for one in timetables.values())


def _exits(sensors: Sensors) -> ExitVitals:
    state, decisions = sensors.engine.state, sensors.decisions
    held = [(position.id, position.instrument) for position in state.positions.values()]
    unchecked = sensors.deadman.unchecked(held, sensors.clock.monotonic())
    unknown = [
        working
        for working in state.orders.values()
        if working.status is OrderStatus.UNKNOWN and working.order.exit is not None
    ]
    return ExitVitals(
        positions=len(held),
        decision_ms_p50=decisions.ms(0.5),
        decision_ms_p99=decisions.ms(0.99),
        durable_ms_p99=sensors.exits.ms(0.99),
        unchecked=unchecked[:_UNCHECKED_SHOWN],
        unknown_orders=len(unknown),
        failed_closes=sum(p.rearm_at is not None for p in state.positions.values()),
        waiting=sensors.engine.waiting,
    )


def _store(sensors: Sensors, now: Nanos) -> StoreVitals:
    commits, engine = sensors.commits, sensors.engine
    checkpointed = sensors.checkpointed_at()
    return StoreVitals(
        is_persisted=engine.is_persisted,
        is_on=sensors.watching.is_persistent,
        why=engine.store_error,
        commits=commits.total,
        commit_ms_p50=commits.ms(0.5),
        commit_ms_p99=commits.ms(0.99),
        checkpoint_age_s=None if checkpointed is None else max(0, now - checkpointed) / SECOND,
        checkpoint_every_s=sensors.watching.checkpoint_s,
        wal_mb=sensors.host.wal_mb(),
    )


def _host(sensors: Sensors) -> HostVitals:
    lags, host = sensors.lags, sensors.host
    return HostVitals(
        lag_ms_p99=lags.ms(0.99),
        lag_ms_max=lags.ms_max,
        rss_mb=host.rss_mb(),
        rss_limit_mb=sensors.watching.rss_limit_mb,
        disk_free_mb=host.disk_free_mb(),
        skew_s=sensors.skew_s,
    )


def _data(report: QualityReport) -> QualityVitals:
    below = [q for q in report.instruments if q.score < report.gate]
    worst = min(report.instruments, key=lambda q: q.score, default=None)
    has_worst = worst is not None and worst.score < report.score and worst.last_bad is not None
    why = f"({worst.instrument}: {worst.last_bad.check})" if has_worst else ""  # type: ignore[union-attr]
    return QualityVitals(
        score=report.score,
        gate=report.gate,
        below=tuple(q.instrument for q in sorted(below, key=lambda q: q.score)),
        refused=sum(count for _, count in report.refused),
        worst=why,
    )


def _strategies(state: State) -> StrategyVitals:
    records = state.strategies.values()
    idle = {Phase.STOPPED, Phase.PAUSED, Phase.FAILED}
    return StrategyVitals(
        total=len(records),
        active=sum(record.phase not in idle for record in records),
        paused=sum(record.phase is Phase.PAUSED for record in records),
        failed=tuple(record.name for record in records if record.phase is Phase.FAILED),
    )
