"""What a session is like when nothing is configured: the settings' own defaults, ready-made.

The settings library takes as long to import as everything else that an engine needs; a start that
is told nothing does without. A test holds these values and those of the settings together.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from engine.bootstrap.options import LiveOptions
from engine.domain.ids import StrategyName
from engine.domain.risk import Limits
from engine.runtime.strategy_loading import StrategySpec

SIM_STRATEGIES: Final = (
    StrategySpec(
        StrategyName("nifty"),
        "oi_momentum",
        (("underlying", "NIFTY"), ("bar_seconds", "5"), ("cooldown_s", "10")),
    ),
    StrategySpec(
        StrategyName("banknifty"),
        "oi_momentum",
        (("underlying", "BANKNIFTY"), ("bar_seconds", "5"), ("cooldown_s", "10")),
    ),
    StrategySpec(StrategyName("signals"), "signals"),
)
"""What runs on the simulated market when the configuration names no strategy."""
SIGNALS_ONLY: Final = (SIM_STRATEGIES[-1],)
RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "initial": {"pct": Decimal("0.25")},
    "trailing": {"activation_pct": Decimal("0.10"), "pct": Decimal("0.10")},
    "vwap": {"pct": Decimal("0.05")},
    "oi": {"pct": Decimal("0.10")},
    "end_of_day": {"time": None},
}
LEVERAGE: Final = Decimal(10)
DISTURBANCES: Final = ("close", "open", "reduce", "order", "enlarge", "vanish", "flip")


def unsaid_options(data_dir: Path) -> LiveOptions:
    """Return what a session starts from that nobody has said anything about."""
    return LiveOptions(
        data_dir=data_dir,
        strategies=SIM_STRATEGIES,
        rules=RULES,
        limits=Limits(leverage=LEVERAGE),
        disturb_kinds=DISTURBANCES,
    )
