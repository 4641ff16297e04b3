"""The drill: each kind of foreign trade does what it says, and leaves alone what is in dispute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from engine.bootstrap.disturbing import DEEDS, Disturbance, drills
from engine.bootstrap.options import LiveOptions
from engine.domain.money import qty
from engine.domain.order import Side
from engine.settings.model import Disturb
from tests.builders import NIFTY, PUT_25900
from tests.unit.test_reconciler_decisions import Watched


@pytest.fixture
async def bench(tmp_path: Path) -> Watched:
    bench = Watched(tmp_path)
    await bench.opened()
    return bench


def drill(bench: Watched, *kinds: str) -> Disturbance:
    means = (bench.engine, bench.venue.elsewhere, bench.clock, bench.logbook)
    return Disturbance(kinds, *means)


def test_the_configuration_knows_every_kind_and_no_other() -> None:
    (kinds, _) = get_args(Disturb.model_fields["kinds"].annotation)
    assert set(get_args(kinds)) == set(DEEDS)
    assert set(Disturb().kinds) == set(DEEDS)
    assert Disturb().every is None


@pytest.mark.parametrize(
    ("kind", "there"),
    [("close", "0"), ("reduce", "0"), ("enlarge", "150"), ("flip", "-75"), ("vanish", "0")],
)
async def test_it_trades_against_what_is_held(bench: Watched, kind: str, there: str) -> None:
    before = bench.engine.state
    said = DEEDS[kind](drill(bench, kind))
    assert "behind the engine's back" in said
    assert bench.venue.positions().get(NIFTY, Decimal(0)) == Decimal(there)
    assert bench.engine.state == before  # nobody told it
    truth = await bench.venue.account_truth(before.session.started_at)  # type: ignore[union-attr]
    told = [e for e in truth.fills if e.fill.order.startswith("elsewhere")]
    assert len(told) == (0 if kind == "vanish" else 1)


async def test_it_leaves_alone_what_is_in_dispute_and_what_has_no_price(bench: Watched) -> None:
    bench.venue.elsewhere.trade(PUT_25900, Side.SELL, qty("75"))
    one = drill(bench, "close")
    assert DEEDS["close"](one) == ""
    assert DEEDS["open"](one) == ""  # the other instrument never ticked
    assert DEEDS["order"](one) == ""


async def _run(chore: Callable[[], Awaitable[None]]) -> None:
    await chore()


async def test_it_runs_as_a_chore_only_when_it_is_switched_on(
    bench: Watched, tmp_path: Path
) -> None:
    means = (bench.engine, bench.venue.elsewhere, bench.logbook)
    assert drills(LiveOptions(tmp_path), *means) == []
    options = LiveOptions(tmp_path, disturb_s=5.0, disturb_kinds=("close",))
    ((name, chore),) = drills(options, *means)
    assert name == "disturbance"
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(_run(chore))
        while NIFTY in bench.venue.positions():
            await asyncio.sleep(0)
        running.cancel()
    lines = [record.text for record in bench.logbook.recent if record.source == "paper.disturb"]
    assert "a drill: every 5 s" in lines[0]
    assert "sold 75" in lines[1]
