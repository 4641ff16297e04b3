"""Identifiers. All are text, none is random: a replayed journal yields the same ones."""

from __future__ import annotations

from typing import Final, NewType

Seq = NewType("Seq", int)
"""Position in the journal; starts at 1, no gaps."""

Nanos = NewType("Nanos", int)
"""UTC epoch nanoseconds."""

InstrumentId = NewType("InstrumentId", str)
"""The venue's symbol, e.g. NIFTY25DEC25900PE."""
OrderId = NewType("OrderId", str)
"""Our client order id; unique for ever, derived from the session and the journal position."""
FillId = NewType("FillId", str)
"""The venue's id of one execution."""
PositionId = NewType("PositionId", str)
"""The id of the order that opened the position."""
CommandId = NewType("CommandId", str)
DecisionId = NewType("DecisionId", str)
"""What was found and where; the same finding in the same place has the same id."""
SessionId = NewType("SessionId", str)
ShadowId = NewType("ShadowId", PositionId)
"""Of the exit order by hand, or of the entry that changed a stop: no position's, but watched so."""
StrategyName = NewType("StrategyName", str)

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND


def order_id(session: SessionId, seq: Seq) -> OrderId:
    """Return the client order id for the order requested at `seq`: unique and idempotent."""
    return OrderId(f"{session}-{seq}")
