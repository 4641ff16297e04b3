"""The replica that panels draw while they show the past: what the journal knows at one moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.domain.event import SignalAccepted, SignalRefused, StrategyNoted
from engine.domain.ids import SECOND, Nanos
from engine.domain.log import LogRecord
from tui.past.moment import prices
from tui.past.player import Player
from tui.past.timeline import Recent
from tui.replica import EVERYTHING, SPARK_KEPT, Replica

ENTRIES_SHOWN: Final = 200
"""Entries before the moment that the log, stories and sparklines are made from."""
ENTRIES_MOST: Final = 1600
"""As many where most of them are for machines only."""
LINES_WANTED: Final = 60
"""Log lines that fill the highest panel."""
_SIGNALS: Final = (SignalAccepted, SignalRefused, StrategyNoted)


@dataclass(slots=True)
class PastReplica(Replica):
    """Stands still at `at`; health, quality and pulse were never journaled and stay unknown."""

    at: Nanos = Nanos(0)
    time_zone: str = "UTC"
    is_waiting: bool = False
    _position: int = -1
    _length: int = -1

    def now(self, mono: Nanos) -> Nanos:
        return self.at

    def silence(self, mono: Nanos) -> Nanos:
        return Nanos(0)

    def is_grey(self, mono: Nanos) -> bool:
        return False

    @property
    def zone(self) -> str:
        return self.time_zone

    def show(self, player: Player) -> None:
        """Become what the journal knew where the play head stands."""
        self.at = player.now
        self._dirty.update(EVERYTHING)
        if (player.position, len(player.line)) == (self._position, self._length):
            return
        self._position, self._length = player.position, len(player.line)
        moment = player.line.moment(player.position)
        self._moved.update(self.quotes.keys() | moment.quotes.keys())
        self.state, self.quotes = moment.state, dict(moment.quotes)
        recent, lines = _recent(player)
        self.logs = deque(lines, maxlen=self.logs.maxlen)
        self.log_count = player.position + len(lines)
        self.entries = deque((entry for entry, _, _ in recent), maxlen=self.entries.maxlen)
        signals = (entry for entry, _, _ in recent if isinstance(entry.event, _SIGNALS))
        self.signals = deque(signals, maxlen=self.signals.maxlen)
        self.sparks = {}
        for (_, before, _), (entry, _, _) in pairwise(recent):
            for quote in prices(before, entry):
                ring = self.sparks.setdefault(quote.instrument, deque(maxlen=SPARK_KEPT))
                ring.append((quote.at // SECOND, float(quote.last)))


def _recent(player: Player) -> tuple[list[Recent], list[LogRecord]]:
    """Return the last entries, so many that they make a panel full of log lines."""
    count = ENTRIES_SHOWN
    while True:
        recent = player.line.recent(player.position, count)
        lines = [record for _, _, record in recent if record is not None]
        if len(lines) >= LINES_WANTED or count >= min(player.position, ENTRIES_MOST):
            return recent, lines
        count *= 2
