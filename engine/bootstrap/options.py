"""What a live session is made from; `engine.bootstrap.configure` makes it from settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.domain.decision import Choice
from engine.domain.questions import Policy
from engine.domain.risk import Limits
from engine.domain.session import Recovery
from engine.domain.silence import PollLimits
from engine.runtime.strategy_loading import StrategySpec
from engine.venues.paper.settings import Fees


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Everything that decides how a session starts."""

    data_dir: Path
    feed: str = "sim"
    sim_seed: int = 7
    sim_speed: float = 1.0
    sim_pace: float = 20.0
    replay_files: tuple[Path, ...] = ()
    replay_instruments: tuple[Path, ...] = ()
    replay_speed: float | None = 1.0
    bar_path: str = "olhc"
    strategies: tuple[StrategySpec, ...] = ()
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Enabled exit rules with their parameters."""
    limits: Limits = field(default_factory=Limits)
    initial_capital: Decimal = Decimal(100_000)
    slippage_bps: Decimal = Decimal(0)
    fees: Fees = field(default_factory=Fees)
    disturb_s: float | None = None
    """A drill: so often somebody trades on the account behind the engine's back."""
    disturb_kinds: tuple[str, ...] = ()
    checkpoint_s: float = 30.0
    reconcile_s: float = 60.0
    reconcile_policy: Policy = field(default_factory=Policy)
    """What becomes of a difference that nobody answers for."""
    backup_s: float = 3600.0
    backups_kept: int = 24
    recovery_flat: Recovery | None = Recovery.RESUME
    """What becomes of a session that crashed with nothing open; None: a person has to say."""
    recovery_gap: Choice | None = Choice.EXIT_NOW
    """What is done where a rule would have fired while nobody watched; None: a person says."""
    recovery_countdown_s: float = 20.0
    """How long a person is given to answer before the policy does; without a console none."""
    is_attended: bool = False
    """A console looks after this engine: there is somebody to ask."""
    safe_mode_crashes: int = 3
    """So many crashes in ten minutes block entries until a person looks; 0: never."""
    quality_gate: float = 60.0
    stale_s: float = 3.0
    polls: PollLimits = field(default_factory=PollLimits)
    signals_file: Path | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Texts that must not reach a log."""
    is_persistent: bool = True
    """False: nothing is kept; said on screen all the time."""

    @property
    def database(self) -> Path:
        return self.data_dir / "holdfast.db"
