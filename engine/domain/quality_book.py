"""Every sample of a feed, judged as it arrives: what becomes a tick, and what it costs (S-20 … 23).

Pure: no clock, no I/O. On the live path `accept` is asked before a tick goes into the inbox.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Mapping
from typing import Final

from engine.domain.ids import SECOND, InstrumentId, Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import AHEAD, Bar, Tick
from engine.domain.quality import (
    GATE,
    BadSample,
    InstrumentQuality,
    QualityReport,
    overall,
)
from engine.domain.quality_watch import Watch
from engine.domain.quality_window import Window
from engine.domain.records import dataclass

AHEAD_S: Final = AHEAD / SECOND
"""A sample from further in the future is refused."""
QUARANTINED: Final = 200
"""Refused samples that can be looked at; older ones are only counted."""
_TEXT: Final = 120
_STRAY: Final = "unknown_instrument"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A sample that never became a tick. Its text comes from outside: escape it to show it."""

    instrument: str
    sample: BadSample


class QualityBook:
    """Mutable account of a feed's samples."""

    def __init__(
        self,
        instruments: Mapping[InstrumentId, Instrument],
        *,
        gate: float = GATE,
        ahead_s: float = AHEAD_S,
    ) -> None:
        self.gate = gate
        self.instruments = instruments
        """Looked up when an instrument is first seen; may grow."""
        self.quarantine: deque[Quarantined] = deque(maxlen=QUARANTINED)
        self.refused: dict[str, int] = {}
        self._watches: dict[InstrumentId, Watch] = {}
        self._ahead = int(ahead_s * SECOND)
        self._strays = Window(0)
        self._delay: int | None = None

    def accept(self, tick: Tick, now: Nanos) -> str | None:
        """Count `tick`; return None if it may be traded on, else the reason it may not."""
        watch = self._watches.get(tick.instrument) or self._begin(tick.instrument, now)
        if watch is None:
            return self.refuse(_STRAY, tick.instrument, _text_of(tick), now)
        reason = watch.look(tick, now, self._ahead)
        if reason is not None:
            return self.refuse(reason, tick.instrument, _text_of(tick), now)
        delay = now - tick.at
        if self._delay is None or delay < self._delay:
            self._delay = delay
        return None

    def accept_bar(self, bar: Bar, now: Nanos) -> str | None:
        """Count `bar`; return None if it may be used, else the reason it may not."""
        watch = self._watches.get(bar.instrument) or self._begin(bar.instrument, now)
        if watch is None:
            return self.refuse(_STRAY, bar.instrument, _text_of(bar), now)
        reason = watch.look_at_bar(bar, now, self._ahead)
        if reason is not None:
            return self.refuse(reason, bar.instrument, _text_of(bar), now)
        return None

    def refuse(self, reason: str, instrument: str, text: str, at: Nanos) -> str:
        """Count a sample that is no tick (found here, or by a reader of raw text)."""
        self.refused[reason] = self.refused.get(reason, 0) + 1
        sample = BadSample(reason, at, text[:_TEXT])
        self.quarantine.append(Quarantined(instrument[:_TEXT], sample))
        id_ = InstrumentId(instrument)
        watch = self._watches.get(id_) or self._begin(id_, at)
        if watch is None:
            self._strays.turn(at)
            self._strays.count(reason)
        else:
            watch.window.turn(at)
            watch.window.samples += 1
            watch.count(reason, sample.text, at)
        return reason

    def score(self, instrument: InstrumentId) -> float:
        """Return the score of `instrument`; 100 while nothing is known of it."""
        watch = self._watches.get(instrument)
        return 100.0 if watch is None else watch.window.score

    def take_delay(self) -> Nanos | None:
        """Return the least delay from venue to here since the last call; None: no sample.

        Below zero: our clock is behind the venue's. The least one has waited for nothing, so it
        is the best measure of clock skew.
        """
        delay, self._delay = self._delay, None
        return None if delay is None else Nanos(delay)

    def report(self, now: Nanos, held: Container[InstrumentId] = ()) -> QualityReport:
        """Return all scores; `held` instruments count more in the overall one."""
        instruments: list[InstrumentQuality] = []
        parts: list[tuple[float, int, bool]] = []
        for id_, watch in self._watches.items():
            watch.window.turn(now)
            quality = _quality(id_, watch)
            instruments.append(quality)
            parts.append((quality.score, quality.samples, id_ in held))
        self._strays.turn(now)
        strays = sum(self._strays.how_often(reason) for reason in self._strays.totals)
        samples = sum(part[1] for part in parts)
        refused = sorted(self.refused.items(), key=lambda pair: (-pair[1], pair[0]))
        score = overall(parts, strays, samples)
        return QualityReport(now, score, self.gate, tuple(instruments), tuple(refused))

    def _begin(self, instrument: InstrumentId, now: Nanos) -> Watch | None:
        terms = self.instruments.get(instrument)
        if terms is None:
            return None
        watch = self._watches[instrument] = Watch(terms, now)
        return watch


def _quality(instrument: InstrumentId, watch: Watch) -> InstrumentQuality:
    """Return the report of an instrument; one without a new sample has the same as before."""
    at = (watch.window.turns_at, watch.window.samples)
    if watch.reported is None or watch.reported[0] != at:
        watch.reported = (at, _new_quality(instrument, watch))
    return watch.reported[1]


def _new_quality(instrument: InstrumentId, watch: Watch) -> InstrumentQuality:
    window = watch.window
    if not window.totals:
        return InstrumentQuality(instrument, 100.0, window.trend, window.size, (), None)
    examples = {
        check: BadSample(check, at, sample if isinstance(sample, str) else _text_of(sample))
        for check, (at, sample) in watch.examples.items()
    }
    return InstrumentQuality(
        instrument,
        window.score,
        window.trend,
        window.size,
        tuple(sorted(window.totals.items())),
        examples.get(watch.newest),
        tuple(examples.values()),
    )


def _text_of(sample: Tick | Bar) -> str:
    """Return a sample as text, whatever it is made of."""
    if isinstance(sample, Tick):
        parts = [f"price {sample.price}"]
        parts += [
            f"{name} {value}"
            for name in ("volume", "oi", "bid", "ask")
            if (value := getattr(sample, name)) is not None
        ]
    else:
        parts = [f"open {sample.open} high {sample.high} low {sample.low} close {sample.close}"]
    return f"{' '.join(parts)} at {sample.at}"[:_TEXT]
