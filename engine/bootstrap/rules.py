"""Exit rules of a session, from configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.domain.stop import ExitRule
from engine.stops import STOP_RULES
from engine.stops.initial import InitialStop
from engine.stops.take_profit import TakeProfit


def build_rules(enabled: Mapping[str, Mapping[str, Any]]) -> tuple[ExitRule, ...]:
    """Return the rules in the order of the specification's table.

    Stop and target are always there: without a percentage they still obey a position's own
    absolute prices (E-18).
    """
    rules: list[ExitRule] = []
    for code, cls in STOP_RULES.items():
        if code in enabled:
            rules.append(cls(**enabled[code]))
        elif cls is InitialStop or cls is TakeProfit:
            rules.append(cls(pct=None))
    return tuple(rules)
