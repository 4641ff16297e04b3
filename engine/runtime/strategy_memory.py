"""What the journal keeps of a strategy: its memory, its bars' sums, outside signals that acted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.domain.ids import InstrumentId, OrderId, StrategyName
from engine.domain.position import Position
from engine.domain.state import State
from engine.domain.strategy import Holding


@dataclass(frozen=True, slots=True)
class Kept:
    """The parts of `StrategyRecord.memory`."""

    own: str = ""
    """JSON of `Strategy.memory`; empty: it never answered."""
    bars: Mapping[str, Any] | None = None
    acted: Mapping[str, Any] | None = None
    """Of signals from outside: per instrument, the time of the newest that acted."""


def unpacked(text: str) -> Kept:
    """Return the parts of a journaled memory."""
    parts = json.loads(text or "{}")
    own = parts.get("strategy")
    return Kept("" if own is None else _json(own), parts.get("bars"), parts.get("acted"))


def packed(kept: Kept) -> str:
    """Return the text to journal."""
    acted = "" if kept.acted is None else f',"acted":{_json(kept.acted)}'
    return f'{{"strategy":{kept.own},"bars":{_json(kept.bars)}{acted}}}'


def holding_of(position: Position) -> Holding:
    """Return the part of a position that a strategy may see."""
    return Holding(
        position.id,
        position.instrument,
        position.side,
        position.qty,
        position.entry,
        position.opened_at,
    )


def working_entry(state: State, name: StrategyName, instrument: InstrumentId) -> OrderId | None:
    """Return the strategy's entry order on `instrument` that is under way, if there is one."""
    for working in state.orders.values():
        order = working.order
        if order.exit is None and order.strategy == name and order.instrument == instrument:
            return order.id
    return None


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
