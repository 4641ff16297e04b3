"""A naive second engine: csv, Decimal and plain loops, written from the specification alone.

It shares no code with `engine/` and is slow on purpose: every rule of every open position is asked
on every tick. What it says of recorded data is what `holdfast replay` has to say (E-10 … E-19).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from pathlib import Path
from zoneinfo import ZoneInfo

D = Decimal
LEAST = D("1e-12")


@dataclass
class Terms:
    """What the reference needs to know of an instrument."""

    kind: str = "equity"
    lot: Decimal = D(1)
    multiplier: Decimal = D(1)
    tick: Decimal = D("0.01")
    zone: str = "UTC"
    opens: str | None = None
    closes: str | None = None


@dataclass
class Parameters:
    """Fractions; None switches a rule off."""

    initial: Decimal | None = D("0.25")
    activation: Decimal = D("0.10")
    trailing: Decimal | None = D("0.10")
    vwap: Decimal | None = D("0.05")
    oi: Decimal | None = D("0.10")
    take_profit: Decimal | None = None
    has_end_of_day: bool = True
    end_of_day: str | None = None
    minutes: int | None = None
    capital: Decimal = D(100_000)
    leverage: Decimal = D(10)
    path: str = "pessimistic"


@dataclass
class Wish:
    """One line of a signals file."""

    id: str
    at: int
    symbol: str
    side: int
    qty: Decimal
    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass
class Held:
    """An open position."""

    id: str
    symbol: str
    side: int
    qty: Decimal
    entry: Decimal
    at: int
    peak: Decimal
    oi: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    cost: Decimal


@dataclass
class Seen:
    """What the market said of a symbol so far."""

    last: Decimal = D(0)
    oi: Decimal | None = None
    turnover: Decimal = D(0)
    volume: Decimal = D(0)
    day: str = ""


@dataclass
class Closed:
    signal: str
    symbol: str
    side: int
    qty: Decimal
    entry_at: int
    entry: Decimal
    exit_at: int
    exit: Decimal
    reason: str
    also: list[str]
    level: Decimal | None
    pnl: Decimal


@dataclass
class Rulebook:
    """The exit rules, each said once, for longs (side 1) and shorts (-1)."""

    p: Parameters
    terms: dict[str, Terms]

    def stop_level(self, h: Held) -> Decimal | None:
        levels = [] if self.p.initial is None else [h.entry * (1 - h.side * self.p.initial)]
        levels += [] if h.stop is None else [h.stop]
        return max(levels, key=lambda level: level * h.side, default=None)

    def target_level(self, h: Held) -> Decimal | None:
        share = self.p.take_profit
        levels = [] if share is None else [h.entry * (1 + h.side * share)]
        levels += [] if h.target is None else [h.target]
        return min(levels, key=lambda level: level * h.side, default=None)

    def trail_level(self, h: Held) -> Decimal | None:
        if self.p.trailing is None:
            return None
        gained = (h.peak - h.entry) * h.side
        if gained < self.p.activation * h.entry:
            return None
        return h.peak * (1 - h.side * self.p.trailing)

    def vwap_level(self, seen: Seen, side: int) -> Decimal | None:
        """VWAP less its share, as exact as 50 digits are."""
        if self.p.vwap is None or not seen.volume:
            return None
        return seen.turnover * (1 - side * self.p.vwap) / seen.volume

    def fired(
        self, h: Held, seen: Seen, last: Decimal, at: int
    ) -> list[tuple[str, Decimal | None]]:
        """All rules that hold at `last`, in the order of the table, with their levels."""
        found: list[tuple[str, Decimal | None]] = []
        losing = (last - h.entry) * h.side < 0
        stop, trail, target = self.stop_level(h), self.trail_level(h), self.target_level(h)
        if stop is not None and (last - stop) * h.side <= 0:
            found.append(("stop_loss_hit", stop))
        if trail is not None and (last - trail) * h.side <= 0:
            found.append(("trailing_stop_hit", trail))
        vwap = self.vwap_level(seen, h.side)
        if vwap is not None and losing and (last - vwap) * h.side <= 0:
            found.append(("vwap_stop_hit", vwap))
        if self.p.oi is not None and h.oi and seen.oi is not None and losing:
            level = h.oi * (1 + self.p.oi)
            if seen.oi >= level:
                found.append(("oi_stop_hit", level))
        if target is not None and (last - target) * h.side >= 0:
            found.append(("take_profit_hit", target))
        if self.is_over(h, at):
            found.append(("end_of_day", None))
        if self.p.minutes is not None and at - h.at > self.p.minutes * 60 * 10**9:
            found.append(("time_stop", None))
        return found

    def is_over(self, h: Held, at: int) -> bool:
        """Whether the day in which it was opened is over by `at`."""
        if not self.p.has_end_of_day:
            return False
        terms = self.terms[h.symbol]
        ends = [t for t in (self.p.end_of_day, terms.closes) if t is not None]
        if not ends:
            return False
        opened, now = wall(h.at, terms), wall(at, terms)
        day = opened.date()
        if opened.strftime("%H:%M") >= min(ends):
            day += timedelta(days=1)
        return (str(now.date()), now.strftime("%H:%M")) >= (str(day), min(ends))


@dataclass
class Reference:
    """Feed it rows in order; then read `closed`, `held`, `refused` and `cash`."""

    terms: dict[str, Terms]
    p: Parameters
    wishes: list[Wish]
    cash: Decimal = D(0)
    realised: Decimal = D(0)
    held: list[Held] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    acted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cash = self.p.capital
        self.rules = Rulebook(self.p, self.terms)
        self.waiting: dict[str, list[Wish]] = {}
        for wish in sorted(self.wishes, key=lambda w: w.at):
            self.waiting.setdefault(wish.symbol, []).append(wish)

    def run(self, path: Path) -> Reference:
        with localcontext() as context:
            context.prec = 50
            for row in rows(path):
                if "open" in row:
                    self.bar(row)
                else:
                    last, volume, oi = (number(row.get(k)) for k in ("price", "volume", "oi"))
                    assert last is not None
                    self.tick(row["symbol"], instant(row["time"]), last, volume, oi)
        return self

    def look(self, symbol: str, at: int) -> Seen:
        """The symbol's sums; a new local day empties them."""
        seen = self.seen.setdefault(symbol, Seen())
        terms = self.terms[symbol]
        day = str(wall(at, terms).date()) if terms.opens else "for ever"
        if day != seen.day:
            seen.day, seen.turnover, seen.volume = day, D(0), D(0)
        return seen

    def counts(self, symbol: str, at: int) -> bool:
        terms = self.terms[symbol]
        return terms.opens is None or clock(at, terms) >= terms.opens

    def tick(
        self, symbol: str, at: int, last: Decimal, volume: Decimal | None, oi: Decimal | None
    ) -> None:
        seen = self.look(symbol, at)
        seen.last = last
        if oi is not None:
            seen.oi = oi
        if volume and self.counts(symbol, at):
            seen.turnover += last * volume
            seen.volume += volume
        for position in [h for h in self.held if h.symbol == symbol]:
            better = (last - position.peak) * position.side > 0
            position.peak = last if better else position.peak
            fired = self.rules.fired(position, seen, last, at)
            if fired:
                self.close(position, at, last, fired)
        queue = self.waiting.get(symbol, [])
        while queue and queue[0].at <= at:
            self.enter(queue.pop(0), at, last, seen)

    def bar(self, row: dict[str, str]) -> None:
        symbol, at = row["symbol"], instant(row["time"])
        first, high, low, last = (D(row[k]) for k in ("open", "high", "low", "close"))
        oi = number(row.get("oi"))
        seen = self.look(symbol, at)
        self.tick(symbol, at, first, None, oi if seen.oi is None else None)
        for position in [h for h in self.held if h.symbol == symbol]:
            up_first = self.p.path == "ohlc" or (self.p.path == "pessimistic" and position.side < 0)
            here = first
            for there in (high, low, last) if up_first else (low, high, last):
                if self.leg(position, seen, here, there, at):
                    break
                here = there
        volume = number(row.get("volume"))
        if volume and self.counts(symbol, at):
            typical = ((high + low + last) / 3).quantize(LEAST)
            seen.turnover += typical * volume
            seen.volume += volume
        self.tick(symbol, at, last, None, oi)

    def leg(self, h: Held, seen: Seen, here: Decimal, there: Decimal, at: int) -> bool:
        """Walk from `here` to `there`; close at the first level on the way. True: closed."""
        stops = [s for s in self.stops_on(h, seen) if between(s, here, there)]
        stops.sort(key=lambda s: abs(s - here))
        for price in [*stops, there]:
            if (price - h.peak) * h.side > 0:
                h.peak = price
            fired = self.rules.fired(h, seen, price, at)
            if fired:
                self.close(h, at, price, fired)
                return True
        return False

    def stops_on(self, h: Held, seen: Seen) -> Iterator[Decimal]:
        """Every price at which some rule might begin to hold, seen from here."""
        losing = first_below(h.entry, self.terms[h.symbol].tick, h.side)
        for level in (
            self.rules.stop_level(h),
            self.rules.target_level(h),
            self.rules.trail_level(h),
        ):
            if level is not None:
                yield level
        vwap = self.rules.vwap_level(seen, h.side)
        if vwap is not None:
            # Prices have twelve places: the first one at which the rule holds.
            yield vwap.quantize(LEAST, ROUND_FLOOR if h.side > 0 else ROUND_CEILING)
            yield losing
        if self.p.oi is not None and h.oi:
            yield losing

    def close(
        self, h: Held, at: int, last: Decimal, fired: list[tuple[str, Decimal | None]]
    ) -> None:
        gain = (last - h.entry) * h.side * h.qty * self.terms[h.symbol].multiplier
        self.cash += h.cost + gain
        self.realised += gain
        self.held.remove(h)
        (reason, level), *others = fired
        also = [name for name, _ in others]
        self.closed.append(
            Closed(
                h.id, h.symbol, h.side, h.qty, h.at, h.entry, at, last, reason, also, level, gain
            )
        )

    def enter(self, wish: Wish, at: int, last: Decimal, seen: Seen) -> None:
        terms = self.terms[wish.symbol]
        cost = last * wish.qty * terms.multiplier
        if terms.kind == "linear":
            cost = (cost / self.p.leverage).quantize(LEAST)
        why = self.refusal(wish, at, last, cost)
        self.acted.add(wish.id)
        if why:
            self.refused[wish.id] = why
            return
        self.cash -= cost
        self.held.append(
            Held(
                wish.id,
                wish.symbol,
                wish.side,
                wish.qty,
                last,
                at,
                last,
                seen.oi,
                wish.stop,
                wish.target,
                cost,
            )
        )

    def refusal(self, wish: Wish, at: int, last: Decimal, cost: Decimal) -> str:
        terms = self.terms[wish.symbol]
        if wish.id in self.acted:
            return "acted already"
        if terms.kind == "index":
            return "index"
        if terms.opens and terms.closes and not terms.opens <= clock(at, terms) < terms.closes:
            return "market closed"
        ends = self.p.end_of_day
        if ends and self.p.has_end_of_day and terms.closes and clock(at, terms) >= ends:
            return "window closed"
        if wish.qty % terms.lot != 0:
            return "lot size"
        if wish.stop is not None and (last - wish.stop) * wish.side <= 0:
            return "stop"
        if wish.target is not None and (wish.target - last) * wish.side <= 0:
            return "target"
        return "insufficient funds" if cost > self.cash else ""


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, plain or gzip."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from csv.DictReader(file)


def number(text: str | None) -> Decimal | None:
    return D(text) if text else None


def instant(text: str) -> int:
    """Nanoseconds UTC of an ISO time, or of an epoch in milliseconds."""
    if text.isdigit():
        return int(text) * 10**6
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000


def wall(at: int, terms: Terms) -> datetime:
    return datetime.fromtimestamp(at // 10**9, ZoneInfo(terms.zone))


def clock(at: int, terms: Terms) -> str:
    return wall(at, terms).strftime("%H:%M")


def between(level: Decimal, here: Decimal, there: Decimal) -> bool:
    return min(here, there) < level < max(here, there)


def first_below(level: Decimal, tick: Decimal, side: int) -> Decimal:
    """The first tradable price on the losing side of `level`."""
    steps = level / tick
    whole = steps.to_integral_value(ROUND_FLOOR if side > 0 else ROUND_CEILING)
    price = whole * tick
    return price if price != level else price - side * tick
