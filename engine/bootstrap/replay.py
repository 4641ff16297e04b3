"""`holdfast replay`: recorded files through the whole engine, as fast as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.bootstrap.rules import build_rules
from engine.domain.calendar import local
from engine.domain.event import SessionEnded, SessionStarted
from engine.domain.ids import InstrumentId, Nanos, SessionId, StrategyName
from engine.domain.inputs import Input
from engine.domain.instrument import Instrument
from engine.domain.market import Bar, Tick
from engine.domain.money import Currency, Money
from engine.domain.risk import Limits
from engine.domain.session import Mode, SessionStatus
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.ports.journal import Journal, JournalRefused
from engine.runtime.clock import ManualClock, SystemClock
from engine.runtime.core import Core
from engine.runtime.outcome import Outcome, iso
from engine.runtime.replayer import Replayer
from engine.runtime.strategist import Strategist
from engine.runtime.strategy_host import InlineHost
from engine.runtime.strategy_loading import StrategySpec
from engine.store.export import export_all
from engine.store.lock import held
from engine.store.memory import MemoryJournal
from engine.store.sqlite import SqliteJournal
from engine.store.stamp import Stamp
from engine.venues.paper.settings import PaperSettings
from engine.venues.paper.venue import PaperVenue
from engine.venues.refusals import Refusals
from engine.venues.replay.merge import Recording, open_recording

LONG: Final = 50_000
"""Records from which on the fast lane is worth loading."""


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Everything that decides what a replay does; equal plans give equal output."""

    paths: tuple[Path, ...]
    instruments: Mapping[InstrumentId, Instrument] = field(default_factory=dict)
    signals: tuple[Signal, ...] = ()
    strategies: tuple[StrategySpec, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Enabled exit rules with their parameters."""
    limits: Limits = field(default_factory=Limits)
    paper: PaperSettings = field(default_factory=PaperSettings)
    initial_capital: Decimal = Decimal(100_000)
    bar_path: str = "pessimistic"


async def replay_journal(stack: AsyncExitStack, data_dir: Path) -> Journal:
    """Open (and hold, until `stack` closes) the store in `data_dir`, which exists.

    Raises DirectoryHeld, or JournalRefused for a store of another mode or an unfinished replay.
    """
    now = SystemClock().now()
    stack.enter_context(held(data_dir, now))
    opened = SqliteJournal.open(data_dir / "holdfast.db", Stamp(Mode.REPLAY, "paper"), now)
    journal = await stack.enter_async_context(opened)
    open_ = len(journal.recovered.state.positions)
    if open_:
        raise JournalRefused(
            f"{data_dir} holds a replay with {open_} positions open; give another --data-dir"
        )
    return journal


def export_trades(data_dir: Path) -> None:
    """Bring the CSV files in `data_dir` to what its store holds (E-59). Raises OSError."""
    export_all(data_dir / "holdfast.db", data_dir / "exports")


async def run_replay(
    plan: ReplayPlan, journal: Journal | None = None, *, speed: float | None = None
) -> dict[str, Any]:
    """Replay and return the outcome (interfaces.md, `holdfast replay`), without `elapsed_s`.

    `speed`: recorded seconds per real second; None: as fast as it goes. Raises FormatError for
    files that cannot be read; nothing has started then.
    """
    recording = open_recording(plan.paths, dict(plan.instruments))
    refused = Refusals()
    clock = ManualClock(recording.begins or Nanos(0))
    currencies = _currencies(recording.instruments)
    paper = _paper(plan, currencies)
    found = journal.recovered.state if isinstance(journal, SqliteJournal) else None
    core = Core(recording.instruments, found)
    replayer = Replayer(
        core,
        PaperVenue(clock, paper),
        clock,
        journal or MemoryJournal(),
        bar_path=plan.bar_path,
    )
    outcome = Outcome()
    replayer.watch(outcome.on_entry)
    strategist = Strategist(_specs(plan), InlineHost, replayer.give, clock)
    strategist.offer(plan.signals)
    replayer.add_reader(strategist)
    replayer.give(_session(plan, recording, currencies, core.state))
    replayer.settle()
    strategist.begin(core.state, recording.instruments)
    await _run(replayer, recording, refused, speed)
    strategist.on_time(clock.now())
    replayer.settle()
    _end(replayer, core)
    await replayer.flush()
    return _result(core, outcome, strategist, recording, refused)


def _currencies(instruments: Mapping[InstrumentId, Instrument]) -> tuple[Currency, ...]:
    return tuple(sorted({i.currency for i in instruments.values() if i.is_tradable}))


def _paper(plan: ReplayPlan, currencies: Sequence[Currency]) -> PaperSettings:
    cash = dict.fromkeys(currencies, plan.initial_capital)
    return replace(
        plan.paper,
        cash=cash,
        leverage=plan.limits.leverage,
        price_age_max_s=plan.limits.price_age_max_s,
    )


def _specs(plan: ReplayPlan) -> tuple[StrategySpec, ...]:
    offered = StrategySpec(StrategyName("signals"), "signals")
    return (offered, *plan.strategies) if plan.signals else plan.strategies


async def _run_paced(replayer: Replayer, items: Iterable[Tick | Bar], speed: float) -> None:
    clock = SystemClock()
    began, first = clock.monotonic(), None
    for item in items:
        first = item.at if first is None else first
        ahead = (item.at - first) / speed - (clock.monotonic() - began)
        if ahead > 0:
            await replayer.flush()
            await clock.sleep(ahead / 1_000_000_000)
        replayer.take(item)
    await replayer.finish()


async def _run(
    replayer: Replayer, recording: Recording, refused: Refusals, speed: float | None
) -> None:
    if speed is not None:
        await _run_paced(replayer, recording.items(refused), speed)
    elif recording.count < LONG or recording.has_bars or replayer.core.is_risk_limited:
        await replayer.run(recording.items(refused))
    else:
        await _run_fast(replayer, recording, refused)


async def _run_fast(replayer: Replayer, recording: Recording, refused: Refusals) -> None:
    """Take the fast lane; it and numpy are loaded by who needs them only."""
    from engine.runtime.blocks import tape_blocks, tick_blocks
    from engine.runtime.fast_lane import run_blocks

    tape = recording.tape
    if tape is not None:
        ids = tuple(instrument.id for instrument in tape.instruments)
        await run_blocks(replayer, tape_blocks(tape, tape.decoder(refused)), ids)
        return
    ids = tuple(recording.instruments)
    ticks = (item for item in recording.items(refused) if isinstance(item, Tick))
    await run_blocks(replayer, tick_blocks(ticks, ids), ids)


def _session(
    plan: ReplayPlan, recording: Recording, currencies: Sequence[Currency], found: State
) -> SessionStarted:
    begins = recording.begins or Nanos(0)
    id_ = f"r{local(begins, 'UTC'):%Y%m%d%H%M%S}"
    if found.session is not None:  # a data directory that holds replays already
        id_ = f"{id_}.{found.seq}"
    return SessionStarted(
        session=SessionId(id_),
        mode=Mode.REPLAY,
        venue="paper",
        feed="replay",
        cash=tuple(Money(plan.initial_capital, currency) for currency in currencies),
        rules=build_rules(plan.rules),
        limits=plan.limits,
        symbols=tuple(sorted(recording.instruments)),
    )


def _end(replayer: Replayer, core: Core) -> None:
    session = core.state.session
    if session is not None:
        ended: Input = SessionEnded(session.id, SessionStatus.COMPLETED, "replay")
        replayer.give(ended)
        replayer.settle()


def _result(
    core: Core,
    outcome: Outcome,
    strategist: Strategist,
    recording: Recording,
    refused: Refusals,
) -> dict[str, Any]:
    result = outcome.report(core.state, core.quotes)
    for signal in strategist.unacted():
        known = signal.instrument in recording.instruments
        what = (
            "no tick at or after its time" if known else f"unknown instrument {signal.instrument}"
        )
        result["refused_signals"].append(
            {
                "id": signal.id,
                "symbol": signal.instrument,
                "time": iso(signal.at),
                "reason": what,
                "strategy": signal.strategy,
            }
        )
    result["quality"] = {
        "refused": dict(refused.counts()),
        "examples": {reason: str(tally.first) for reason, tally in sorted(refused.tallies.items())},
        "inferred_instruments": list(recording.inferred),
    }
    result["ticks"] = core.ticks
    return result
