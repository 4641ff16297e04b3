"""What is measured is said once when it begins and once when it is over."""

from __future__ import annotations

from dataclasses import replace

from engine.domain.checkup import examine
from engine.domain.ids import InstrumentId, Nanos, PositionId
from engine.domain.remarks import Remarks
from engine.domain.vitals import ExitVitals, FeedVitals, HostVitals, StoreVitals, Vitals
from tests.builders import NIFTY

WELL = Vitals(Nanos(1), feed=FeedVitals(age_s=0.1), host=HostVitals(disk_free_mb=5_000))
BTC = InstrumentId("BTC_USDC-PERPETUAL")


def told(remarks: Remarks, vitals: Vitals) -> list[tuple[str, str]]:
    """Return (level, text) of everything but the overall health."""
    said = remarks.on(vitals, examine(WELL))
    return [(line.level, line.text) for line in said]


def unchecked(age_s: float) -> Vitals:
    return replace(WELL, exits=ExitVitals(1, unchecked=((PositionId("p1"), age_s),)))


def stale(*instruments: InstrumentId, is_open: bool = True) -> Vitals:
    ages = tuple((instrument, 61.4) for instrument in instruments)
    return replace(WELL, feed=FeedVitals(age_s=61.4, stale=ages, is_market_open=is_open))


def test_an_engine_that_is_well_says_nothing() -> None:
    remarks = Remarks()
    assert [remarks.on(WELL, examine(WELL)) for _ in range(3)] == [(), (), ()]


def test_a_position_that_nobody_looks_at_alarms_once_after_five_seconds() -> None:
    remarks = Remarks()
    assert told(remarks, unchecked(4.9)) == []
    assert told(remarks, unchecked(5.0)) == [("critical", "nobody looked at position p1 for 5.0 s")]
    assert told(remarks, unchecked(9.0)) == []
    assert told(remarks, unchecked(0.2)) == [("info", "position p1 is looked at again")]
    assert told(remarks, unchecked(5.5))[0][0] == "critical"


def test_a_stale_held_price_is_named_once_and_so_is_its_return() -> None:
    remarks = Remarks()
    assert told(remarks, stale(NIFTY)) == [
        ("warning", "STALE: the price of NIFTY25DEC25900PUT is 61 s old")
    ]
    assert told(remarks, stale(NIFTY, BTC)) == [
        ("warning", f"STALE: the price of {BTC} is 61 s old")
    ]
    assert told(remarks, stale(BTC)) == [
        ("info", "the price of NIFTY25DEC25900PUT is no longer stale")
    ]


def test_a_market_that_closes_over_a_stale_price_claims_no_recovery() -> None:
    remarks = Remarks()
    told(remarks, stale(NIFTY))
    assert told(remarks, stale(is_open=False)) == []


def test_a_change_of_health_is_said_with_its_worst_reason_and_its_grade() -> None:
    remarks = Remarks()
    failing = replace(WELL, store=StoreVitals(is_persisted=False, why="disk full"))
    lines = [
        [(line.level, line.text) for line in remarks.on(WELL, examine(vitals))]
        for vitals in (WELL, failing, failing, WELL)
    ]
    assert lines == [
        [],
        [("error", "health is Critical (10): store: NOT PERSISTED: disk full")],
        [],
        [("info", "health is Excellent (100)")],
    ]
