"""The story the rig tells: eight positions, three closed trades, one strategy, hostile text."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from engine.domain import event as ev
from engine.domain.health import Component, Health, Level, Loss
from engine.domain.ids import (
    SECOND,
    FillId,
    InstrumentId,
    Nanos,
    OrderId,
    PositionId,
    SessionId,
    StrategyName,
)
from engine.domain.instrument import Instrument, Kind, Right
from engine.domain.market import Quote
from engine.domain.money import Currency, Money, Price, Qty
from engine.domain.order import ExitKind, ExitReason, Fill, Order, Side
from engine.domain.quality import BadSample, InstrumentQuality, QualityReport
from engine.domain.risk import Limits
from engine.domain.session import Mode
from engine.domain.signal import Signal
from engine.domain.stop import ExitRule
from engine.domain.strategy import Phase
from engine.link.protocol import LogRecord
from engine.stops.end_of_day import EndOfDay
from engine.stops.initial import InitialStop
from engine.stops.open_interest import OpenInterestStop
from engine.stops.take_profit import TakeProfit
from engine.stops.trailing import TrailingStop
from engine.stops.vwap import VwapStop

INR, USDT = Currency("INR"), Currency("USDT")
OI = StrategyName("oi_momentum")
D = Decimal

HOSTILE = (
    "AAA\x1b]52;c;cHduZWQ=\x07\x1b[2J\x9b2J[@click=app.quit]x[/] \u202eevil\x00 A" + "\u0301" * 5
)

PUT = "NIFTY25DEC25900PE"
CALL = "NIFTY25DEC26000CE"
BANK = "BANKNIFTY25DEC55200PE"

RULES: tuple[ExitRule, ...] = (
    InitialStop(),
    TrailingStop(),
    VwapStop(),
    OpenInterestStop(),
    TakeProfit(),
    EndOfDay("15:20"),
)


def _option(name: str, strike: int, right: Right, lot: int, under: str) -> Instrument:
    return Instrument(
        InstrumentId(name), Kind.OPTION, INR, D("0.05"), D(lot), D(1), InstrumentId(under),
        D(strike), right, "2026-01-30", "NSE", "Asia/Kolkata", "09:15", "15:30",
    )  # fmt: skip


def _share(name: str) -> Instrument:
    return Instrument(
        InstrumentId(name), Kind.EQUITY, INR, D("0.05"), calendar="NSE",
        time_zone="Asia/Kolkata", session_open="09:15", session_close="15:30",
    )  # fmt: skip


INSTRUMENTS = (
    _option(PUT, 25900, Right.PUT, 75, "NIFTY"),
    _option(CALL, 26000, Right.CALL, 75, "NIFTY"),
    _option(BANK, 55200, Right.PUT, 35, "BANKNIFTY"),
    *(_share(name) for name in ("RELIANCE", "INFY", "TCS", "SBIN", "HDFCBANK")),
    Instrument(InstrumentId("BTC-PERP"), Kind.LINEAR, USDT, D("0.5"), D("0.001")),
)

# id, instrument, side, quantity, entry, minutes ago, strategy, own stop, last price, OI at entry
HELD = (
    ("p1", PUT, Side.BUY, "75", "30.00", 72, OI, None, "33.50", "1250000"),
    ("p2", CALL, Side.BUY, "75", "41.20", 31, OI, None, "38.10", "2103000"),
    ("p3", BANK, Side.SELL, "35", "210.00", 95, OI, None, "188.40", "410000"),
    ("p4", "BTC-PERP", Side.BUY, "0.015", "97250.5", 140, None, None, "98102.0", None),
    ("p5", "RELIANCE", Side.BUY, "100", "2954.10", 55, None, "2890.00", "2941.35", None),
    ("p6", "INFY", Side.SELL, "60", "1526.30", 102, None, "1580.00", "1512.35", None),
    ("p7", "TCS", Side.BUY, "10", "4019.00", 130, None, "3980.00", "3988.00", None),
    ("p8", "SBIN", Side.BUY, "150", "799.30", 88, None, None, "812.05", None),
    ("p9", "HDFCBANK", Side.BUY, "60", "1640.55", 24, None, "1590.00", "1628.20", None),
)
CLOSED = (
    ("t1", CALL, Side.BUY, "75", "52.00", "46.80", "trailing_stop_hit", ExitKind.RULE, ""),
    ("t2", "TCS", Side.SELL, "10", "4050.00", "4011.50", "manual", ExitKind.MANUAL, "before lunch"),
    ("t3", PUT, Side.BUY, "75", "28.40", "21.30", "stop_loss_hit", ExitKind.RULE, ""),
)


def events(start: Nanos, now: Nanos) -> Iterator[tuple[Nanos, ev.Event]]:
    """Yield (time, event) of the whole story, in journal order."""
    cash = (Money(D(500_000), INR), Money(D(10_000), USDT))
    limits = Limits(positions_max=12, leverage=D(10))
    yield (
        start,
        ev.SessionStarted(SessionId("2026-01-30"), Mode.PAPER, "paper", "sim", cash, RULES, limits),
    )
    for instrument in INSTRUMENTS:
        yield start, ev.InstrumentListed(instrument)
    yield start, ev.StrategyChanged(
        OI, "oi_momentum", Phase.POSITION_OPEN,
        "15-minute bar at 11:45, then a new strike if OI moves",
        settings=(("underlying", "NIFTY"), ("bar", "15 min"), ("window", "09:45-14:30")),
    )  # fmt: skip
    memory = '{"call_strike": 26000, "put_strike": 25900, "spot": "25946.95", "cooldown_s": 0}'
    yield start, ev.StrategyRemembered(OI, memory)
    yield (
        start,
        ev.StrategyChanged(
            StrategyName("signals"), "signals", Phase.ANALYZING, "a line in signals.jsonl"
        ),
    )
    for index, item in enumerate(CLOSED):
        yield from _closed(Nanos(start + (20 + 17 * index) * 60 * SECOND), *item)
    for name, symbol, side, qty, entry, ago, strategy, stop, _, oi in HELD:
        at = Nanos(now - ago * 60 * SECOND)
        yield from opened(at, name, symbol, side, qty, entry, strategy, stop, oi)
    yield now, ev.PeaksRaised((
        ev.Peak(InstrumentId(PUT), Price(D("33.50")), Price(D("29.80"))),
        ev.Peak(InstrumentId(BANK), Price(D("214.00")), Price(D("183.10"))),
    ))  # fmt: skip
    yield now, _refused(now)
    yield from _closing(now)


def _refused(now: Nanos) -> ev.SignalRefused:
    signal = Signal(
        "s9", InstrumentId(CALL), Side.BUY, now, strategy=OI, reason="close above VWAP, OI falling"
    )
    return ev.SignalRefused(signal, "one position per instrument")


def _order(
    name: str, symbol: str, side: Side, qty: str, position: str, reason: ExitReason | None = None,
    strategy: StrategyName | None = None, stop: str | None = None,
) -> Order:  # fmt: skip
    return Order(
        OrderId(name), InstrumentId(symbol), side, Qty(D(qty)), PositionId(position), exit=reason,
        strategy=strategy, stop_loss=Price(D(stop)) if stop else None,
    )  # fmt: skip


def _fill(name: str, symbol: str, price: str, qty: str, at: Nanos) -> Fill:
    currency = USDT if symbol == "BTC-PERP" else INR
    return Fill(
        FillId(f"f-{name}"), OrderId(name), Price(D(price)), Qty(D(qty)),
        Money(D("1.25"), currency), at,
    )  # fmt: skip


def opened(
    at: Nanos, name: str, symbol: str, side: Side, qty: str, entry: str,
    strategy: StrategyName | None, stop: str | None, oi: str | None,
) -> Iterator[tuple[Nanos, ev.Event]]:  # fmt: skip
    order = _order(name, symbol, side, qty, name, None, strategy, stop)
    yield at, ev.OrderRequested(order)
    yield at, ev.OrderAccepted(order.id, f"V-{name}")
    filled = _fill(name, symbol, entry, qty, at)
    yield at, ev.OrderFilled(filled, oi=D(oi) if oi else None)


def _closed(
    at: Nanos, name: str, symbol: str, side: Side, qty: str, entry: str, exit_: str, code: str,
    kind: ExitKind, note: str,
) -> Iterator[tuple[Nanos, ev.Event]]:  # fmt: skip
    yield from opened(at, name, symbol, side, qty, entry, OI, None, None)
    later = Nanos(at + 11 * 60 * SECOND)
    reason = ExitReason(kind, code, note=note)
    yield later, ev.OrderRequested(_order(f"x{name}", symbol, side.opposite, qty, name, reason, OI))
    yield later, ev.OrderFilled(_fill(f"x{name}", symbol, exit_, qty, later))


def _closing(now: Nanos) -> Iterator[tuple[Nanos, ev.Event]]:
    reason = ExitReason(ExitKind.MANUAL, "manual", note="rebalance")
    yield now, ev.OrderRequested(_order("x8", "SBIN", Side.SELL, "150", "p8", reason))
    yield now, ev.OrderAccepted(OrderId("x8"), "V-x8")


def quotes(now: Nanos) -> Iterator[Quote]:
    """Yield a quote per held instrument; HDFCBANK's is 92 s old."""
    for _, symbol, _, _, _, _, _, _, last, oi in HELD:
        age = 92 * SECOND if symbol == "HDFCBANK" else SECOND // 5
        quote = Quote(InstrumentId(symbol), Price(D(last)), Nanos(now - age), "sim")
        if symbol != "BTC-PERP":
            quote.turnover, quote.volume = D(last) * D("1.011") * 90_000, D(90_000)
        if oi:
            quote.oi = D(oi) * D("1.063")
        yield quote


def ring() -> deque[tuple[int, float]]:
    """Return an empty ring of prices."""
    return deque(maxlen=300)


def wiggle(last: float, name: str) -> list[float]:
    """Return four minutes of plausible prices that end at `last`."""
    seed = sum(map(ord, name)) % 7
    return [
        last * (1 + (0.01 * math.sin(i / 23 + seed) + 0.003 * math.sin(i / 4)) * (240 - i) / 240)
        for i in range(240)
    ]


def health(now: Nanos) -> Health:
    """Return a health report with two components that lost points."""

    def part(name: str, score: float, figure: tuple[str, str], *losses: Loss) -> Component:
        critical = name in {"feed", "store", "exit path"}
        return Component(name, score, 2.0 if critical else 1.0, critical, (figure,), losses)

    parts = (
        part("feed", 88, ("age", "0.2 s"), Loss(12, "HDFCBANK silent for 92 s (limit 60 s)")),
        part("exit path", 99, ("p99", "0.2 ms")),
        part("store", 97, ("commit p99", "4.1 ms")),
        part("event loop", 98, ("lag p99", "3 ms")),
        part("data quality", 71, ("worst", "HDFCBANK 41"), Loss(29, "HDFCBANK: gaps × 3, stale")),
        part("strategies", 100, ("running", "2 of 2")),
        part("memory", 96, ("engine", "64 MB")),
    )
    return Health(now, 91.4, Level.EXCELLENT, parts, "data quality: HDFCBANK: gaps × 3, stale")


def quality(now: Nanos) -> QualityReport:
    """Return a data-quality report; one instrument is below the gate."""

    def row(name: str, score: float, *counts: tuple[str, int]) -> InstrumentQuality:
        bad = None
        if counts:
            at = Nanos(now - 92 * SECOND)
            bad = BadSample(counts[0][0], at, f"price {HOSTILE}")
        return InstrumentQuality(
            InstrumentId(name), score, -2.0 if counts else 0, 40_211, counts, bad
        )

    rows = [row(symbol, 97.0) for _, symbol, *_ in HELD if symbol != "HDFCBANK"]
    worst = row("HDFCBANK", 41.0, ("gap", 3), ("stale", 1))
    return QualityReport(now, 90.2, 60.0, (*rows, worst), (("price_not_positive", 2),))


LINES = (
    (400, "info", "session", "paper session 2026-01-30 started with 500,000.00 INR"),
    (311, "info", "strategy", "STRIKE 25850 → 25900 (spot 25946.95)"),
    (245, "info", "order", "BUY 75 NIFTY25DEC26000CE market, signal oi_momentum"),
    (244, "info", "fill", "BUY 75 NIFTY25DEC26000CE at 41.20"),
    (130, "debug", "store", "checkpoint 12 ms, wal 0.4 MB"),
    (92, "warning", "feed", "HDFCBANK has no tick for 60 s"),
    (61, "info", "strategy", "refused BUY NIFTY25DEC26000CE: one position per instrument"),
    (40, "error", "venue", HOSTILE),
    (12, "info", "stop", "NIFTY25DEC25900PE trailing 29.80 → 30.15"),
    (1, "info", "order", "SELL 150 SBIN market, manual: rebalance"),
)


def logs(now: Nanos) -> Iterator[LogRecord]:
    """Yield the log, hostile text included."""
    for ago, level, source, text in LINES:
        fields = (("order", "x8"), ("note", HOSTILE)) if source == "venue" else ()
        yield LogRecord(Nanos(now - ago * SECOND), level, source, text, fields)
