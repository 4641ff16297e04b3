"""A session without a person begins, or not, with a venue that does not agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bootstrap.agreeing import require_agreement
from engine.bootstrap.opening import NeedsDecision
from engine.bootstrap.options import LiveOptions
from engine.domain.decision import Matter
from engine.domain.questions import Policy
from engine.domain.session import SessionStatus
from tests.contract.told_venue import flat
from tests.unit.test_reconciler import Bench

STOP = Policy(stops=frozenset({Matter.GONE}))


def options(tmp_path: Path, policy: Policy, *, is_attended: bool = False) -> LiveOptions:
    return LiveOptions(tmp_path, reconcile_policy=policy, is_attended=is_attended)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    bench = await Bench(tmp_path).opened()
    bench.venue.change = flat
    await bench.reconciler.reconcile()
    return bench


async def test_the_policy_stop_looks_twice_ends_the_session_and_needs_a_decision(
    bench: Bench, tmp_path: Path
) -> None:
    held = bench.engine.state.positions
    with pytest.raises(NeedsDecision, match=r"gone_at_venue NIFTY25DEC25900PE .*asks a person"):
        await require_agreement(options(tmp_path, STOP), bench.engine, bench.reconciler)
    assert bench.venue.asked == 2
    session = bench.engine.state.session
    assert session is not None
    assert session.status is SessionStatus.COMPLETED  # no crash: the next start takes over
    assert bench.engine.state.positions == held


@pytest.mark.parametrize(
    ("policy", "is_attended"), [(STOP, True), (Policy(), False), (Policy(stops=frozenset()), False)]
)
async def test_with_a_person_or_without_that_policy_it_begins(
    bench: Bench, tmp_path: Path, policy: Policy, is_attended: bool
) -> None:
    chosen = options(tmp_path, policy, is_attended=is_attended)
    await require_agreement(chosen, bench.engine, bench.reconciler)
    session = bench.engine.state.session
    assert session is not None
    assert session.status is SessionStatus.ACTIVE


async def test_what_was_only_a_flicker_does_not_keep_a_session_from_beginning(
    bench: Bench, tmp_path: Path
) -> None:
    bench.venue.change = lambda truth: truth
    await require_agreement(options(tmp_path, STOP), bench.engine, bench.reconciler)
    assert bench.reconciler.found == ()
