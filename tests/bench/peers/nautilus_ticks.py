"""NautilusTrader over a tape: ticks per CPU second. Runs in an environment of its own.

Modes: `nothing` (a strategy that does nothing), `native` (stop, trailing and limit orders held by
its simulated venue), `emulated` (the same held by its OrderEmulator). Set-up is not counted.
"""

from __future__ import annotations

import json
import struct
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, RiskEngineConfig
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    OmsType,
    OrderSide,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

Request: TypeAlias = dict[str, Any]
DIGITS = 8
ONE = Quantity.from_int(1)
BPS = Decimal(10_000)


class Protected(Strategy):  # type: ignore[misc]  # untyped in the project's environment
    """Holds P positions, each with stop, trailing and limit; one that closes is opened anew."""

    def __init__(self, request: Request, ids: list[InstrumentId]) -> None:
        super().__init__()
        self.request, self.ids = request, ids
        self.rules = {k: float(request[k]) for k in ("initial", "activation", "trail", "target")}
        self.emulation = (
            TriggerType.LAST_PRICE if request["mode"] == "emulated" else TriggerType.NO_TRIGGER
        )
        self.count = self.opened = self.exits = 0
        self.began = self.ended = 0.0
        self.entries: dict[Any, OrderSide] = {}
        self.siblings: dict[Any, tuple[Any, ...]] = {}

    def on_start(self) -> None:
        for id_ in self.ids:
            self.subscribe_trade_ticks(id_)

    def on_trade_tick(self, tick: TradeTick) -> None:
        self.count += 1
        if self.count == self.request["setup"]:
            self.began = time.process_time()
        if self.request["mode"] == "nothing":
            return
        if self.count > self.request["open_from"] and self.opened < self.request["positions"]:
            number, self.opened = self.opened, self.opened + 1
            side = OrderSide.SELL if number % 2 else OrderSide.BUY
            self.enter(self.ids[number % len(self.ids)], side)

    def on_stop(self) -> None:
        self.ended = time.process_time()

    def enter(self, instrument: InstrumentId, side: OrderSide) -> None:
        order = self.order_factory.market(instrument, side, ONE)
        self.entries[order.client_order_id] = side
        self.submit_order(order)

    def on_order_filled(self, event: OrderFilled) -> None:
        side = self.entries.pop(event.client_order_id, None)
        if side is not None:
            self.protect(event, side)
            return
        self.exits += 1
        for order in self.siblings.pop(event.position_id, ()):
            if not order.is_closed and order.client_order_id != event.client_order_id:
                self.cancel_order(order)
        self.enter(event.instrument_id, event.order_side)

    def protect(self, event: OrderFilled, side: OrderSide) -> None:
        sign, entry = (1 if side == OrderSide.BUY else -1), float(event.last_px)
        away = OrderSide.SELL if sign > 0 else OrderSide.BUY
        name, make = event.instrument_id, self.order_factory
        trigger = TriggerType.LAST_PRICE
        orders = (
            make.stop_market(
                name,
                away,
                ONE,
                self.price(entry, -sign * self.rules["initial"]),
                trigger_type=trigger,
                reduce_only=True,
                emulation_trigger=self.emulation,
            ),
            make.trailing_stop_market(
                name,
                away,
                ONE,
                Decimal(str(self.rules["trail"])) * BPS,
                activation_price=self.price(entry, sign * self.rules["activation"]),
                trailing_offset_type=TrailingOffsetType.BASIS_POINTS,
                trigger_type=trigger,
                reduce_only=True,
                emulation_trigger=self.emulation,
            ),
            make.limit(
                name,
                away,
                ONE,
                self.price(entry, sign * self.rules["target"]),
                reduce_only=True,
                emulation_trigger=self.emulation,
            ),
        )
        self.siblings[event.position_id] = orders
        for order in orders:
            self.submit_order(order, position_id=event.position_id)

    def price(self, entry: float, share: float) -> Price:
        return Price(entry * (1 + share), DIGITS)


def records(path: str, count: int) -> Iterator[tuple[int, int, float, float, float]]:
    """Yield (index, ns, price, volume, oi) of the first `count` records of a narrow tape."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack_from("<I", data, 8)
    layout = struct.Struct("<Iqddd")
    start = 12 + length
    usable = (len(data) - start) // layout.size * layout.size
    return islice(layout.iter_unpack(memoryview(data)[start : start + usable]), count)


def main(request: Request) -> None:
    config = BacktestEngineConfig(
        logging=LoggingConfig(bypass_logging=True), risk_engine=RiskEngineConfig(bypass=True)
    )
    engine = BacktestEngine(config=config)
    venue = Venue("SIM")
    engine.add_venue(
        venue=venue,
        oms_type=OmsType.HEDGING,
        account_type=AccountType.MARGIN,
        base_currency=USD,
        starting_balances=[Money(1_000_000_000, USD)],
        default_leverage=Decimal(100),
        bar_execution=False,
        trade_execution=True,
    )
    ids = [InstrumentId(Symbol(f"S{n:03}"), venue) for n in range(request["instruments"])]
    for id_ in ids:
        increment = Price(10**-DIGITS, DIGITS)
        engine.add_instrument(
            Equity(id_, id_.symbol, USD, DIGITS, increment, Quantity.from_int(1), 0, 0)
        )
    ticks = [
        TradeTick(
            ids[index],
            Price(price, DIGITS),
            Quantity.from_int(int(volume)),
            AggressorSide.BUYER if place % 2 else AggressorSide.SELLER,
            TradeId(str(place)),
            at,
            at,
        )
        for place, (index, at, price, volume, _) in enumerate(
            records(request["tape"], request["setup"] + request["ticks"])
        )
    ]
    engine.add_data(ticks, sort=True)
    strategy = Protected(request, ids)
    engine.add_strategy(strategy)
    engine.run()
    took = strategy.ended - strategy.began
    held = len(strategy.cache.positions_open())
    working = len(strategy.cache.orders_open()) + len(strategy.cache.orders_emulated())
    if request["mode"] != "nothing" and held != request["positions"]:
        raise SystemExit(f"held {held} positions, wanted {request['positions']}")
    n = strategy.count - request["setup"]
    print(
        json.dumps(
            {
                "n": n,
                "cpu_s": took,
                "per_s": n / took,
                "exits": strategy.exits,
                "held": held,
                "working_orders": working,
            }
        )
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
