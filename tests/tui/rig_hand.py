"""A person's hands in the rig's story: two closes, a trim and a moved stop, and what became of it.

`python -m tests.tui.rig_hand --view positions` shows it in a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from engine.domain import event as ev
from engine.domain.evolve import evolve
from engine.domain.ids import SECOND, CommandId, InstrumentId, Nanos, OrderId, PositionId, Seq
from engine.domain.money import Money, Price, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, Side
from engine.domain.shadow import shadow_id
from engine.domain.state import State
from engine.link.protocol import Welcome
from tests.tui.rig import NOW, scripted_state, welcome
from tests.tui.rig_script import HOSTILE, INR, PUT, D

WORKED = OrderId("h1")
"""The exit by hand of the worked example: -11.25 where the trailing stop makes +11.25."""
UNSEEN = OrderId("h2")
RULE = ExitReason(ExitKind.RULE, "trailing_stop_hit", "trailing", level=D("30.15"))
TIMED = ExitReason(ExitKind.RULE, "end_of_day", "end_of_day")


def by_hand(now: Nanos = NOW) -> Iterator[tuple[Nanos, ev.Event]]:
    """Yield (time, event) of what the person does, in journal order."""
    early = Nanos(now - 20 * 60 * SECOND)
    yield from _closed(early, WORKED, "p1", PUT, "75", "29.85", "nervous")
    yield from _closed(early, UNSEEN, "p9", "HDFCBANK", "60", "1644.00", HOSTILE)
    yield from _closed(Nanos(early + SECOND), OrderId("h3"), "p5", "RELIANCE", "40", "2960.00", "")
    before = ev.Levels(_price("3980.00"), None)
    stop = ev.StopChanged(
        PositionId("p7"), _price("3900"), None, CommandId("e1"), "console", before
    )
    yield Nanos(early + 2 * SECOND), stop
    yield now, ev.ShadowEnded(shadow_id(WORKED), RULE, _price("30.15"), now, D("11.25"))
    why = "the last price was 92 s old, allowed: 60 s"
    yield now, ev.ShadowEnded(shadow_id(UNSEEN), TIMED, None, now, why=why)


def _price(text: str) -> Price:
    return Price(Decimal(text))


def _closed(
    at: Nanos, name: OrderId, held: str, symbol: str, qty: str, price: str, note: str
) -> Iterator[tuple[Nanos, ev.Event]]:
    reason = ExitReason(ExitKind.MANUAL, "manual", note=note, by="console")
    instrument = InstrumentId(symbol)
    size = Qty(Decimal(qty))
    order = Order(name, instrument, Side.SELL, size, PositionId(held), exit=reason)
    yield at, ev.OrderRequested(order, CommandId(f"c{name}"))
    fill = Fill(f"f{name}", name, _price(price), size, Money(D(0), INR), at)  # type: ignore[arg-type]
    yield at, ev.OrderFilled(fill)


def state_by_hand() -> State:
    """Return the state of the story after that."""
    state = scripted_state()
    for at, event in by_hand():
        state = evolve(state, ev.Entry(Seq(state.seq + 1), at, event))
    return state


def welcome_by_hand() -> Welcome:
    """Return the snapshot that a console gets then."""
    return welcome(state_by_hand())


if __name__ == "__main__":
    from tests.tui import rig

    started = welcome_by_hand()
    rig.welcome = lambda *_, **__: started
    from tests.tui.rig_live import main

    main()
