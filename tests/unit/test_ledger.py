"""Money is conserved to the last unit, whatever the contract and however many fills."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.command import ClosePosition, SubmitSignal
from engine.domain.event import OrderFilled
from engine.domain.ids import CommandId, FillId, InstrumentId
from engine.domain.instrument import Instrument, Kind
from engine.domain.money import Currency, Money, price, qty
from engine.domain.order import Fill, Order, Side
from engine.domain.position import Position
from engine.domain.risk import Limits
from tests.builders import NIFTY, PUT_25900, SECOND, Desk, session, signal, tick

COIN = Currency("BTC")
INVERSE = Instrument(
    InstrumentId("BTC-PERPETUAL"),
    Kind.INVERSE,
    COIN,
    tick_size=Decimal("0.5"),
    multiplier=Decimal(10),
)
LINEAR = Instrument(
    InstrumentId("L"), Kind.LINEAR, Currency("USDT"), Decimal("0.1"), Decimal("0.001")
)
TERMS = {i.id: i for i in (INVERSE, LINEAR, PUT_25900)}


def desk(instrument: InstrumentId, last: str, leverage: int = 1) -> Desk:
    currency = TERMS[instrument].currency
    made = Desk(catalog=TERMS)
    limits = Limits(leverage=Decimal(leverage))
    made.start(session(rules=(), limits=limits, currencies=(currency,)))
    made.tick(tick(last, SECOND, instrument))
    return made


def is_whole(made: Desk) -> bool:
    """`cash + cost of open positions = initial + realised - fees`, per currency."""
    for account in made.state.accounts.values():
        tied = sum((p.cost for p in made.state.positions.values()), Decimal(0))
        booked = account.initial + account.realised - account.fees
        if account.cash + tied != booked:
            return False
    return True


def filled(made: Desk, order: Order, size: str, at: str, number: int, fee: str = "0") -> None:
    money = Money(Decimal(fee), made.state.instruments[order.instrument].currency)
    fill = Fill(FillId(f"{order.id}-{number}"), order.id, price(at), qty(size), money, made.now)
    made.report(OrderFilled(fill))
    assert is_whole(made)


def order(made: Desk, wish_id: str, instrument: InstrumentId, side: Side, size: str) -> Order:
    made.holds = True
    made.give(SubmitSignal(CommandId(wish_id), signal(wish_id, instrument, side, size, made.now)))
    return made.waiting.pop()


def only(made: Desk) -> Position:
    (position,) = made.state.positions.values()
    return position


def close(made: Desk, id_: str, size: str | None = None) -> Order:
    wanted = None if size is None else qty(size)
    made.give(ClosePosition(CommandId(id_), only(made).id, "console", qty=wanted))
    return made.waiting.pop()


@pytest.mark.parametrize(
    ("side", "exit_", "gain"),
    [
        # size x (1/entry - 1/exit): 1000 contracts of 10 USD are 10 000 USD.
        (Side.BUY, "62500.0", "0.04"),  # 10000 x (1/50000 - 1/62500)
        (Side.BUY, "40000.0", "-0.05"),
        (Side.SELL, "62500.0", "-0.04"),
        (Side.SELL, "40000.0", "0.05"),
    ],
)
def test_an_inverse_perpetual_earns_coins(side: Side, exit_: str, gain: str) -> None:
    made = desk(INVERSE.id, "50000.0", leverage=10)
    filled(made, order(made, "a", INVERSE.id, side, "1000"), "1000", "50000.0", 1)
    assert only(made).cost == Decimal("0.02"), "0.2 BTC at leverage 10"
    filled(made, close(made, "x"), "1000", exit_, 1)
    (trade,) = made.state.closed
    assert (trade.pnl, trade.currency) == (Decimal(gain), COIN)


def test_a_linear_perpetual_ties_up_margin_only() -> None:
    made = desk(LINEAR.id, "60000.0", leverage=10)
    filled(made, order(made, "a", LINEAR.id, Side.SELL, "0.5"), "0.5", "60000.0", 1)
    assert only(made).cost == 3000
    filled(made, close(made, "x"), "0.5", "58000.0", 1)
    assert made.state.closed[-1].pnl == 1000


def test_the_entry_is_the_average_of_its_fills_and_parts_close_at_their_share() -> None:
    made = desk(NIFTY, "30.00")
    entry = order(made, "a", NIFTY, Side.BUY, "225")
    for number, at in enumerate(("30.00", "30.05", "30.20"), 1):
        filled(made, entry, "75", at, number, fee="1.25")
    assert only(made).entry == Decimal("30.083333333333")
    assert only(made).entry_value == Decimal("6768.75")
    filled(made, close(made, "x", "75"), "75", "31.00", 1, fee="1.25")
    assert only(made).qty == 150
    last = close(made, "y")
    filled(made, last, "75", "29.00", 1)
    filled(made, last, "75", "32.50", 2)
    (trade,) = made.state.closed
    assert trade.fees == Decimal("5.00")
    assert trade.gross == Decimal("92.5") * 75 - Decimal("6768.75")
    assert trade.pnl == trade.gross - trade.fees
    assert trade.qty == 225
    (account,) = made.state.accounts.values()
    assert account.cash == 100_000 + trade.pnl


def test_thirds_of_a_price_that_does_not_divide_leave_nothing_behind() -> None:
    made = desk(INVERSE.id, "30000.0", leverage=7)
    filled(made, order(made, "a", INVERSE.id, Side.BUY, "100"), "100", "30000.0", 1)
    for n, size in enumerate(("33", "33", "34")):
        filled(made, close(made, f"x{n}", size), size, "30000.0", 1)
    (account,) = made.state.accounts.values()
    assert not made.state.positions
    assert account.cash == account.initial + account.realised
