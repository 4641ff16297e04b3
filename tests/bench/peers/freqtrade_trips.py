"""freqtrade's durable position round trips: its own Trade and Order models in SQLite, WAL + FULL.

A round trip commits what its bot commits: the entry order, its fill, the exit order, its fill.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any

from freqtrade.persistence import Order, Trade, init_db
from sqlalchemy import event as sql_event
from sqlalchemy.engine import Engine as SqlEngine

PAIR = "BTC/USDT"


@sql_event.listens_for(SqlEngine, "connect")  # type: ignore[untyped-decorator]
def _make_durable(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def ccxt_order(number: int, side: str, price: float, status: str) -> dict[str, Any]:
    filled = 1.0 if status == "closed" else 0.0
    return {
        "id": f"{side}{number}",
        "symbol": PAIR,
        "side": side,
        "type": "market",
        "status": status,
        "price": price,
        "average": price if filled else None,
        "amount": 1.0,
        "filled": filled,
        "remaining": 1.0 - filled,
        "cost": price * filled,
        "timestamp": 1_700_000_000_000,
        "lastTradeTimestamp": 1_700_000_000_000 if filled else None,
        "fee": None,
    }


def ordered(trade: Trade, number: int, side: str, price: float) -> Order:
    order = Order.parse_from_ccxt_object(ccxt_order(number, side, price, "open"), PAIR, side)
    trade.orders.append(order)
    return order


def filled(trade: Trade, order: Order, number: int, side: str, price: float) -> None:
    order.update_from_ccxt_object(ccxt_order(number, side, price, "closed"))
    trade.update_trade(order)


def round_trip(number: int) -> None:
    trade = Trade(
        pair=PAIR,
        stake_amount=100.0,
        amount=1.0,
        amount_requested=1.0,
        open_rate=100.0,
        open_rate_requested=100.0,
        fee_open=0.001,
        fee_close=0.001,
        is_open=True,
        exchange="binance",
        strategy="bench",
        timeframe=5,
        open_date=datetime.now(UTC),
        leverage=1.0,
        stake_currency="USDT",
    )
    entry = ordered(trade, number, "buy", 100.0)
    Trade.session.add(trade)
    Trade.commit()
    filled(trade, entry, number, "buy", 100.0)
    Trade.commit()
    leave = ordered(trade, number, "sell", 101.0)
    trade.exit_reason = "stop_loss"
    Trade.commit()
    filled(trade, leave, number, "sell", 101.0)
    Trade.commit()
    if trade.is_open:
        raise SystemExit("the trade did not close")


def main(request: dict[str, Any]) -> None:
    logging.disable(logging.CRITICAL)
    init_db(f"sqlite:///{request['path']}")
    for number in range(20):
        round_trip(number)
    began = time.perf_counter()
    for number in range(20, 20 + request["count"]):
        round_trip(number)
    took = time.perf_counter() - began
    print(json.dumps({"n": request["count"], "per_s": request["count"] / took}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
