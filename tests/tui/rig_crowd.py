"""A hundred positions (or more) for measuring: every instrument has one, all rules stand."""

from __future__ import annotations

from decimal import Decimal

from engine.domain import event as ev
from engine.domain.evolve import evolve
from engine.domain.ids import SECOND, InstrumentId, Nanos, Seq, SessionId
from engine.domain.instrument import Instrument, Kind
from engine.domain.market import Quote
from engine.domain.money import Money, Price
from engine.domain.order import Side
from engine.domain.risk import Limits
from engine.domain.session import Mode
from engine.domain.state import State
from engine.link.protocol import Lease, Welcome
from tests.tui import rig_script as script
from tests.tui.rig import NOW, START, pulse


def crowd_state(count: int) -> State:
    """Return a state with `count` open positions."""
    cash = (Money(Decimal(10_000_000), script.INR),)
    started = ev.SessionStarted(
        SessionId("crowd"), Mode.PAPER, "paper", "sim", cash, script.RULES, Limits()
    )
    entries: list[tuple[Nanos, ev.Event]] = [(START, started)]
    for index in range(count):
        name = f"SHARE{index:03}"
        terms = Instrument(InstrumentId(name), Kind.EQUITY, script.INR, Decimal("0.05"))
        entries.append((START, ev.InstrumentListed(terms)))
        side = Side.BUY if index % 3 else Side.SELL
        entries += script.opened(
            Nanos(START + index * SECOND), f"p{index}", name, side, "10", str(100 + index),
            None, None, "10000",
        )  # fmt: skip
    state = State()
    for at, event in entries:
        state = evolve(state, ev.Entry(Seq(state.seq + 1), at, event))
    return state


def crowd(count: int) -> Welcome:
    """Return a snapshot of `count` positions with a quote each."""
    state = crowd_state(count)
    quotes = []
    for index in range(count):
        quote = Quote(InstrumentId(f"SHARE{index:03}"), Price(Decimal(101 + index)), NOW)
        quote.oi, quote.volume = Decimal(10_100), Decimal(1000)
        quote.turnover = quote.last * quote.volume
        quotes.append(quote)
    return Welcome(
        1, 4242, START, "/data", "paper", "sim", "Asia/Kolkata", state, tuple(quotes),
        tuple(state.instruments.values()), script.health(NOW), script.quality(NOW), pulse(),
        tuple(script.logs(NOW)), Lease("me", is_mine=True),
    )  # fmt: skip
