"""A desk with strategies at it: the real core, the real strategist, a venue that fills at once."""

from __future__ import annotations

import csv
import gzip
import json
from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from engine.domain.event import Entry, Event, StrategyChanged, StrategyNoted
from engine.domain.ids import InstrumentId, Nanos, StrategyName
from engine.domain.inputs import Input
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.market import Tick
from engine.domain.money import Currency, price
from engine.domain.risk import Limits
from engine.domain.state import State
from engine.domain.strategy import StrategyRecord
from engine.runtime.clock import ManualClock
from engine.runtime.core import Core
from engine.runtime.signal_lines import instant_of
from engine.runtime.strategist import HostFactory, Strategist
from engine.runtime.strategy_host import InlineHost
from engine.runtime.strategy_loading import StrategySpec
from tests.builders import INR, Desk, session

E = TypeVar("E", bound=Event)
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def spec(kind: str, name: str = "", **settings: str) -> StrategySpec:
    return StrategySpec(StrategyName(name or kind), kind, tuple(settings.items()))


class StrategyDesk(Desk):
    """Inputs of the strategist wait in an inbox, as in the engine; entries go back to it."""

    def __init__(
        self,
        specs: Iterable[StrategySpec],
        catalog: dict[InstrumentId, Instrument],
        host_factory: HostFactory = InlineHost,
        state: State | None = None,
    ) -> None:
        super().__init__(Core(catalog, state), catalog)
        self.clock = ManualClock()
        self.inbox: deque[Input] = deque()
        self.strategist = Strategist(specs, host_factory, self.inbox.append, self.clock)
        self.catalog = catalog

    def begin(self, limits: Limits | None = None, cash: str = "10000000") -> StrategyDesk:
        """Start the session, if there is none, and the strategies."""
        if self.state.session is None:
            self.give(session(cash, limits=limits or Limits(price_age_max_s=60), currencies=[INR]))
        self.strategist.begin(self.state, self.catalog)
        self.drain()
        return self

    def tick(self, given: Tick) -> list[Entry]:
        self.clock.set(given.at)
        first = len(self.entries)
        self.publish(super().tick(given))
        quote = self.core.quotes[given.instrument]
        start = self.core.session_start(given.instrument, given.at)
        self.strategist.on_tick(given, quote, start)
        self.drain()
        return self.entries[first:]

    def command(self, given: Input) -> list[Entry]:
        first = len(self.entries)
        self.inbox.append(given)
        self.drain()
        return self.entries[first:]

    def drain(self) -> None:
        while self.inbox:
            first = len(self.entries)
            self.give(self.inbox.popleft())
            self.publish(self.entries[first:])

    def publish(self, new: list[Entry]) -> None:
        for entry in new:
            self.strategist.on_entry(entry, self.state)

    def notes(self) -> list[str]:
        return [event.text for event in self.of(StrategyNoted)]

    def phases(self, name: str) -> list[str]:
        """Phases in order, each once in a row."""
        found: list[str] = []
        for event in self.of(StrategyChanged):
            if event.strategy == name and found[-1:] != [event.phase.value]:
                found.append(event.phase.value)
        return found

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def record(self, name: str) -> StrategyRecord:
        return self.state.strategies[StrategyName(name)]


def recorded_catalog(day: str) -> dict[InstrumentId, Instrument]:
    """The instruments of a recorded chain day, e.g. `2026-01-29`."""
    rows = json.loads((DATA / f"nifty-chain-{day}.instruments.json").read_text())
    return {InstrumentId(row["symbol"]): _instrument(row) for row in rows}


def _instrument(row: dict[str, str]) -> Instrument:
    return Instrument(
        InstrumentId(row["symbol"]),
        Kind(row["kind"]),
        Currency(row["currency"]),
        tick_size=Decimal(row["tick_size"]),
        lot_size=Decimal(row.get("lot_size", 1)),
        underlying=InstrumentId(row["underlying"]) if "underlying" in row else None,
        strike=Decimal(row["strike"]) if "strike" in row else None,
        right=Right(row["right"]) if "right" in row else None,
        expiry=row.get("expiry"),
        calendar=row["calendar"],
        time_zone=row["time_zone"],
        session_open=row["session_open"],
        session_close=row["session_close"],
    )


def recorded_rows(day: str) -> list[dict[str, str]]:
    with gzip.open(DATA / f"nifty-chain-{day}.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def recorded_ticks(day: str) -> Iterator[Tick]:
    for row in recorded_rows(day):
        at = instant_of(row["time"])
        assert at is not None
        yield Tick(
            InstrumentId(row["symbol"]),
            price(row["price"]),
            at,
            Decimal(row["volume"]) if row["volume"] else None,
            Decimal(row["oi"]) if row["oi"] else None,
        )


UNDERLYING = InstrumentId("IDX")


def option_id(strike: int, right: Right) -> InstrumentId:
    return InstrumentId(f"IDX{strike}{right.value}")


def small_chain(
    strikes: Iterable[int] = (25850, 25900, 25950, 26000), *, is_always_open: bool = False
) -> dict[InstrumentId, Instrument]:
    """An index and its options; exchange hours 09:15 to 15:30 UTC unless it never closes."""
    hours = {} if is_always_open else {"session_open": "09:15", "session_close": "15:30"}
    items = [Instrument(UNDERLYING, Kind.INDEX, INR, **hours)]  # type: ignore[arg-type]
    for strike in strikes:
        items += [
            Instrument(
                option_id(strike, right),
                Kind.OPTION,
                INR,
                lot_size=Decimal(75),
                underlying=UNDERLYING,
                strike=Decimal(strike),
                right=right,
                **hours,  # type: ignore[arg-type]
            )
            for right in Right
        ]
    return {item.id: item for item in items}


def moment_of(clock: str, day: str = "2026-01-29") -> Nanos:
    at = instant_of(f"{day}T{clock}+00:00")
    assert at is not None
    return at
