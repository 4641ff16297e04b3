"""From checked settings to what sessions and replays are made of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.bootstrap.options import LiveOptions
from engine.bootstrap.replay import ReplayPlan
from engine.bootstrap.unsaid import SIGNALS_ONLY, SIM_STRATEGIES
from engine.domain.decision import Choice, Matter
from engine.domain.ids import SECOND, InstrumentId, Nanos, StrategyName
from engine.domain.instrument import Instrument
from engine.domain.questions import Policy
from engine.domain.risk import Limits
from engine.domain.session import Recovery
from engine.domain.signal import Signal
from engine.domain.silence import PollLimits
from engine.runtime.strategy_loading import StrategySpec
from engine.settings import Settings
from engine.venues.paper.settings import Fees, PaperSettings

_FLAT: Final[Mapping[str, Recovery | None]] = {
    "resume": Recovery.RESUME,
    "fresh": Recovery.FRESH,
    "ask": None,
}
_GAP: Final[Mapping[str, Choice | None]] = {
    "exit_now": Choice.EXIT_NOW,
    "hold": Choice.KEEP,
    "ask": None,
}


def limits_of(settings: Settings) -> Limits:
    """Return the limits of a session."""
    kill = settings.exits.kill_switch
    table, paper = settings.limits, settings.paper
    return Limits(
        positions_max=table.positions_max,
        positions_max_per_strategy=table.positions_max_per_strategy,
        positions_max_per_instrument=table.positions_max_per_instrument,
        cooldown_s=table.cooldown_s,
        confidence_min=settings.signals.confidence_min,
        daily_loss=kill.daily_loss if kill.enabled else None,
        drawdown_max=kill.max_drawdown if kill.enabled else None,
        capital_per_position=paper.capital_per_position,
        default_qty=paper.default_qty,
        leverage=paper.leverage,
        price_age_max_s=settings.freshness.price_age_max,
    )


def rules_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the enabled exit rules with their parameters, by registered name."""
    enabled: dict[str, dict[str, Any]] = {}
    for code in ("initial", "trailing", "vwap", "oi", "take_profit", "end_of_day", "time_stop"):
        table = getattr(settings.exits, code)
        if table.enabled:
            enabled[code] = table.model_dump(exclude={"enabled"})
    if enabled.get("time_stop", {}).get("minutes", 0) is None:
        del enabled["time_stop"]  # enabled without a duration: there is nothing to wait for
    return enabled


def policy_of(settings: Settings) -> Policy:
    """Return what becomes of a difference with the venue that nobody answers for."""
    table = settings.reconcile.policy
    words = {
        Matter.GONE: table.gone,
        Matter.UNKNOWN_HERE: table.unknown,
        Matter.DIFFERS: table.differs,
        Matter.STRAY_ORDER: table.stray,
    }
    return Policy(
        acts={m: Choice(word) for m, word in words.items() if word not in {"ask", "stop"}},
        stops=frozenset(m for m, word in words.items() if word == "stop"),
        wait=Nanos(int(table.wait * SECOND)),
    )


def fees_of(settings: Settings) -> Fees:
    """Return the paper venue's fee schedule."""
    fees = settings.paper.fees
    return Fees(fees.maker, fees.taker, fees.cap)


def strategy_specs(
    settings: Settings, names: tuple[str, ...] | None = None
) -> tuple[StrategySpec, ...]:
    """Return the configured strategies; `names` picks some, configured or not."""
    tables = settings.strategies
    wanted = names if names is not None else tuple(n for n, t in tables.items() if t.enabled)
    specs = []
    for name in wanted:
        table = tables.get(name)
        kind = table.kind if table is not None and table.kind is not None else name
        own: Mapping[str, Any] = (table.model_extra or {}) if table is not None else {}
        pairs = tuple((key, str(value)) for key, value in own.items())
        specs.append(StrategySpec(StrategyName(name), kind, pairs))
    return tuple(specs)


def live_options(settings: Settings, data_dir: Path) -> LiveOptions:
    """Return what a live session starts from."""
    specs = strategy_specs(settings)
    return LiveOptions(
        data_dir=data_dir,
        feed=settings.feed,
        sim_seed=settings.sim.seed,
        sim_speed=settings.sim.speed,
        sim_pace=settings.sim.pace,
        replay_files=settings.replay.files,
        replay_instruments=settings.replay.instruments,
        replay_speed=settings.replay.speed,
        bar_path=settings.replay.bar_path,
        strategies=specs or (SIM_STRATEGIES if settings.feed == "sim" else SIGNALS_ONLY),
        rules=rules_of(settings),
        limits=limits_of(settings),
        initial_capital=settings.paper.initial_capital,
        slippage_bps=settings.paper.slippage_bps,
        fees=fees_of(settings),
        disturb_s=settings.paper.disturb.every,
        disturb_kinds=settings.paper.disturb.kinds,
        checkpoint_s=settings.checkpoint.interval,
        reconcile_s=settings.reconcile.interval,
        reconcile_policy=policy_of(settings),
        backup_s=settings.backup.interval,
        backups_kept=settings.backup.keep,
        recovery_flat=_FLAT[settings.recovery.flat],
        recovery_gap=_GAP[settings.recovery.gap],
        recovery_countdown_s=settings.recovery.countdown,
        safe_mode_crashes=settings.recovery.safe_mode_crashes,
        quality_gate=settings.quality.gate if settings.quality.enabled else 0.0,
        stale_s=settings.freshness.stale,
        polls=PollLimits(
            settings.freshness.silent, settings.freshness.danger, settings.freshness.danger_pct
        ),
        is_persistent=settings.store.persistence == "on",
        signals_file=settings.signals.file,
        secrets=tuple(s.get_secret_value() for s in settings.secrets.values()),
    )


def replay_plan(
    settings: Settings,
    paths: tuple[Path, ...],
    instruments: Mapping[InstrumentId, Instrument],
    signals: tuple[Signal, ...],
    strategies: tuple[str, ...],
    bar_path: str,
) -> ReplayPlan:
    """Return what a replay starts from."""
    return ReplayPlan(
        paths=paths,
        instruments=instruments,
        signals=signals,
        strategies=strategy_specs(settings, strategies),
        rules=rules_of(settings),
        limits=limits_of(settings),
        paper=PaperSettings(
            leverage=settings.paper.leverage,
            slippage_bps=settings.paper.slippage_bps,
            fees=fees_of(settings),
        ),
        initial_capital=Decimal(settings.paper.initial_capital),
        bar_path=bar_path,
    )
