"""Who wants which records of a replay, whatever they say: readers, and orders on their way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from engine.domain.ids import InstrumentId
from engine.runtime.replayer import Replayer

_NEVER: Final = 2**63 - 1


class Wants:
    """From when on each instrument's records, by its index, go the ordinary way."""

    def __init__(self, replayer: Replayer, ids: Sequence[InstrumentId]) -> None:
        self._replayer, self._ids = replayer, ids
        self.since = np.full(len(ids), _NEVER, np.int64)
        self.is_any = False
        """Whether anybody wants anything, now or later."""
        self._busy: frozenset[InstrumentId] = frozenset()
        self._revision = -1

    def ask(self) -> bool:
        """Ask again, if somebody may have changed his mind; return whether that was so."""
        orders, revision = self._replayer.core.state.orders, self._replayer.revision
        busy = frozenset(w.order.instrument for w in orders.values()) if orders else frozenset()
        if busy == self._busy and revision == self._revision:
            return False
        self._busy, self._revision = busy, revision
        for index, id_ in enumerate(self._ids):
            self.since[index] = 0 if id_ in busy else self._replayer.quiet_until(id_)
        self.is_any = bool((self.since < _NEVER).any())
        return True
