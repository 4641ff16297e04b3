"""Seeded tick streams for B-1, as tapes: the three scenarios of field/speed.md.

`watch`: 1e-5 a tick, stops move but hardly anything fires; `churn`: 1 bp a tick, exits fire all
the time; `trend`: the price rises on every tick, so every armed trailing stop moves on each one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from pathlib import Path
from random import Random

from engine.domain.ids import InstrumentId, Nanos
from engine.domain.instrument import Instrument, Kind
from engine.domain.money import Currency
from engine.venues.replay.tape import TapeWriter

SIGMA = {"watch": 1e-5, "churn": 1e-4, "trend": 0.0}
"""Standard deviation of a tick's relative move, by scenario."""
RISE = 2e-6
"""Relative rise per tick in `trend`."""
START = Nanos(1_800_000_000_000_000_000)
STEP = 1_000_000
"""One tick per millisecond, over all instruments."""
OPENING = 100.0
DIGITS = 8
"""Decimals of a price: fine enough for 2e-6 steps, few enough to be exact in a double."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What to generate; equal streams are equal to the byte."""

    scenario: str
    instruments: int
    ticks: int
    seed: int = 1

    def __post_init__(self) -> None:
        if self.scenario not in SIGMA:
            raise ValueError(f"scenario was {self.scenario!r}, allowed: {', '.join(SIGMA)}")


def listed(count: int) -> list[Instrument]:
    """Return `count` equities that trade around the clock."""
    return [
        Instrument(InstrumentId(f"S{place:03}"), Kind.EQUITY, Currency("USD"))
        for place in range(count)
    ]


def record(stream: Stream, path: Path) -> Path:
    """Write `stream` as a tape to `path` and return it; an existing file is kept as it is."""
    if path.exists():
        return path
    rng = Random(f"{stream.scenario}-{stream.instruments}-{stream.seed}")
    sigma, count = SIGMA[stream.scenario], stream.instruments
    is_trend = stream.scenario == "trend"
    prices = [OPENING] * count
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    with TapeWriter(unfinished, listed(count)) as tape:
        write, gauss, draw = tape.write_raw, rng.gauss, rng.randrange
        for number in range(stream.ticks):
            index = draw(count) if count > 1 else 0
            move = RISE if is_trend else gauss(0.0, sigma)
            prices[index] *= exp(move)
            volume = float(draw(1, 100))
            write(index, START + number * STEP, round(prices[index], DIGITS), volume)
    unfinished.rename(path)
    return path
