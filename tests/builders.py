"""Short ways to say common things. Every test states only what matters to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from engine.domain.command import SubmitSignal
from engine.domain.event import (
    Entry,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    OrderRequested,
    SessionStarted,
)
from engine.domain.ids import CommandId, FillId, InstrumentId, Nanos, Seq, SessionId
from engine.domain.inputs import Input, Reported, VenueReport
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.market import Quote, Tick
from engine.domain.money import ZERO, Currency, Money, Price, price, qty
from engine.domain.order import Fill, Order, Side
from engine.domain.position import Position
from engine.domain.risk import Limits
from engine.domain.session import Mode
from engine.domain.signal import Signal
from engine.domain.state import State
from engine.domain.stop import ExitRule
from engine.runtime.core import Core
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop

INR = Currency("INR")
USDC = Currency("USDC")
NIFTY = InstrumentId("NIFTY25DEC25900PE")
BTC = InstrumentId("BTC_USDC-PERPETUAL")
SECOND = 1_000_000_000

PUT_25900 = Instrument(
    NIFTY,
    Kind.OPTION,
    INR,
    tick_size=Decimal("0.05"),
    lot_size=Decimal(75),
    underlying=InstrumentId("NIFTY"),
    strike=Decimal(25900),
    right=Right.PUT,
    expiry="2025-12-30",
)
PERPETUAL = Instrument(BTC, Kind.LINEAR, USDC, tick_size=Decimal("0.5"), lot_size=Decimal("0.001"))
CATALOG = {i.id: i for i in (PUT_25900, PERPETUAL)}

DEFAULT_RULES: tuple[ExitRule, ...] = (
    InitialStop(),
    TrailingStop(),
    VwapStop(),
    OpenInterestStop(),
    TakeProfit(),
    EndOfDay(),
)


def tick(
    last: str,
    at: int = 0,
    instrument: InstrumentId = NIFTY,
    volume: str | None = None,
    oi: str | None = None,
) -> Tick:
    return Tick(
        instrument,
        price(last),
        Nanos(at),
        volume=None if volume is None else Decimal(volume),
        oi=None if oi is None else Decimal(oi),
    )


def quote(last: str, at: int = 0, instrument: InstrumentId = NIFTY) -> Quote:
    return Quote(instrument, price(last), Nanos(at))


def session(
    cash: str = "100000",
    rules: Iterable[ExitRule] = DEFAULT_RULES,
    limits: Limits | None = None,
    currencies: Iterable[Currency] = (INR, USDC),
) -> SessionStarted:
    return SessionStarted(
        session=SessionId("s1"),
        mode=Mode.PAPER,
        venue="paper",
        feed="test",
        cash=tuple(Money(Decimal(cash), c) for c in currencies),
        rules=tuple(rules),
        limits=limits or Limits(),
    )


def entries(*events: Event) -> list[Entry]:
    return [Entry(Seq(i), Nanos(i), event) for i, event in enumerate(events, start=1)]


def signal(
    id_: str,
    instrument: InstrumentId = NIFTY,
    side: Side = Side.BUY,
    size: str | None = "75",
    at: int = 0,
    **more: Price | Decimal | str,
) -> Signal:
    made = Signal(id_, instrument, side, Nanos(at), qty=None if size is None else qty(size))
    return replace(made, **more) if more else made  # type: ignore[arg-type]


class Desk:
    """A core whose venue fills at the last price when told to; no file, no clock, no task."""

    def __init__(self, core: Core | None = None, catalog: dict[InstrumentId, Instrument] = CATALOG):
        self.core = core or Core(catalog)
        self.now = Nanos(0)
        self.entries: list[Entry] = []
        self.waiting: list[Order] = []
        self.holds = False
        """True: orders wait until `answer` is called."""

    @property
    def state(self) -> State:
        return self.core.state

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.entries]

    def start(self, started: SessionStarted | None = None) -> Desk:
        self.give(started or session())
        return self

    def give(self, given: Input) -> list[Entry]:
        if isinstance(given, SubmitSignal):
            return self._take(self.core.signal(given, self.now))
        return self._take(self.core.step(given, self.now))

    def tick(self, given: Tick) -> list[Entry]:
        self.now = Nanos(max(self.now, given.at))
        return self._take(self.core.tick(given, self.now))

    def pass_time(self, seconds: float) -> list[Entry]:
        self.now = Nanos(self.now + int(seconds * SECOND))
        return self._take(self.core.time(self.now))

    def open(
        self, id_: str, instrument: InstrumentId = NIFTY, side: Side = Side.BUY, size: str = "75"
    ) -> Position:
        """Open a position at the last price and return it."""
        command = CommandId(f"c-{id_}")
        self.give(SubmitSignal(command, signal(id_, instrument, side, size, self.now)))
        return list(self.state.positions.values())[-1]

    def _take(self, new: list[Entry]) -> list[Entry]:
        self.entries += new
        self.waiting += [e.event.order for e in new if isinstance(e.event, OrderRequested)]
        if not self.holds:
            while self.waiting:
                new = new + self.answer(self.fill)
        return new

    def answer(self, how: Callable[[Order], VenueReport]) -> list[Entry]:
        """Let the venue answer the oldest order with what `how` makes of it."""
        order = self.waiting.pop(0)
        return self.report(how(order))

    def report(self, report: VenueReport) -> list[Entry]:
        new = self.core.report(Reported(report), self.now)
        self.entries += new
        self.waiting += [e.event.order for e in new if isinstance(e.event, OrderRequested)]
        return new

    def fill(self, order: Order) -> OrderFilled:
        last = self.core.quotes[order.instrument].last
        at = order.reference if order.reference_source == "bar" and order.reference else last
        fee = Money(ZERO, self.state.instruments[order.instrument].currency)
        return OrderFilled(Fill(FillId(f"{order.id}-f1"), order.id, at, order.qty, fee, self.now))

    def reject(self, order: Order) -> OrderRejected:
        return OrderRejected(order.id, "rate_limited", "too many requests")

    def accept(self, order: Order) -> OrderAccepted:
        return OrderAccepted(order.id, f"v-{order.id}")

    def cancel(self, order: Order) -> OrderCancelled:
        return OrderCancelled(order.id, "by venue")
