"""A drill (`paper.disturb`): somebody trades on the paper account, and nobody tells the engine.

So that one can watch what reconciliation makes of it. Nothing of it survives the process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Final

from engine.bootstrap.options import LiveOptions
from engine.domain.evidence import net
from engine.domain.ids import SECOND
from engine.domain.instrument import Instrument
from engine.domain.market import Quote
from engine.domain.money import Price, Qty, plain, rounded_down
from engine.domain.order import Side
from engine.domain.position import Position
from engine.ports.clock import Clock
from engine.runtime.engine import Engine
from engine.runtime.logbook import Logbook
from engine.venues.paper.elsewhere import Elsewhere

SOURCE: Final = "paper.disturb"
_FAR: Final = 2
"""A stray order waits so many times below the price."""


def drills(
    options: LiveOptions, engine: Engine, elsewhere: Elsewhere, logbook: Logbook
) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
    """Return the drill as a chore beside the engine, by name; none unless it is switched on."""
    every_s = options.disturb_s
    if every_s is None or not options.disturb_kinds:
        return []
    drill = Disturbance(options.disturb_kinds, engine, elsewhere, engine.clock, logbook)
    return [("disturbance", lambda: drill.run(every_s))]


class Disturbance:
    """Goes round the kinds of foreign trades, one every few seconds; `run` for ever."""

    def __init__(
        self,
        kinds: tuple[str, ...],
        engine: Engine,
        elsewhere: Elsewhere,
        clock: Clock,
        logbook: Logbook,
    ) -> None:
        self._kinds = cycle(kinds)
        self._engine, self._elsewhere = engine, elsewhere
        self._clock, self._logbook = clock, logbook

    async def run(self, every_s: float) -> None:
        """Trade every `every_s` seconds, as long as there is something to trade."""
        text = f"a drill: every {every_s:g} s a trade that the engine is not told of"
        self._logbook.log("warning", SOURCE, text)
        while True:
            await self._clock.sleep(every_s)
            kind = next(self._kinds)
            done = DEEDS[kind](self)
            self._logbook.log("warning", SOURCE, f"{kind}: {done or 'nothing to do it to'}")

    def _trade(self, terms: Instrument, side: Side, qty: Qty, *, is_told: bool = True) -> str:
        fill = self._elsewhere.trade(terms, side, qty, is_told=is_told)
        if fill is None:
            return ""
        verb = "bought" if side is Side.BUY else "sold"
        return f"{verb} {plain(qty)} {terms.id} at {plain(fill.price)} behind the engine's back"

    def _held(self) -> Position | None:
        """Return the newest position that nothing closes, and on which all still agree."""
        state = self._engine.state
        here = net(state)
        free = [
            position
            for position in state.positions.values()
            if position.close is None
            and here[position.instrument] == self._elsewhere.net(position.instrument)
        ]
        return free[-1] if free else None

    def _terms(self, position: Position) -> Instrument:
        return self._engine.state.instruments[position.instrument]

    def _against(self, part: int, *, is_told: bool = True) -> str:
        """Trade against a position: all of it, half of it, or twice as much."""
        held = self._held()
        if held is None:
            return ""
        terms = self._terms(held)
        qty = held.qty * part / 2
        whole = rounded_down(qty, terms.lot_size) or terms.lot_size
        return self._trade(terms, held.side.opposite, Qty(whole), is_told=is_told)

    def enlarge(self) -> str:
        held = self._held()
        if held is None:
            return ""
        return self._trade(self._terms(held), held.side, Qty(self._terms(held).lot_size))

    def open(self) -> str:
        found = self._free()
        if found is None:
            return ""
        terms, _ = found
        return self._trade(terms, Side.BUY, Qty(terms.lot_size))

    def order(self) -> str:
        found = self._free()
        if found is None:
            return ""
        terms, quote = found
        price = Price(rounded_down(quote.last / _FAR, terms.tick_size) or terms.tick_size)
        order = self._elsewhere.rest(terms, Side.BUY, Qty(terms.lot_size), price)
        return f"an order to buy {plain(order.qty)} {terms.id} at {plain(price)} waits"

    def _free(self) -> tuple[Instrument, Quote] | None:
        """Return an instrument with a fresh price that nothing here holds."""
        core, now = self._engine.core, self._clock.now()
        held = {position.instrument for position in core.state.positions.values()}
        held |= {d.instrument for d in core.state.decisions.values() if d.instrument is not None}
        age_max = core.state.limits.price_age_max_s * SECOND
        for id_, terms in core.catalog.items():
            quote = core.quotes.get(id_)
            if not terms.is_tradable or id_ in held or quote is None or self._elsewhere.net(id_):
                continue
            if quote.age(now) <= age_max:
                return terms, quote
        return None

    def close(self) -> str:
        return self._against(2)

    def reduce(self) -> str:
        return self._against(1)

    def flip(self) -> str:
        return self._against(4)

    def vanish(self) -> str:
        return self._against(2, is_told=False)


DEEDS: Final[dict[str, Callable[[Disturbance], str]]] = {
    "close": Disturbance.close,
    "reduce": Disturbance.reduce,
    "enlarge": Disturbance.enlarge,
    "open": Disturbance.open,
    "vanish": Disturbance.vanish,
    "flip": Disturbance.flip,
    "order": Disturbance.order,
}
"""By the names that the configuration knows."""
