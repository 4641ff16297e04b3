"""Which price fills an order, and what is wrong with one. Pure: no book, no clock, no I/O."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, unique
from typing import Final

from engine.domain.calendar import is_open
from engine.domain.ids import Nanos
from engine.domain.instrument import Instrument
from engine.domain.market import AHEAD, Tick, offered
from engine.domain.money import ZERO, Price, quotient, rounded_down
from engine.domain.order import Order, OrderType, Side
from engine.venues.paper.settings import Fees, PaperSettings

_BPS: Final = Decimal(10_000)


@unique
class Fault(Enum):
    """Why an order is rejected; the value is the venue's kind of reason."""

    INSUFFICIENT_FUNDS = "insufficient_funds"
    LOT_SIZE = "lot_size"
    TICK_SIZE = "tick_size"
    MARKET_CLOSED = "market_closed"
    RATE_LIMITED = "rate_limited"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    NOT_TRADABLE = "not_tradable"
    PRICE_MISSING = "price_missing"


def fault_of(
    order: Order, instrument: Instrument, held: Decimal, now: Nanos
) -> tuple[Fault, str] | None:
    """Return what is wrong with the terms of `order`, with a sentence; None: nothing.

    `held` is what its position has open: an exit of exactly that need not be whole lots, and no
    exit is refused because the market is closed (it waits for a tick instead).
    """
    if not instrument.is_tradable:
        return Fault.NOT_TRADABLE, f"{instrument.id} is an index; it can be watched, not traded"
    is_all = order.exit is not None and order.qty == held
    if not is_all and rounded_down(order.qty, instrument.lot_size) != order.qty:
        was = f"quantity was {order.qty}"
        return Fault.LOT_SIZE, f"{was}, allowed: multiples of {instrument.lot_size}"
    if order.type is not OrderType.MARKET:
        if order.price is None:
            return Fault.PRICE_MISSING, f"a {order.type.value} order needs a price"
        if rounded_down(order.price, instrument.tick_size) != order.price:
            was = f"price was {order.price}"
            return Fault.TICK_SIZE, f"{was}, allowed: multiples of {instrument.tick_size}"
    if order.exit is None and not is_open(now, instrument):
        hours = f"{instrument.session_open} to {instrument.session_close} {instrument.time_zone}"
        return Fault.MARKET_CLOSED, f"{instrument.id} trades {hours}"
    return None


def is_fresh(tick: Tick, now: Nanos, age_max: int) -> bool:
    """Return whether `tick` is at most `age_max` nanoseconds old, and not of a time to come."""
    return -AHEAD <= now - tick.at <= age_max


def touch(side: Side, tick: Tick) -> Price:
    """Return what an order on `side` pays now."""
    return offered(side.sign, tick)


def resting_price(order: Order, tick: Tick) -> Price | None:
    """Return the price at which `tick` fills a resting order; None: it does not.

    A limit fills at its price or better; a stop or take-profit is triggered by the last trade at
    or through its price and fills at the tick's price, so a gap fills beyond the trigger.
    """
    now = touch(order.side, tick)
    if order.type is OrderType.MARKET or order.price is None:
        return now
    sign = order.side.sign
    if order.type is OrderType.LIMIT:
        return now if (order.price - now) * sign >= 0 else None
    if order.type is OrderType.STOP:
        is_hit = (tick.price - order.price) * sign >= 0
    else:
        is_hit = (order.price - tick.price) * sign >= 0
    return now if is_hit else None


def shown_size(side: Side, tick: Tick) -> Decimal | None:
    """Return how much the feed shows at the touch; None: it does not say."""
    return tick.ask_size if side is Side.BUY else tick.bid_size


def slipped(order: Order, price: Price, instrument: Instrument, settings: PaperSettings) -> Price:
    """Return `price` worsened by the slippage, in whole ticks away from the trader."""
    if not settings.slippage_bps or order.type is OrderType.LIMIT:
        return price
    step = instrument.tick_size
    sign = order.side.sign
    wanted = price + sign * quotient(price * settings.slippage_bps, _BPS)
    down = rounded_down(wanted, step)
    if order.side is Side.BUY:
        return Price(down if down == wanted else down + step)
    return Price(max(down, step))


def fee_of(order: Order, notional: Decimal, fees: Fees, charged: Decimal) -> Decimal:
    """Return the fee of an execution; `charged` is what the order has paid before (the cap)."""
    rate = fees.maker if order.type is OrderType.LIMIT else fees.taker
    fee = notional * rate
    if fees.cap is not None and fee > 0:
        fee = min(fee, max(ZERO, fees.cap - charged))
    return fee


def margin_of(instrument: Instrument, notional: Decimal, leverage: Decimal) -> Decimal:
    """Return the money that a position of `notional` ties up."""
    return quotient(notional, leverage) if instrument.is_leveraged else notional
