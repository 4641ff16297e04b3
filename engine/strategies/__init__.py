"""Built-in strategies, one file each. A new one is a new file and one line in `STRATEGIES`.

A strategy class takes `(name, settings)` and names its settings dataclass `Settings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.domain.strategy import Strategy
from engine.strategies.oi_momentum import OiMomentum
from engine.strategies.signals import Signals

STRATEGIES: Final[Mapping[str, Callable[..., Strategy]]] = {
    "oi_momentum": OiMomentum,
    "signals": Signals,
}
"""Registered name -> class."""

SETTINGS: Final[Mapping[str, type[Any]]] = {
    "oi_momentum": OiMomentum.Settings,
    "signals": Signals.Settings,
}
"""Registered name -> the dataclass of its parameters."""
