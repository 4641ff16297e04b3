"""Health: each lost point has a reason, no band has a hole, a critical part is never averaged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.checkup import COMPONENTS, examine, ramp
from engine.domain.health import BANDS, HYSTERESIS, MARGIN, Component, Level, combine, level_of
from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.vitals import (
    ExitVitals,
    FeedVitals,
    HostVitals,
    QualityVitals,
    ReconcileVitals,
    StoreVitals,
    StrategyVitals,
    Vitals,
)

NOW = Nanos(1)
WELL = Vitals(
    NOW,
    feed=FeedVitals(age_s=0.2, ticks_per_s=100),
    exits=ExitVitals(positions=3, decision_ms_p99=0.2),
    store=StoreVitals(commit_ms_p99=4.0, checkpoint_age_s=12.0),
    host=HostVitals(lag_ms_p99=3.0, rss_mb=80.0, disk_free_mb=50_000.0, skew_s=0.01),
    strategies=StrategyVitals(total=2, active=2),
)


def score(vitals: Vitals, name: str) -> float:
    return next(c.score for c in examine(vitals).components if c.name == name)


def test_an_engine_that_is_well_loses_nothing() -> None:
    health = examine(WELL)
    assert (health.score, health.level, health.worst) == (100.0, Level.EXCELLENT, "")


@pytest.mark.parametrize(
    ("least", "level"),
    [(90, Level.EXCELLENT), (75, Level.GOOD), (60, Level.FAIR), (40, Level.POOR)],
)
def test_levels_are_half_open(least: float, level: Level) -> None:
    assert level_of(least) is level
    assert level_of(least - 1e-9) is not level


def test_a_level_worsens_at_once_and_improves_two_points_later() -> None:
    assert level_of(89.9, Level.EXCELLENT) is Level.GOOD
    assert level_of(91.9, Level.GOOD) is Level.GOOD
    assert level_of(92.0, Level.GOOD) is Level.EXCELLENT
    assert level_of(74.0, Level.CRITICAL) is Level.FAIR


@given(st.floats(0, 100), st.sampled_from(list(Level)))
def test_every_score_has_a_level_within_one_hysteresis_of_its_band(
    points: float, before: Level
) -> None:
    plain, kept = level_of(points), level_of(points, before)
    ranks = [level for level, _ in BANDS]
    assert ranks.index(kept) - ranks.index(plain) in {0, 1}
    if kept is not plain:
        assert points < dict(BANDS)[plain] + HYSTERESIS


_PART = st.builds(
    Component,
    st.sampled_from(["a", "b"]),
    st.floats(0, 100),
    st.floats(1, 25),
    st.booleans(),
    st.just(()),
)


@given(st.lists(_PART, min_size=1, max_size=9))
def test_a_critical_component_cannot_be_averaged_away(parts: list[Component]) -> None:
    health = combine(tuple(parts), NOW)
    assert 0 <= health.score <= 100
    for part in parts:
        if part.is_critical:
            assert health.score <= part.score + MARGIN


@given(st.lists(_PART, min_size=1, max_size=9), st.data())
def test_a_component_that_improves_never_lowers_the_whole(
    parts: list[Component], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(parts) - 1))
    better = replace(parts[index], score=data.draw(st.floats(parts[index].score, 100)))
    improved = [*parts[:index], better, *parts[index + 1 :]]
    assert combine(tuple(improved), NOW).score >= combine(tuple(parts), NOW).score - 1e-9


@pytest.mark.parametrize(
    ("vitals", "name", "expected"),
    [
        (replace(WELL, feed=FeedVitals(is_up=False, why="reset")), "feed", 0),
        (replace(WELL, feed=FeedVitals(age_s=3.0)), "feed", 100),
        (replace(WELL, feed=FeedVitals(age_s=60.0)), "feed", 30),
        (replace(WELL, feed=FeedVitals(age_s=9e3, is_market_open=False)), "feed", 100),
        (replace(WELL, feed=FeedVitals(age_s=1, stale=((InstrumentId("X"), 61),))), "feed", 69.833),
        (replace(WELL, exits=ExitVitals(unchecked=((PositionId("p"), 5.0),))), "exits", 0),
        (replace(WELL, exits=ExitVitals(unchecked=((PositionId("p"), 3.0),))), "exits", 50),
        (replace(WELL, exits=ExitVitals(decision_ms_p99=250)), "exits", 40),
        (replace(WELL, exits=ExitVitals(unknown_orders=1, failed_closes=1)), "exits", 55),
        (replace(WELL, store=StoreVitals(is_persisted=False)), "store", 0),
        (replace(WELL, store=StoreVitals(is_on=False)), "store", 70),
        (replace(WELL, store=StoreVitals(checkpoint_age_s=300.0)), "store", 60),
        (replace(WELL, store=StoreVitals(wal_mb=64.0)), "store", 100),
        (replace(WELL, store=StoreVitals(wal_mb=256.0)), "store", 60),
        (replace(WELL, host=HostVitals(rss_mb=500, disk_free_mb=9e9)), "memory", 0),
        (replace(WELL, host=HostVitals(disk_free_mb=50.0)), "disk", 0),
        (replace(WELL, host=HostVitals(lag_ms_p99=260.0)), "loop", 50),
        (replace(WELL, host=HostVitals(skew_s=-5.0)), "clock", 0),
        (replace(WELL, reconcile=ReconcileVitals(2, 120.0)), "reconciliation", 100),
        (replace(WELL, reconcile=ReconcileVitals(2, 360.0)), "reconciliation", 50),
        (replace(WELL, reconcile=ReconcileVitals(2, 600.0)), "reconciliation", 0),
        (replace(WELL, reconcile=ReconcileVitals(2)), "reconciliation", 50),
        (replace(WELL, reconcile=ReconcileVitals(2, 1.0, asking=("a",))), "reconciliation", 60),
        (replace(WELL, reconcile=ReconcileVitals(2, 1.0, asking=("a",) * 9)), "reconciliation", 20),
        (replace(WELL, data=QualityVitals(score=70)), "quality", 70),
        (replace(WELL, strategies=StrategyVitals(2, 1, 0, ("oi",))), "strategies", 50),
    ],
)
def test_what_each_component_loses(vitals: Vitals, name: str, expected: float) -> None:
    assert score(vitals, name) == pytest.approx(expected, abs=0.01)
    component = next(c for c in examine(vitals).components if c.name == name)
    assert component.score == pytest.approx(100 - sum(loss.points for loss in component.losses))
    assert all(loss.why for loss in component.losses)


def test_not_persisted_is_critical_and_named_as_the_worst() -> None:
    health = examine(replace(WELL, store=StoreVitals(is_persisted=False, why="disk full")))
    assert health.level is Level.CRITICAL
    assert health.worst == "store: NOT PERSISTED: disk full"


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_ramp_never_falls_and_stays_within_its_points(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= ramp(low, 3, 60, 70) <= ramp(high, 3, 60, 70) <= 70
    assert ramp(high, 1_000, 50, 100) <= ramp(low, 1_000, 50, 100)


def test_every_component_has_figures_and_the_weights_sum_to_one_hundred() -> None:
    parts = [part(WELL) for part in COMPONENTS]
    assert all(part.figures for part in parts)
    assert sum(part.weight for part in parts) == 100
    assert {part.name for part in parts if part.is_critical} == {"feed", "exits", "store", "disk"}


def test_a_grown_write_ahead_log_costs_the_store() -> None:
    grown = examine(replace(WELL, store=StoreVitals(wal_mb=100.0)))
    (store,) = [part for part in grown.components if part.name == "store"]
    assert 60 < store.score < 100
    assert [loss.why for loss in store.losses] == ["write-ahead log 100 MB: a reader does not end"]
