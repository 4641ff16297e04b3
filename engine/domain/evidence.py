"""What the venue's fills prove: which of them the journal does not have, and what they add up to.

An execution is evidence once. One of an order that works here is reported the ordinary way and is
none; one of an order that ended here without it, or that somebody else sent, is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from engine.domain.ids import InstrumentId, OrderId
from engine.domain.money import ZERO
from engine.domain.state import State
from engine.domain.truth import Execution

_OURS: Final = re.compile(r"\d{8}-\d{6}b?-\d+")
"""An order id of any live session."""


def net(state: State) -> dict[InstrumentId, Decimal]:
    """Return the signed quantity per instrument with an open position."""
    sums: dict[InstrumentId, Decimal] = {}
    for position in state.positions.values():
        qty = position.side.sign * position.qty
        sums[position.instrument] = sums.get(position.instrument, ZERO) + qty
    return sums


def is_ours(state: State, order: OrderId) -> bool:
    """Return whether this session made `order`."""
    return state.session is not None and order.startswith(f"{state.session.id}-")


def is_news(state: State, execution: Execution) -> bool:
    """Return whether the journal does not have `execution`, and no working order will bring it."""
    fill = execution.fill
    if fill.order in state.orders or fill.id in state.adopted:
        return False
    given_up = state.given_up.get(fill.order)
    if given_up is not None:
        return fill.id not in given_up.fills
    if is_ours(state, fill.order) or _OURS.fullmatch(fill.order):
        return False  # it ended with all of its fills
    held = {id_ for p in state.positions.values() for id_ in (p.id, p.entry_order)}
    return fill.order not in held


def news(
    state: State, executions: Iterable[Execution], instrument: InstrumentId
) -> tuple[Execution, ...]:
    """Return what is news of one instrument, each once, in the venue's order.

    What came to nothing is left out: a position is what was traded since it was last flat.
    """
    found: list[Execution] = []
    seen: set[str] = set()
    total = ZERO
    for execution in executions:
        if execution.instrument != instrument or execution.fill.id in seen:
            continue
        if not is_news(state, execution):
            continue
        seen.add(execution.fill.id)
        found.append(execution)
        total += execution.signed
        if not total:
            found.clear()
    return tuple(found)


def proves(executions: Iterable[Execution], here: Decimal, there: Decimal) -> bool:
    """Return whether `executions` lead exactly from `here` to `there`."""
    return sum((execution.signed for execution in executions), here) == there


def covers_part(executions: Iterable[Execution], here: Decimal, there: Decimal) -> bool:
    """Return whether `executions` lead some of the way from `here` to `there`, and not beyond."""
    made, wanted = sum((execution.signed for execution in executions), ZERO), there - here
    return made * wanted > 0 and abs(made) < abs(wanted)
