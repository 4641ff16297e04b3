"""Decision bars from ticks, for one strategy: only the instruments it needs, only when due.

Intervals are half-open and aligned to the session open (to the epoch in a market that never
closes). A bar ends when a later tick or the clock says so; all bars of one interval end together,
as one `Moment`. An instrument that did not tick in an interval has no bar in it: nothing stale is
ever handed on as fresh.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.market import Bar, Tick
from engine.domain.money import ZERO, Price, quotient
from engine.domain.strategy import Close, Moment

NEVER: Final = Nanos(2**63 - 1)


class _Tape:
    """What was seen of one instrument: its sums of the session and its unfinished bar."""

    __slots__ = ("bar", "ends", "oi", "seen", "session_start", "turnover", "volume")

    def __init__(self) -> None:
        self.seen = Nanos(0)
        self.session_start = Nanos(0)
        self.turnover = ZERO
        self.volume = ZERO
        self.oi: Decimal | None = None
        self.bar: Bar | None = None
        self.ends = NEVER

    @property
    def vwap(self) -> Decimal | None:
        return quotient(self.turnover, self.volume) if self.volume else None


class Bars:
    """Builds the bars. `due` is when the next one ends; compare it before calling anything."""

    def __init__(self, seconds: int) -> None:
        if seconds < 1:
            raise ValueError(f"a bar has at least 1 second, was {seconds}")
        self._seconds = seconds
        self._length = seconds * SECOND
        self._tapes: dict[InstrumentId, _Tape] = {}
        self._ended = Nanos(-1)
        """End of the newest interval handed out: ticks before it come too late for a bar."""
        self.due: Nanos = NEVER
        self._restored: dict[InstrumentId, Nanos] = {}
        self._is_restored = False
        """Per instrument, the time of the newest tick that the restored memory holds."""
        self.late = 0
        """Ticks that belonged to a bar already handed out; they count in VWAP and OI only."""

    def add(self, tick: Tick, session_start: Nanos | None) -> None:
        """Enter a tick. Call `end(tick.at)` first when `tick.at >= due`."""
        tape = self._tapes.get(tick.instrument)
        if tape is None:
            tape = self._tapes[tick.instrument] = _Tape()
        tape.seen = max(tape.seen, tick.at)
        self._sum(tape, tick, session_start)
        anchor = session_start or 0
        at = Nanos(anchor + (tick.at - anchor) // self._length * self._length)
        ends = Nanos(at + self._length)
        bar = tape.bar
        if ends <= self._ended or (bar is not None and at < bar.at):
            self.late += 1
            return
        if bar is None:
            tape.bar = Bar(
                tick.instrument,
                at,
                tick.price,
                tick.price,
                tick.price,
                tick.price,
                tick.volume,
                tape.oi,
                self._seconds,
                tick.source,
            )
            tape.ends = ends
            self.due = min(self.due, ends)
            return
        self._extend(bar, tick, tape.oi)

    def end(self, now: Nanos) -> list[Moment]:
        """Return the moments of all intervals that ended at or before `now`, oldest first."""
        if now < self.due:
            return []
        found: dict[tuple[Nanos, Nanos], dict[InstrumentId, Close]] = {}
        for instrument, tape in self._tapes.items():
            if tape.bar is not None and tape.ends <= now:
                closes = found.setdefault((tape.ends, tape.bar.at), {})
                closes[instrument] = Close(tape.bar, tape.vwap, tape.session_start)
                tape.bar, tape.ends = None, NEVER
        self._ended = max([self._ended, *(ends for ends, _ in found)])
        self.due = min((tape.ends for tape in self._tapes.values()), default=NEVER)
        return [
            Moment(at, ends, dict(sorted(closes.items())))
            for (ends, at), closes in sorted(found.items())
        ]

    def memory(self) -> dict[str, Any]:
        """Return sums and unfinished bars as JSON data."""
        return {
            "ended": self._ended,
            "tapes": {name: _remembered(tape) for name, tape in self._tapes.items()},
        }

    def restore(self, memory: Mapping[str, Any]) -> None:
        """Take over what `memory` returned."""
        self._ended = Nanos(memory["ended"])
        self._tapes = {}
        for name, values in memory["tapes"].items():
            self._tapes[InstrumentId(name)] = self._recalled(InstrumentId(name), values)
        self.due = min((tape.ends for tape in self._tapes.values()), default=NEVER)
        self._is_restored = True
        self._restored = {name: tape.seen for name, tape in self._tapes.items()}

    @property
    def restored_to(self) -> Nanos | None:
        """Time of the newest tick that was restored (0: of none yet); None: a first life."""
        return max(self._restored.values(), default=Nanos(0)) if self._is_restored else None

    def has_restored(self, tick: Tick) -> bool:
        """Return whether what was restored holds `tick` already."""
        return tick.at <= self._restored.get(tick.instrument, -1)

    def _recalled(self, name: InstrumentId, values: list[Any]) -> _Tape:
        tape = _Tape()
        seen, start, turnover, volume, oi, bar = values
        tape.seen = Nanos(seen)
        tape.session_start = Nanos(start)
        tape.turnover, tape.volume, tape.oi = Decimal(turnover), Decimal(volume), _number(oi)
        if bar is not None:
            at, opened, high, low, close, traded, bar_oi, source = bar
            tape.bar = Bar(
                name,
                Nanos(at),
                Price(Decimal(opened)),
                Price(Decimal(high)),
                Price(Decimal(low)),
                Price(Decimal(close)),
                _number(traded),
                _number(bar_oi),
                self._seconds,
                source,
            )
            tape.ends = Nanos(at + self._length)
        return tape

    @staticmethod
    def _sum(tape: _Tape, tick: Tick, session_start: Nanos | None) -> None:
        """Keep VWAP sums and open interest, by the same rule as `engine.domain.market.observe`."""
        if session_start is not None and session_start != tape.session_start:
            tape.turnover = tape.volume = ZERO
            tape.session_start, tape.oi = session_start, None
        if tick.oi is not None:
            tape.oi = tick.oi
        if tick.volume and (session_start is None or tick.at >= session_start):
            tape.turnover += tick.price * tick.volume
            tape.volume += tick.volume

    @staticmethod
    def _extend(bar: Bar, tick: Tick, oi: Decimal | None) -> None:
        price = tick.price
        if price > bar.high:
            bar.high = price
        elif price < bar.low:
            bar.low = price
        bar.close, bar.oi, bar.source = price, oi, tick.source
        if tick.volume is not None:
            bar.volume = tick.volume if bar.volume is None else bar.volume + tick.volume


def _remembered(tape: _Tape) -> list[Any]:
    bar = tape.bar
    return [
        tape.seen,
        tape.session_start,
        str(tape.turnover),
        str(tape.volume),
        _text(tape.oi),
        None
        if bar is None
        else [
            bar.at,
            *(str(price) for price in (bar.open, bar.high, bar.low, bar.close)),
            _text(bar.volume),
            _text(bar.oi),
            bar.source,
        ],
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
